// Baseline: what reaches the node itself: its namespaces, paths, ports, and processes.
#include <algorithm>
#include <set>

#include "cluster/apiserver/admission/pod_security_checks.h"

namespace steer::pod_security {
namespace {

void checkNamespaces(const Pod& pod, Findings& out) {
  std::vector<std::string> shared;
  for (const char* field : {"hostNetwork", "hostPID", "hostIPC"})
    if (boolAt(pod.spec, {field})) shared.push_back(std::string(field) + "=true");
  if (!shared.empty()) out.push_back({"host namespaces", joined(shared, ", ")});
}

void checkVolumes(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  for (const auto& volume : arrayAt(pod.spec, {"volumes"}))
    if (find(volume, {"hostPath"}) != nullptr) names.emplace_back(stringAt(volume, {"name"}));
  if (!names.empty())
    out.push_back({"hostPath volumes", (names.size() == 1 ? "volume " : "volumes ") + quotedList(names)});
}

void checkPorts(const Pod& pod, Findings& out) {
  std::vector<std::string> names;
  std::set<std::int64_t> ports;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    bool any = false;
    for (const auto& port : arrayAt(container, {"ports"}))
      if (const auto number = intAt(port, {"hostPort"}); number != 0) {
        ports.insert(number);
        any = true;
      }
    if (any) names.push_back(name);
  });
  if (names.empty()) return;
  std::vector<std::string> numbers;
  for (const auto port : ports) numbers.push_back(std::to_string(port));
  out.push_back({"hostPort", containersText(names) + (names.size() == 1 ? " uses " : " use ") +
                                 (numbers.size() == 1 ? "hostPort " : "hostPorts ") + joined(numbers, ", ")});
}

/// Probes and lifecycle handlers that name a host are sent by the node to wherever that is.
void checkProbeHosts(const Pod& pod, Findings& out) {
  if (!pod.since(34)) return;
  std::vector<std::string> names;
  std::set<std::string> hosts;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    bool any = false;
    const auto look = [&](const json::value* handler) {
      if (handler == nullptr) return;
      for (const char* action : {"httpGet", "tcpSocket"})
        if (const auto host = stringAt(*handler, {action, "host"}); !host.empty()) {
          hosts.emplace(host);
          any = true;
        }
    };
    for (const char* probe : {"livenessProbe", "readinessProbe", "startupProbe"}) look(find(container, {probe}));
    for (const char* moment : {"postStart", "preStop"}) look(find(container, {"lifecycle", moment}));
    if (any) names.push_back(name);
  });
  if (!names.empty())
    out.push_back({"probe or lifecycle host", containersText(names) + (names.size() == 1 ? " uses " : " use ") +
                                                  "probe or lifecycle " + (hosts.size() == 1 ? "host " : "hosts ") +
                                                  quotedList({hosts.begin(), hosts.end()})});
}

void checkHostProcess(const Pod& pod, Findings& out) {
  std::vector<std::string> names, details;
  const auto asks = [](const json::object& of) {
    const auto* value = find(of, {"securityContext", "windowsOptions", "hostProcess"});
    return value != nullptr && value->is_bool() && value->get_bool();
  };
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (asks(container)) names.push_back(name);
  });
  const std::string what = " must not set securityContext.windowsOptions.hostProcess=true";
  if (asks(pod.spec)) details.push_back("pod" + what);
  if (!names.empty()) details.push_back(containersText(names) + what);
  if (!details.empty()) out.push_back({"hostProcess", joined(details, ", ")});
}

}  // namespace

void checkHost(const Pod& pod, bool volumes, Findings& out) {
  checkNamespaces(pod, out);
  if (volumes) checkVolumes(pod, out);
  checkPorts(pod, out);
  checkProbeHosts(pod, out);
  checkHostProcess(pod, out);
}

}  // namespace steer::pod_security
