#include "cluster/scheduler/pod_needs.h"

#include <algorithm>

#include "core/quantity.h"

namespace steer {
namespace {

bool isNative(std::string_view name) { return name == "cpu" || name == "memory" || name == "ephemeral-storage"; }

void raise(Amounts& to, const Amounts& other) {
  to.milliCpu = std::max(to.milliCpu, other.milliCpu);
  to.memory = std::max(to.memory, other.memory);
  to.ephemeral = std::max(to.ephemeral, other.ephemeral);
  for (const auto& [name, amount] : other.extended)
    if (const auto have = to.of(name); amount > have) to.add({0, 0, 0, {{name, amount - have}}}, 1);
}

Amounts requestsOf(const json::value& container) { return amountsOf(objectAt(container, {"resources", "requests"})); }

/// The larger of what runs together and what each init container needs in its turn, beside the
/// sidecars that were started before it.
Amounts podRequests(const json::object& spec) {
  Amounts together;
  for (const auto& container : arrayAt(spec, {"containers"})) together.add(requestsOf(container), 1);
  Amounts sidecars, peak;
  for (const auto& container : arrayAt(spec, {"initContainers"})) {
    const auto own = requestsOf(container);
    if (stringAt(container, {"restartPolicy"}) == "Always") {
      together.add(own, 1);
      sidecars.add(own, 1);
      raise(peak, sidecars);
    } else {
      Amounts moment = sidecars;
      moment.add(own, 1);
      raise(peak, moment);
    }
  }
  raise(together, peak);
  together.add(amountsOf(objectAt(spec, {"overhead"})), 1);
  return together;
}

std::vector<PortClaim> hostPortsOf(const json::object& spec) {
  std::vector<PortClaim> out;
  const bool hostNetwork = boolAt(spec, {"hostNetwork"});
  for (const auto& container : arrayAt(spec, {"containers"})) {
    for (const auto& port : arrayAt(container, {"ports"})) {
      const auto number = intAt(port, {"hostPort"}, hostNetwork ? intAt(port, {"containerPort"}) : 0);
      if (number == 0) continue;
      std::string ip(stringAt(port, {"hostIP"}));
      if (ip.empty()) ip = "0.0.0.0";
      out.push_back({std::move(ip), std::string(stringAt(port, {"protocol"}, "TCP")), number});
    }
  }
  return out;
}

/// Replicas of one owner, or of one service: they carry the same labels but for the revision.
std::string groupOf(const Object& pod) {
  if (pod.labels().empty()) return "";
  std::vector<std::string> parts;
  for (const auto& [key, value] : pod.labels()) {
    if (key == "pod-template-hash" || key == "controller-revision-hash") continue;
    const auto* text = value.if_string();
    parts.push_back(std::string(view(json::string(key))) + "=" + (text == nullptr ? "" : std::string(view(*text))));
  }
  std::sort(parts.begin(), parts.end());
  std::string out = pod.ns() + "/";
  for (const auto& part : parts) out += part + ",";
  return out;
}

bool sameField(const Object& a, const Object& b, std::string_view field) {
  const auto* x = find(a.spec(), {field});
  const auto* y = find(b.spec(), {field});
  return x == nullptr || y == nullptr ? x == y : *x == *y;
}

}  // namespace

std::int64_t Amounts::of(std::string_view name) const {
  for (const auto& [have, amount] : extended)
    if (have == name) return amount;
  return 0;
}

void Amounts::add(const Amounts& other, int sign) {
  milliCpu += sign * other.milliCpu;
  memory += sign * other.memory;
  ephemeral += sign * other.ephemeral;
  for (const auto& [name, amount] : other.extended) {
    const auto at = std::lower_bound(extended.begin(), extended.end(), name,
                                     [](const auto& item, const std::string& key) { return item.first < key; });
    if (at != extended.end() && at->first == name) at->second += sign * amount;
    else extended.insert(at, {name, sign * amount});
  }
}

Amounts amountsOf(const json::object& quantities) {
  Amounts out;
  for (const auto& [key, value] : quantities) {
    const auto quantity = Quantity::fromJson(value);
    if (!quantity.ok()) continue;
    const std::string name(key.data(), key.size());
    if (name == "cpu") out.milliCpu = quantity->milli();
    else if (name == "memory") out.memory = quantity->units();
    else if (name == "ephemeral-storage") out.ephemeral = quantity->units();
    else if (!isNative(name) && name != "pods") out.add({0, 0, 0, {{name, quantity->units()}}}, 1);
  }
  return out;
}

bool PortClaim::clashes(const PortClaim& other) const {
  return port == other.port && protocol == other.protocol &&
         (ip == other.ip || ip == "0.0.0.0" || other.ip == "0.0.0.0");
}

bool PodNeeds::alike(const PodNeeds& other) const {
  if (requests != other.requests || hostPorts != other.hostPorts || group != other.group) return false;
  for (const char* field : {"nodeSelector", "affinity", "tolerations", "nodeName"})
    if (!sameField(*pod, *other.pod, field)) return false;
  return true;
}

PodNeeds needsOf(const ObjectPtr& pod) {
  PodNeeds out;
  out.pod = pod;
  out.requests = podRequests(pod->spec());
  out.hostPorts = hostPortsOf(pod->spec());
  out.group = groupOf(*pod);
  out.priority = intAt(pod->spec(), {"priority"});
  out.gated = !arrayAt(pod->spec(), {"schedulingGates"}).empty();
  return out;
}

}  // namespace steer
