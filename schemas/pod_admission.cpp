#include "schemas/pod_admission.h"

#include <algorithm>
#include <array>

#include "schemas/default_rules.h"

namespace steer {
namespace {

constexpr int kTolerationSeconds = 300;

/// The amount as it stands; nullptr when nothing or zero is asked for.
const json::value* amountOf(const json::value& container, std::string_view list, std::string_view resource) {
  const auto* amount = find(container, {"resources", list, resource});
  if (amount == nullptr || amount->is_null()) return nullptr;
  if (amount->is_number()) return asInt(*amount) == 0 ? nullptr : amount;
  const auto* text = amount->if_string();
  if (text == nullptr) return nullptr;
  const bool zero = std::none_of(text->begin(), text->end(), [](char c) { return c >= '1' && c <= '9'; });
  return zero ? nullptr : amount;
}

void tolerate(json::array& tolerations, std::string_view taint) {
  for (const auto& toleration : tolerations) {
    const auto key = stringAt(toleration, {"key"});
    const auto effect = stringAt(toleration, {"effect"});
    if ((key == taint || key.empty()) && (effect == "NoExecute" || effect.empty())) return;
  }
  tolerations.push_back(json::object{{"key", jkey(taint)},
                                     {"operator", "Exists"},
                                     {"effect", "NoExecute"},
                                     {"tolerationSeconds", kTolerationSeconds}});
}

}  // namespace

std::string_view qosClassOf(const json::object& pod) {
  bool any = false;
  bool guaranteed = true;
  for (const auto* list : {"containers", "initContainers"})
    for (const auto& container : arrayAt(pod, {"spec", list}))
      for (const auto* resource : {"cpu", "memory"}) {
        const auto* request = amountOf(container, "requests", resource);
        const auto* limit = amountOf(container, "limits", resource);
        any = any || request != nullptr || limit != nullptr;
        guaranteed = guaranteed && request != nullptr && limit != nullptr && *request == *limit;
      }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

void applyPodAdmissionDefaults(json::object& pod) {
  auto& spec = ensureObject(pod, "spec");
  setIfZero(spec, "serviceAccountName", "default");
  spec["serviceAccount"] = spec["serviceAccountName"];
  setIfAbsent(spec, "priority", 0);
  setIfAbsent(spec, "preemptionPolicy", "PreemptLowerPriority");
  auto& tolerations = ensureArray(spec, "tolerations");
  tolerate(tolerations, "node.kubernetes.io/not-ready");
  tolerate(tolerations, "node.kubernetes.io/unreachable");
  const std::string qos(qosClassOf(pod));
  auto& status = ensureObject(pod, "status");
  setIfZero(status, "phase", "Pending");
  setIfZero(status, "qosClass", json::value(qos));
}

}  // namespace steer
