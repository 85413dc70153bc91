#include "cluster/apiserver/admission/pod_classes.h"

#include <algorithm>

#include "core/object.h"

namespace steer {
namespace {

constexpr const char* kPriorityClasses = "priorityclasses.scheduling.k8s.io";
constexpr const char* kRuntimeClasses = "runtimeclasses.node.k8s.io";
constexpr std::string_view kHandler = "runc";  ///< what the nodes' runtime has

struct Priority {
  std::int64_t value = 0;
  std::string policy = "PreemptLowerPriority";
};

Priority priorityOf(const Object& priorityClass) {
  return {intAt(priorityClass.json(), {"value"}),
          std::string(stringAt(priorityClass.json(), {"preemptionPolicy"}, "PreemptLowerPriority"))};
}

Error refused(const json::object& pod, const std::string& why) {
  return makeError(Errc::forbidden,
                   "pods \"" + std::string(stringAt(pod, {"metadata", "name"})) + "\" is forbidden: " + why);
}

/// The default of the cluster; of several the one with the lowest value.
ObjectPtr defaultClass(const Snapshot& view) {
  ObjectPtr out;
  view.each(kPriorityClasses, "", [&](const ObjectPtr& one) {
    if (!boolAt(one->json(), {"globalDefault"})) return;
    if (!out || intAt(one->json(), {"value"}) < intAt(out->json(), {"value"})) out = one;
  });
  return out;
}

}  // namespace

Result<void> resolvePriority(const Snapshot& view, json::object& pod) {
  auto& spec = ensureObject(pod, "spec");
  Priority priority;
  const std::string name(stringAt(spec, {"priorityClassName"}));
  if (name.empty()) {
    if (const auto fallback = defaultClass(view)) {
      spec["priorityClassName"] = fallback->name();
      priority = priorityOf(*fallback);
    }
  } else if (const auto named = view.get(kPriorityClasses, "", name)) {
    priority = priorityOf(*named);
  } else if (name == "system-cluster-critical" || name == "system-node-critical") {
    priority.value = name == "system-node-critical" ? 2000001000 : 2000000000;
  } else {
    return refused(pod, "no PriorityClass with name " + name + " was found");
  }
  if (const auto* own = find(spec, {"priority"}); own != nullptr && !own->is_null() && asInt(*own) != priority.value)
    return refused(pod, "the integer value of priority (" + std::to_string(asInt(*own).value_or(0)) +
                            ") must not be provided in pod spec; priority admission controller computed " +
                            std::to_string(priority.value) + " from the given PriorityClass name");
  const auto policy = stringAt(spec, {"preemptionPolicy"});
  if (!policy.empty() && policy != priority.policy)
    return refused(pod, "the string value of PreemptionPolicy (" + std::string(policy) +
                            ") must not be provided in pod spec; priority admission controller computed " +
                            priority.policy + " from the given PriorityClass name");
  spec["priority"] = priority.value;
  spec["preemptionPolicy"] = priority.policy;
  return {};
}

Result<void> resolveRuntimeClass(const Snapshot& view, json::object& pod) {
  auto& spec = ensureObject(pod, "spec");
  const std::string name(stringAt(spec, {"runtimeClassName"}));
  const auto& own = objectAt(spec, {"overhead"});
  const auto named = name.empty() ? nullptr : view.get(kRuntimeClasses, "", name);
  if (!name.empty() && named == nullptr) return refused(pod, "pod rejected: RuntimeClass \"" + name + "\" not found");
  const auto& overhead =
      named == nullptr ? objectAt(spec, {"none"}) : objectAt(named->json(), {"overhead", "podFixed"});
  if (overhead.empty() && !own.empty())
    return refused(pod, "pod rejected: Pod Overhead set without corresponding RuntimeClass defined Overhead");
  if (named == nullptr) return {};
  if (!own.empty() && own != overhead)
    return refused(pod, "pod rejected: Pod's Overhead doesn't match RuntimeClass's defined Overhead");
  if (const auto handler = stringAt(named->json(), {"handler"}); handler != kHandler)
    return refused(pod, "pod rejected: RuntimeClass \"" + name + "\" asks for handler \"" + std::string(handler) +
                            "\", which no node has; theirs is " + std::string(kHandler));
  if (!overhead.empty()) spec["overhead"] = overhead;
  for (const auto& [key, value] : objectAt(named->json(), {"scheduling", "nodeSelector"})) {
    auto& selector = ensureObject(spec, "nodeSelector");
    const auto* there = selector.if_contains(key);
    if (there != nullptr && *there != value)
      return refused(pod,
                     "conflict: runtimeClass.scheduling.nodeSelector[" + std::string(key) + "] and the pod's differ");
    selector[key] = value;
  }
  for (const auto& toleration : arrayAt(named->json(), {"scheduling", "tolerations"})) {
    auto& all = ensureArray(spec, "tolerations");
    if (std::find(all.begin(), all.end(), toleration) == all.end()) all.push_back(toleration);
  }
  return {};
}

}  // namespace steer
