#include "nodeagent/pod/container_spec.h"

#include <array>

#include "core/quantity.h"

namespace steer {

namespace {

void collect(const Object& pod, std::string_view member, bool init, std::vector<ContainerSpec>& out) {
  for (const auto& item : arrayAt(pod.spec(), {member})) {
    const auto* container = item.if_object();
    if (!container) continue;
    const bool stays = init && stringAt(*container, {"restartPolicy"}) == "Always";
    const auto role = !init ? ContainerRole::main : stays ? ContainerRole::sidecar : ContainerRole::init;
    out.push_back({role, std::string(stringAt(*container, {"name"})), container});
  }
}

/// The quantity of one resource, zero when absent or unreadable.
Quantity quantityOf(const json::object& container, std::string_view list, std::string_view resource) {
  const auto* found = find(container, {"resources", list, resource});
  if (!found) return {};
  return Quantity::fromJson(*found).valueOr({});
}

}  // namespace

std::vector<ContainerSpec> containersOf(const Object& pod) {
  std::vector<ContainerSpec> out;
  collect(pod, "initContainers", true, out);
  collect(pod, "containers", false, out);
  return out;
}

const json::object* containerNamed(const Object& pod, std::string_view name) {
  for (const auto& spec : containersOf(pod))
    if (spec.name == name) return spec.json;
  return nullptr;
}

RestartPolicy restartPolicyOf(const Object& pod) {
  const auto text = stringAt(pod.spec(), {"restartPolicy"}, "Always");
  if (text == "Never") return RestartPolicy::never;
  if (text == "OnFailure") return RestartPolicy::onFailure;
  return RestartPolicy::always;
}

std::string qosClassOf(const Object& pod) {
  bool any = false;
  bool guaranteed = true;
  for (const auto& spec : containersOf(pod)) {
    for (const std::string_view resource : {"cpu", "memory"}) {
      const auto limit = quantityOf(*spec.json, "limits", resource);
      auto request = quantityOf(*spec.json, "requests", resource);
      if (request.isZero()) request = limit;
      if (!limit.isZero() || !request.isZero()) any = true;
      if (limit.isZero() || limit != request) guaranteed = false;
    }
  }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

std::int64_t terminationGraceSeconds(const Object& pod) {
  return intAt(pod.spec(), {"terminationGracePeriodSeconds"}, 30);
}

bool usesHostNetwork(const Object& pod) { return boolAt(pod.spec(), {"hostNetwork"}); }

bool isTerminalPhase(std::string_view phase) { return phase == "Succeeded" || phase == "Failed"; }

}  // namespace steer
