#include "cluster/controllers/endpoint_facts.h"

#include <algorithm>

#include "cluster/controllers/pod_facts.h"
#include "core/selector.h"

namespace steer::endpointfacts {
namespace {

std::optional<std::int64_t> targetPort(const json::value& port, const Object& pod) {
  const auto* target = find(port, {"targetPort"});
  if (target == nullptr) return intAt(port, {"port"});
  if (const auto number = asInt(*target)) return *number != 0 ? *number : intAt(port, {"port"});
  const auto* name = target->if_string();
  if (name == nullptr) return std::nullopt;
  for (const char* list : {"containers", "initContainers"}) {
    for (const auto& container : arrayAt(pod.spec(), {list})) {
      if (list == std::string_view("initContainers") && stringAt(container, {"restartPolicy"}) != "Always") continue;
      for (const auto& candidate : arrayAt(container, {"ports"}))
        if (stringAt(candidate, {"name"}) == view(*name) &&
            stringAt(candidate, {"protocol"}, "TCP") == stringAt(port, {"protocol"}, "TCP"))
          return intAt(candidate, {"containerPort"});
    }
  }
  return std::nullopt;
}

/// What endpoints show of a pod.
bool looksTheSame(const Object& a, const Object& b) {
  return a.labels() == b.labels() && podfacts::ready(a) == podfacts::ready(b) && a.deleting() == b.deleting() &&
         stringAt(a.status(), {"phase"}) == stringAt(b.status(), {"phase"}) &&
         stringAt(a.status(), {"podIP"}) == stringAt(b.status(), {"podIP"}) &&
         arrayAt(a.status(), {"podIPs"}) == arrayAt(b.status(), {"podIPs"}) && a.uid() == b.uid() &&
         stringAt(a.spec(), {"nodeName"}) == stringAt(b.spec(), {"nodeName"});
}

}  // namespace

bool selects(const Object& service) {
  return !objectAt(service.spec(), {"selector"}).empty() && stringAt(service.spec(), {"type"}) != "ExternalName";
}

bool selected(const Object& service, const Object& pod) {
  return LabelSelector::fromMap(objectAt(service.spec(), {"selector"})).matches(pod.labels());
}

bool headless(const Object& service) { return stringAt(service.spec(), {"clusterIP"}) == "None"; }

std::string addressOf(const Object& pod, std::string_view family) {
  auto fits = [&](std::string_view ip) { return !ip.empty() && (ip.find(':') != ip.npos) == (family == "IPv6"); };
  for (const auto& item : arrayAt(pod.status(), {"podIPs"}))
    if (const auto ip = stringAt(item, {"ip"}); fits(ip)) return std::string(ip);
  const auto ip = stringAt(pod.status(), {"podIP"});
  return fits(ip) ? std::string(ip) : std::string();
}

std::vector<std::string> familiesOf(const Object& service) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(service.spec(), {"ipFamilies"}))
    if (const auto* s = item.if_string()) out.emplace_back(view(*s));
  if (out.empty()) out.emplace_back("IPv4");
  return out;
}

json::array portsFor(const Object& service, const Object& pod) {
  json::array out;
  for (const auto& port : arrayAt(service.spec(), {"ports"})) {
    const auto number = targetPort(port, pod);
    if (!number) continue;
    json::object shown{
        {"name", stringAt(port, {"name"})}, {"port", *number}, {"protocol", stringAt(port, {"protocol"}, "TCP")}};
    if (const auto app = stringAt(port, {"appProtocol"}); !app.empty()) shown["appProtocol"] = app;
    out.push_back(std::move(shown));
  }
  return out;
}

std::vector<ObjectPtr> backends(const Snapshot& snapshot, const Object& service) {
  const auto selector = LabelSelector::fromMap(objectAt(service.spec(), {"selector"}));
  std::vector<ObjectPtr> out;
  snapshot.each("pods", service.ns(), [&](const ObjectPtr& pod) {
    if (selector.matches(pod->labels()) && !podfacts::terminal(*pod) && !stringAt(pod->status(), {"podIP"}).empty())
      out.push_back(pod);
  });
  return out;
}

json::object targetRef(const Object& pod) {
  return {{"kind", "Pod"}, {"namespace", pod.ns()}, {"name", pod.name()}, {"uid", pod.uid()}};
}

std::string_view hostnameUnder(const Object& service, const Object& pod) {
  return stringAt(pod.spec(), {"subdomain"}) == service.name() ? stringAt(pod.spec(), {"hostname"})
                                                               : std::string_view();
}

std::vector<Controller::Key> keysForPod(const Snapshot& snapshot, const ObjectPtr& before, const ObjectPtr& after) {
  if (before && after && looksTheSame(*before, *after)) return {};
  std::vector<Controller::Key> keys;
  const auto& any = after ? after : before;
  snapshot.each("services", any->ns(), [&](const ObjectPtr& service) {
    if (!selects(*service)) return;
    if ((before && selected(*service, *before)) || (after && selected(*service, *after)))
      keys.push_back({service->ns(), service->name()});
  });
  return keys;
}

}  // namespace steer::endpointfacts
