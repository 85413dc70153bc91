#include "reconciler/health/words.h"

namespace steer::health {

const json::object* conditionOf(const Object& object, std::string_view type) {
  for (const auto& item : arrayAt(object.status(), {"conditions"}))
    if (stringAt(item, {"type"}) == type) return item.if_object();
  return nullptr;
}

bool conditionIs(const Object& object, std::string_view type, std::string_view status) {
  const auto* condition = conditionOf(object, type);
  return condition != nullptr && stringAt(*condition, {"status"}) == status;
}

std::string messageOf(const Object& object, std::string_view type, std::string fallback) {
  const auto* condition = conditionOf(object, type);
  if (condition == nullptr) return fallback;
  for (const char* field : {"message", "reason"})
    if (const auto text = stringAt(*condition, {field}); !text.empty()) return std::string(text);
  return fallback;
}

bool notObserved(const Object& object) {
  const auto* observed = find(object.status(), {"observedGeneration"});
  return object.generation() > 0 && (observed == nullptr || asInt(*observed).value_or(0) < object.generation());
}

std::string countText(std::int64_t have, std::int64_t want, std::string_view what) {
  return std::to_string(have) + " of " + countOf(want, "replica") + (want == 1 ? " is " : " are ") + std::string(what);
}

std::string countOf(std::int64_t n, std::string_view noun) {
  return std::to_string(n) + " " + std::string(noun) + (n == 1 ? "" : "s");
}

}  // namespace steer::health
