#include "reconciler/plan/staleness.h"

#include <algorithm>

namespace steer {
namespace {

std::string shown(const std::optional<json::value>& v) {
  constexpr std::size_t limit = 80;
  if (!v) return "absent";
  std::string text = v->is_string() && view(v->get_string()) == kMasked ? kMasked : jsonText(*v);
  if (text.size() <= limit) return text;
  text.resize(limit);
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xC0) == 0x80) text.pop_back();
  return text + "…";
}

std::string wasIs(const std::string& path, const std::optional<json::value>& was,
                  const std::optional<json::value>& is) {
  return path + " was " + shown(was) + ", is " + shown(is);
}

/// Fields of one object that moved since the plan was saved.
std::vector<std::string> fieldMoves(const SavedChange& saved, const PlannedChange& now, const std::string& salt) {
  std::vector<std::string> out;
  std::map<std::string, const SavedField*> before;
  std::map<std::string, const FieldChange*> fresh;
  for (const auto& f : saved.fields) before[f.path] = &f;
  for (const auto& f : now.fields) fresh[f.path] = &f;
  for (const auto& [path, was] : before) {
    const auto it = fresh.find(path);
    if (it == fresh.end()) out.push_back(wasIs(path, was->before, was->after) + " already");
    else if (it->second->before != was->before) out.push_back(wasIs(path, was->before, it->second->before));
    else if (it->second->after != was->after)
      out.push_back(path + " would become " + shown(it->second->after) + ", not " + shown(was->after));
  }
  // Not part of the saved plan, so it had the value that the source asks for.
  for (const auto& [path, is] : fresh)
    if (!before.contains(path)) out.push_back(wasIs(path, is->after, is->before));
  if (out.empty() && hiddenPrint(now, salt) != saved.hidden)
    for (const auto& f : now.fields)
      if (f.sensitive) out.push_back(f.path + " has another value");
  for (const auto& taken : now.taken)
    if (std::find(saved.taken.begin(), saved.taken.end(), taken) == saved.taken.end())
      out.push_back("would now also take " + taken);
  return out;
}

std::vector<std::string> movesOf(const SavedChange& saved, const PlannedChange* now, const std::string& salt) {
  if (saved.action == PlanAction::remove) {
    if (now == nullptr) return {"is gone, or belongs to the application no more"};
    if (now->action != PlanAction::remove) return {"would not be deleted any more"};
  }
  if (now == nullptr) return {"is not in the source"};
  if (!now->refusal.empty()) return {"the server refuses it now: " + now->refusal};
  const std::string uid = now->live ? now->live->uid() : "";
  if (saved.uid.empty() && !uid.empty()) return {"did not exist, exists now"};
  if (!saved.uid.empty() && uid.empty()) return {"existed, is gone"};
  if (saved.uid != uid) return {"was deleted and made anew by someone else"};
  if (saved.action == PlanAction::remove) return {};
  auto out = fieldMoves(saved, *now, salt);
  if (!out.empty()) return out;
  if (now->action != saved.action)
    return {std::string("would be ") + (now->action == PlanAction::none ? "left as it is" : actionName(now->action)) +
            ", not " + actionName(saved.action)};
  if (now->adopts != saved.adopts) return {saved.adopts ? "is owned already" : "belongs to the application no more"};
  if (now->forcedBy != saved.forcedBy) return {"is replaced because of " + now->forcedBy};
  return {};
}

}  // namespace

std::vector<std::string> sourceMoves(const SavedPlan& saved, const std::vector<WantedObject>& source) {
  const auto now = sourcePrints(source);
  std::vector<std::string> out;
  for (const auto& [object, print] : saved.source) {
    const auto it = now.find(object);
    if (it == now.end()) out.push_back(object + " was removed");
    else if (it->second != print) out.push_back(object + " was changed");
  }
  for (const auto& [object, print] : now)
    if (!saved.source.contains(object)) out.push_back(object + " was added");
  if (out.empty() && secretsPrint(source, saved.salt) != saved.sourceSecrets)
    out.emplace_back("a Secret has other values");
  return out;
}

std::vector<std::string> liveMoves(const SavedPlan& saved, const PlanSet& now) {
  std::map<std::pair<std::string, ObjectRef>, const PlannedChange*> fresh;
  for (const auto& plan : now.plans)
    for (const auto& c : plan.changes) fresh[{plan.application, c.ref}] = &c;
  std::vector<std::string> out;
  for (const auto& change : saved.changes) {
    const auto it = fresh.find({change.application, change.ref});
    for (const auto& move : movesOf(change, it == fresh.end() ? nullptr : it->second, saved.salt))
      out.push_back(change.text() + ": " + move);
  }
  return out;
}

PlanSet asSaved(const SavedPlan& saved, PlanSet now) {
  std::set<std::pair<std::string, ObjectRef>> kept;
  for (const auto& c : saved.changes) kept.emplace(c.application, c.ref);
  for (auto& plan : now.plans)
    std::erase_if(plan.changes, [&](const PlannedChange& c) {
      return c.action == PlanAction::none || !kept.contains({plan.application, c.ref});
    });
  return now;
}

}  // namespace steer
