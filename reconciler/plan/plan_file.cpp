#include "reconciler/plan/plan_file.h"

#include <algorithm>

#include "reconciler/plan/fingerprint.h"
#include "schemas/schema.h"

namespace steer {
namespace {

constexpr const char* kFormat = "steersman-plan";
constexpr std::int64_t kVersion = 1;

const char* wordOf(FieldChange::Kind kind) {
  switch (kind) {
    case FieldChange::Kind::add:
      return "add";
    case FieldChange::Kind::remove:
      return "remove";
    case FieldChange::Kind::change:
      break;
  }
  return "change";
}

FieldChange::Kind kindNamed(std::string_view word) {
  if (word == "add") return FieldChange::Kind::add;
  return word == "remove" ? FieldChange::Kind::remove : FieldChange::Kind::change;
}

PlanAction actionNamed(std::string_view word) {
  for (const auto action : {PlanAction::create, PlanAction::update, PlanAction::replace, PlanAction::remove})
    if (word == actionName(action)) return action;
  return PlanAction::none;
}

SavedChange savedOf(const PlannedChange& c, const std::string& salt) {
  SavedChange out;
  out.action = c.action;
  out.gvk = c.gvk;
  out.ref = c.ref;
  out.uid = c.live ? c.live->uid() : "";
  for (const auto& f : c.fields) out.fields.push_back({f.kind, f.path, f.before, f.after});
  out.hidden = hiddenPrint(c, salt);
  out.taken = c.taken;
  out.forcedBy = c.forcedBy;
  out.adopts = c.adopts;
  return out;
}

json::object jsonOf(const SavedField& f) {
  json::object out{{"op", wordOf(f.kind)}, {"path", f.path}};
  if (f.before) out["before"] = *f.before;
  if (f.after) out["after"] = *f.after;
  return out;
}

json::object jsonOf(const SavedChange& c) {
  json::object out{{"action", actionName(c.action)},
                   {"apiVersion", c.gvk.apiVersion()},
                   {"kind", c.gvk.kind},
                   {"resource", c.ref.resource},
                   {"namespace", c.ref.ns},
                   {"name", c.ref.name}};
  out["application"] = c.application;
  if (!c.uid.empty()) out["uid"] = c.uid;
  json::array fields;
  for (const auto& f : c.fields) fields.emplace_back(jsonOf(f));
  if (!fields.empty()) out["fields"] = std::move(fields);
  if (!c.hidden.empty()) out["hidden"] = c.hidden;
  if (!c.taken.empty()) out["takes"] = json::value_from(c.taken);
  if (!c.forcedBy.empty()) out["forcedBy"] = c.forcedBy;
  if (c.adopts) out["adopts"] = true;
  return out;
}

SavedChange changeFrom(const json::value& v) {
  SavedChange out;
  out.action = actionNamed(stringAt(v, {"action"}));
  out.gvk = Gvk::from(stringAt(v, {"apiVersion"}), stringAt(v, {"kind"}));
  out.ref = {std::string(stringAt(v, {"resource"})), std::string(stringAt(v, {"namespace"})),
             std::string(stringAt(v, {"name"}))};
  out.application = stringAt(v, {"application"});
  out.uid = stringAt(v, {"uid"});
  for (const auto& f : v.is_object() ? arrayAt(v, {"fields"}) : json::array{}) {
    SavedField field{kindNamed(stringAt(f, {"op"})), std::string(stringAt(f, {"path"}))};
    if (const auto* before = find(f, {"before"})) field.before = *before;
    if (const auto* after = find(f, {"after"})) field.after = *after;
    out.fields.push_back(std::move(field));
  }
  out.hidden = stringAt(v, {"hidden"});
  for (const auto& t : arrayAt(v, {"takes"}))
    if (t.is_string()) out.taken.emplace_back(view(t.get_string()));
  out.forcedBy = stringAt(v, {"forcedBy"});
  out.adopts = boolAt(v, {"adopts"});
  return out;
}

json::object documentOf(const SavedPlan& p) {
  json::object source;
  for (const auto& [object, print] : p.source) source[object] = print;
  json::array changes;
  for (const auto& c : p.changes) changes.emplace_back(jsonOf(c));
  return {{"format", kFormat},
          {"version", kVersion},
          {"steer", p.tool},
          {"cluster", p.cluster},
          {"created", p.created},
          {"request", p.request},
          {"salt", p.salt},
          {"plan", p.planDigest},
          {"changes", std::move(changes)},
          {"source", std::move(source)},
          {"sourceSecrets", p.sourceSecrets}};
}

std::string digestOf(const json::object& document) { return Fingerprint().add(jsonCanonical(document)).hex(); }

}  // namespace

std::map<std::string, std::string> sourcePrints(const std::vector<WantedObject>& source) {
  std::map<std::string, std::string> out;
  for (const auto& w : source) {
    const std::string name =
        std::string(stringAt(w.body, {"kind"})) + " " + (w.ref.ns.empty() ? "" : w.ref.ns + "/") + w.ref.name;
    out[name] = Fingerprint().add(jsonCanonical(withoutSecrets(w.body))).hex();
  }
  return out;
}

std::string secretsPrint(const std::vector<WantedObject>& source, const std::string& salt) {
  std::map<std::string, std::string> bodies;
  for (const auto& w : source)
    if (isSecret(w.body)) bodies[w.ref.text()] = jsonCanonical(w.body);
  if (bodies.empty()) return "";
  Fingerprint all;  // only a step on the way: what is kept of it is the slow hash
  for (const auto& [name, body] : bodies) all.add(name).add(body);
  return slowHash(salt, all.hex());
}

std::string hiddenPrint(const PlannedChange& c, const std::string& salt) {
  // What may not be read is bound as a whole.
  if (c.hidden && c.live) return slowHash(salt, std::to_string(c.live->revision()));
  if (!c.live || !c.predicted) return "";
  if (std::none_of(c.fields.begin(), c.fields.end(), [](const FieldChange& f) { return f.sensitive; })) return "";
  DiffOptions revealed;
  revealed.secrets = DiffOptions::Secrets::revealed;
  Fingerprint all;
  for (const auto& f :
       diffObjects(SchemaRegistry::builtin().find(c.gvk), c.live->json(), c.predicted->json(), revealed))
    all.add(f.path)
        .add(f.before ? jsonCanonical(*f.before) : "absent")
        .add(f.after ? jsonCanonical(*f.after) : "absent");
  return slowHash(salt, all.hex());
}

SavedPlan savePlan(const PlanSet& plans, const std::vector<WantedObject>& source, PlanBinding binding) {
  SavedPlan out;
  out.tool = std::move(binding.tool);
  out.cluster = std::move(binding.cluster);
  out.created = std::move(binding.created);
  out.request = std::move(binding.request);
  out.salt = std::move(binding.salt);
  out.source = sourcePrints(source);
  out.sourceSecrets = secretsPrint(source, out.salt);
  for (const auto& plan : plans.plans)
    for (const auto& c : plan.changes) {
      if (c.action == PlanAction::none) continue;
      out.changes.push_back(savedOf(c, out.salt));
      out.changes.back().application = plan.application;
    }
  out.planDigest = plans.digest();
  return out;
}

std::string planFileText(const SavedPlan& plan) {
  json::object document = documentOf(plan);
  const auto digest = digestOf(document);
  document["digest"] = digest;
  return jsonPretty(document) + "\n";
}

bool looksLikePlanFile(const json::value& document) { return stringAt(document, {"format"}) == kFormat; }

Result<SavedPlan> readPlanFile(const json::value& document) {
  if (!looksLikePlanFile(document)) return makeError(Errc::invalid, "this is not a saved plan");
  if (const auto version = intAt(document, {"version"}); version != kVersion)
    return makeError(Errc::invalid, "the saved plan has version " + std::to_string(version) + ", this steer reads " +
                                        std::to_string(kVersion) + "; plan again");
  json::object body = document.get_object();
  const std::string said(stringAt(document, {"digest"}));
  body.erase("digest");
  if (digestOf(body) != said)
    return makeError(Errc::invalid, "the saved plan was damaged or edited: its digest does not fit; plan again");
  SavedPlan out;
  out.tool = stringAt(body, {"steer"});
  out.cluster = stringAt(body, {"cluster"});
  out.created = stringAt(body, {"created"});
  out.request = objectAt(body, {"request"});
  out.salt = stringAt(body, {"salt"});
  out.planDigest = stringAt(body, {"plan"});
  out.sourceSecrets = stringAt(body, {"sourceSecrets"});
  for (const auto& each : objectAt(body, {"source"}))
    if (each.value().is_string()) out.source[std::string(each.key())] = view(each.value().get_string());
  for (const auto& c : arrayAt(body, {"changes"})) out.changes.push_back(changeFrom(c));
  return out;
}

}  // namespace steer
