#include "reconciler/plan/ownership_policy.h"

#include <fnmatch.h>

#include <algorithm>
#include <optional>

#include "reconciler/plan/field_steps.h"
#include "reconciler/plan/plan.h"
#include "schemas/managed_fields.h"
#include "schemas/schema.h"

namespace steer {
namespace {

bool anyOrMatches(const std::string& pattern, std::string_view text) {
  return pattern.empty() || globMatches(pattern, text);
}

bool concernsObject(const IgnoredFields& rule, const json::object& body) {
  return anyOrMatches(rule.apiVersion, stringAt(body, {"apiVersion"})) &&
         anyOrMatches(rule.kind, stringAt(body, {"kind"})) &&
         anyOrMatches(rule.ns, stringAt(body, {"metadata", "namespace"})) &&
         anyOrMatches(rule.name, stringAt(body, {"metadata", "name"}));
}

bool concernsManager(const std::vector<std::string>& managers, const std::string& manager) {
  if (managers.empty()) return true;
  return std::any_of(managers.begin(), managers.end(), [&](const auto& m) { return globMatches(m, manager); });
}

/// Walks what one other manager holds beside the body, and takes out what a rule names.
class Trimmer {
 public:
  Trimmer(const std::vector<std::vector<std::string>>& patterns, std::string manager, std::vector<std::string>& left)
      : patterns_(patterns), manager_(std::move(manager)), left_(left) {}

  void object(json::object& body, const FieldSet& held, const TypeSchema* type) {
    for (const auto& [step, below] : held.children()) {
      if (!step.starts_with("f:")) continue;
      const std::string key = step.substr(2);
      auto* member = body.if_contains(jkey(key));
      if (member == nullptr) continue;
      steps_.push_back(key);
      const auto* field = type == nullptr ? nullptr : type->field(key);
      if (below.children().empty() ? matches() : inner(*member, below, field)) {
        if (below.children().empty()) note();
        body.erase(jkey(key));
      }
      steps_.pop_back();
    }
  }

 private:
  /// True when nothing is left of the value.
  bool inner(json::value& value, const FieldSet& held, const FieldSchema* field) {
    const TypeSchema* type = field == nullptr ? nullptr : field->type;
    if (auto* members = value.if_object()) {
      const bool some = !members->empty();
      object(*members, held, field != nullptr && field->shape == Shape::map ? nullptr : type);
      return some && members->empty() && steps_.size() > 1;
    }
    if (auto* items = value.if_array()) list(*items, held, field);
    return false;
  }

  void list(json::array& items, const FieldSet& held, const FieldSchema* field) {
    for (const auto& [step, below] : held.children()) {
      if (step.starts_with("v:")) removeValue(items, step);
      if (!step.starts_with("k:") || field == nullptr) continue;
      const auto keys = parseJson(step.substr(2));
      if (!keys.ok() || !keys->is_object()) continue;
      for (auto& item : items) {
        if (!item.is_object() || !hasKeys(item.get_object(), keys->get_object(), *field)) continue;
        steps_.push_back(stepText(step));
        FieldSet inside = below;
        for (const auto& key : keys->get_object()) inside.erase("f:" + std::string(key.key()));
        object(item.get_object(), inside, field->type);
        steps_.pop_back();
      }
    }
  }

  void removeValue(json::array& items, const std::string& step) {
    const auto value = parseJson(step.substr(2));
    const auto it = value.ok() ? std::find(items.begin(), items.end(), *value) : items.end();
    if (it == items.end()) return;
    steps_.push_back("[]");
    if (matches()) {
      note();
      items.erase(it);
    }
    steps_.pop_back();
  }

  static bool hasKeys(const json::object& item, const json::object& keys, const FieldSchema& field) {
    return std::all_of(keys.begin(), keys.end(), [&](const auto& key) {
      if (const auto* own = item.if_contains(key.key())) return *own == key.value();
      const auto* f = field.type == nullptr ? nullptr : field.type->field(std::string_view(key.key()));
      return f != nullptr && f->defaultValue && *f->defaultValue == key.value();
    });
  }

  bool matches() const {
    if (steps_ == std::vector<std::string>{"metadata", "labels", kApplicationLabel}) return false;  // how we own it
    return patterns_.empty() ||
           std::any_of(patterns_.begin(), patterns_.end(), [&](const auto& p) { return covers(p, steps_); });
  }
  void note() { left_.push_back(pathText(steps_) + " to " + manager_); }

  const std::vector<std::vector<std::string>>& patterns_;
  std::string manager_;
  std::vector<std::string>& left_;
  std::vector<std::string> steps_;
};

void applyRule(json::object& body, const std::vector<FieldOwner>& owners, const TypeSchema* type,
               const std::vector<std::string>& managers, const std::vector<std::string>& paths,
               std::vector<std::string>& left) {
  std::vector<std::vector<std::string>> patterns;
  for (const auto& path : paths)
    if (auto steps = parsePathPattern(path)) patterns.push_back(std::move(*steps));
  if (patterns.empty() && !paths.empty()) return;  // all of them unreadable: that must not mean "everything"
  for (const auto& owner : owners) {
    if (owner.manager == kFieldManager || owner.subresource == "status") continue;
    if (!concernsManager(managers, owner.manager)) continue;
    Trimmer(patterns, owner.manager, left).object(body, owner.fields, type);
  }
}

}  // namespace

bool globMatches(std::string_view pattern, std::string_view text) {
  return ::fnmatch(std::string(pattern).c_str(), std::string(text).c_str(), 0) == 0;
}

bool OwnershipPolicy::concerns(const json::object& body) const {
  return !respectedManagers.empty() ||
         std::any_of(ignored.begin(), ignored.end(), [&](const auto& rule) { return concernsObject(rule, body); });
}

std::string pathPatternProblem(std::string_view pattern) {
  return parsePathPattern(pattern) ? "" : "is no path: write spec.replicas, /spec/replicas or a.b[name=x].c";
}

std::vector<std::string> leaveToOthers(json::object& body, const Object& live, const OwnershipPolicy& policy) {
  std::vector<std::string> left;
  if (!policy.concerns(body)) return left;
  const auto owners = readOwners(live.json());
  const auto* kind = SchemaRegistry::builtin().find(live.gvk());
  const TypeSchema* type = kind == nullptr ? nullptr : kind->type;
  if (!policy.respectedManagers.empty()) applyRule(body, owners, type, policy.respectedManagers, {}, left);
  for (const auto& rule : policy.ignored)
    if (concernsObject(rule, body)) applyRule(body, owners, type, rule.managers, rule.paths, left);
  return left;
}

}  // namespace steer
