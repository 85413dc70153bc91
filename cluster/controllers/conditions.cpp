#include "cluster/controllers/conditions.h"

#include "core/rfc3339.h"

namespace steer {

const json::object* findCondition(const json::object& status, std::string_view type) {
  for (const auto& item : arrayAt(status, {"conditions"}))
    if (stringAt(item, {"type"}) == type) return item.if_object();
  return nullptr;
}

bool conditionIs(const json::object& status, std::string_view type, std::string_view value) {
  const auto* condition = findCondition(status, type);
  return condition != nullptr && stringAt(*condition, {"status"}) == value;
}

void setCondition(json::object& status, const Condition& condition, Time now) {
  const auto* old = findCondition(status, condition.type);
  const bool sameStatus = old != nullptr && stringAt(*old, {"status"}) == condition.status;
  if (sameStatus && stringAt(*old, {"reason"}) == condition.reason && stringAt(*old, {"message"}) == condition.message)
    return;
  const std::string since = sameStatus ? std::string(stringAt(*old, {"lastTransitionTime"})) : formatTime(now);
  json::object fresh{{"type", condition.type}, {"status", condition.status}, {"lastTransitionTime", since}};
  if (!condition.reason.empty()) fresh["reason"] = condition.reason;
  if (!condition.message.empty()) fresh["message"] = condition.message;
  auto& all = ensureArray(status, "conditions");
  for (auto& item : all) {
    if (stringAt(item, {"type"}) != condition.type) continue;
    item = std::move(fresh);
    return;
  }
  all.push_back(std::move(fresh));
}

void removeCondition(json::object& status, std::string_view type) {
  auto* all = status.if_contains("conditions");
  if (all == nullptr || !all->is_array()) return;
  auto& items = all->get_array();
  for (auto it = items.begin(); it != items.end(); ++it) {
    if (stringAt(*it, {"type"}) != type) continue;
    items.erase(it);
    break;
  }
  if (items.empty()) status.erase("conditions");
}

}  // namespace steer
