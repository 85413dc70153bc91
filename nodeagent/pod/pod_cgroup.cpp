#include "nodeagent/pod/pod_cgroup.h"

#include <algorithm>

#include "core/quantity.h"
#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr std::int64_t kPeriod = 100'000;
constexpr std::int64_t kLeastQuota = 1'000;
constexpr std::int64_t kLeastShares = 2;
constexpr std::int64_t kMostShares = 262'144;

std::int64_t amount(const json::object& container, std::string_view list, std::string_view resource) {
  const auto* found = find(container, {"resources", list, resource});
  const auto quantity = found ? Quantity::fromJson(*found).valueOr({}) : Quantity{};
  return resource == "cpu" ? quantity.milli() : quantity.units();
}

std::int64_t cpuRequest(const json::object& container) {
  const auto asked = amount(container, "requests", "cpu");
  return asked != 0 ? asked : amount(container, "limits", "cpu");
}

/// What the pod needs at most at one time; 0 when `required` and a container says nothing.
template <class Of>
std::int64_t together(const Object& pod, bool required, Of of) {
  std::int64_t sidecars = 0, mains = 0, init = 0;
  for (const auto& spec : containersOf(pod)) {
    const auto value = of(*spec.json);
    if (required && value == 0) return 0;
    if (spec.role == ContainerRole::init) init = std::max(init, sidecars + value);
    else (spec.role == ContainerRole::sidecar ? sidecars : mains) += value;
  }
  return std::max(init, sidecars + mains);
}

std::int64_t sharesOf(std::int64_t milli) { return std::clamp(milli * 1024 / 1000, kLeastShares, kMostShares); }

/// Shares 2 … 262144 become weights 1 … 10000, as runtimes translate them.
std::int64_t weightOf(std::int64_t shares) { return 1 + (shares - 2) * 9999 / 262142; }

}  // namespace

std::string qosFolder(const Object& pod) {
  const auto qos = qosClassOf(pod);
  return qos == "Guaranteed" ? "" : qos == "Burstable" ? "/burstable" : "/besteffort";
}

std::string podCgroupOf(const std::string& nodeGroup, const Object& pod) {
  return nodeGroup + qosFolder(pod) + "/pod" + pod.uid();
}

std::vector<std::string> podCgroupsOf(const std::string& nodeGroup, const std::string& podUid) {
  return {nodeGroup + "/pod" + podUid, nodeGroup + "/burstable/pod" + podUid, nodeGroup + "/besteffort/pod" + podUid};
}

LinuxResources podResourcesOf(const Object& pod) {
  LinuxResources out;
  out.cpuShares = sharesOf(together(pod, false, cpuRequest));
  const auto cpu = together(pod, true, [](const auto& c) { return amount(c, "limits", "cpu"); });
  if (cpu > 0) {
    out.cpuPeriod = kPeriod;
    out.cpuQuota = std::max(cpu * kPeriod / 1000, kLeastQuota);
  }
  out.memoryLimit = together(pod, true, [](const auto& c) { return amount(c, "limits", "memory"); });
  return out;
}

std::int64_t burstableShares(const std::vector<ObjectPtr>& pods) {
  std::int64_t milli = 0;
  for (const auto& pod : pods)
    if (qosClassOf(*pod) == "Burstable") milli += together(*pod, false, cpuRequest);
  return sharesOf(milli);
}

std::vector<CgroupSetting> cgroupSettings(const LinuxResources& r, CgroupVersion version) {
  std::vector<CgroupSetting> out;
  const bool second = version == CgroupVersion::v2;
  const auto text = [](std::int64_t n) { return std::to_string(n); };
  if (r.cpuShares > 0)
    out.push_back(second ? CgroupSetting{"cpu", "cpu.weight", text(weightOf(r.cpuShares))}
                         : CgroupSetting{"cpu", "cpu.shares", text(r.cpuShares)});
  if (r.cpuQuota > 0 && second) out.push_back({"cpu", "cpu.max", text(r.cpuQuota) + " " + text(r.cpuPeriod)});
  if (r.cpuQuota > 0 && !second) {
    out.push_back({"cpu", "cpu.cfs_period_us", text(r.cpuPeriod)});
    out.push_back({"cpu", "cpu.cfs_quota_us", text(r.cpuQuota)});
  }
  if (r.memoryLimit > 0)
    out.push_back({"memory", second ? "memory.max" : "memory.limit_in_bytes", text(r.memoryLimit)});
  return out;
}

}  // namespace steer
