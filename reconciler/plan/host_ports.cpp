#include "reconciler/plan/host_ports.h"

#include <algorithm>
#include <vector>

namespace steer {
namespace {

struct HostPort {
  std::int64_t port = 0;
  std::string_view protocol;
  std::string_view address;
};

/// Wherever a kind keeps it: the pod's own spec, that of a template, or that of a template of jobs.
const json::object& podSpecOf(const json::object& object) {
  for (const auto* spec : {&objectAt(object, {"spec", "jobTemplate", "spec", "template", "spec"}),
                           &objectAt(object, {"spec", "template", "spec"}), &objectAt(object, {"spec"})})
    if (!arrayAt(*spec, {"containers"}).empty()) return *spec;
  return objectAt(object, {});
}

std::vector<HostPort> portsOf(const json::object& pod) {
  std::vector<HostPort> out;
  const bool ofHost = boolAt(pod, {"hostNetwork"});
  for (const char* list : {"containers", "initContainers"})
    for (const auto& container : arrayAt(pod, {list})) {
      if (list != std::string_view("containers") && stringAt(container, {"restartPolicy"}) != "Always") continue;
      for (const auto& port : arrayAt(container, {"ports"})) {
        const auto number = intAt(port, {"hostPort"}, ofHost ? intAt(port, {"containerPort"}) : 0);
        if (number != 0) out.push_back({number, stringAt(port, {"protocol"}, "TCP"), stringAt(port, {"hostIP"})});
      }
    }
  return out;
}

bool everywhere(std::string_view address) { return address.empty() || address == "0.0.0.0" || address == "::"; }

/// No node has both.
bool onOtherNodes(const json::object& one, const json::object& other) {
  const auto& theirs = objectAt(other, {"nodeSelector"});
  const auto& ours = objectAt(one, {"nodeSelector"});
  return std::any_of(ours.begin(), ours.end(), [&](const auto& wanted) {
    const auto* same = theirs.if_contains(wanted.key());
    return same != nullptr && *same != wanted.value();
  });
}

}  // namespace

std::string sharedHostPort(const json::object& one, const json::object& other) {
  const auto &left = podSpecOf(one), &right = podSpecOf(other);
  const auto ours = portsOf(left), theirs = portsOf(right);
  if (ours.empty() || theirs.empty() || onOtherNodes(left, right)) return "";
  for (const auto& a : ours)
    for (const auto& b : theirs)
      if (a.port == b.port && a.protocol == b.protocol &&
          (a.address == b.address || everywhere(a.address) || everywhere(b.address)))
        return std::to_string(a.port) + "/" + std::string(a.protocol);
  return "";
}

}  // namespace steer
