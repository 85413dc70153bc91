// Containers, probes, volumes and the pod around them.
#include "schemas/default_rules.h"

namespace steer {
namespace {

constexpr int kFileMode = 0644;

/// "Always" for images that move: without a tag, or tagged latest. A digest never moves.
std::string_view pullPolicyOf(std::string_view image) {
  if (image.find('@') != std::string_view::npos) return "IfNotPresent";
  const auto slash = image.rfind('/');
  const auto name = slash == std::string_view::npos ? image : image.substr(slash + 1);
  const auto colon = name.rfind(':');
  return colon == std::string_view::npos || name.substr(colon + 1) == "latest" ? "Always" : "IfNotPresent";
}

void forEachContainer(json::object& spec, void (*visit)(json::object&)) {
  for (const auto* list : {"containers", "initContainers"}) {
    auto* containers = spec.if_contains(list);
    auto* items = containers == nullptr ? nullptr : containers->if_array();
    if (items == nullptr) continue;
    for (auto& item : *items)
      if (auto* container = item.if_object()) visit(*container);
  }
}

void requestsFromLimits(json::object& container) {
  const auto limits = objectAt(container, {"resources", "limits"});
  if (limits.empty()) return;
  auto& requests = ensureObject(ensureObject(container, "resources"), "requests");
  for (const auto& [name, limit] : limits)
    if (!requests.contains(name)) requests[name] = limit;
}

void hostPortsFromPorts(json::object& container) {
  auto* ports = container.if_contains("ports");
  auto* items = ports == nullptr ? nullptr : ports->if_array();
  if (items == nullptr) return;
  for (auto& item : *items)
    if (auto* port = item.if_object(); port != nullptr && port->contains("containerPort"))
      setIfZero(*port, "hostPort", port->at("containerPort"));
}

}  // namespace

void defaultContainer(json::object& container) {
  if (isZero(container, "imagePullPolicy") && !isZero(container, "image"))
    container["imagePullPolicy"] = pullPolicyOf(stringAt(container, {"image"}));
  setIfZero(container, "terminationMessagePath", "/dev/termination-log");
  setIfZero(container, "terminationMessagePolicy", "File");
  setIfAbsent(container, "resources", json::object());
}

void defaultProbe(json::object& probe) {
  setIfZero(probe, "timeoutSeconds", 1);
  setIfZero(probe, "periodSeconds", 10);
  setIfZero(probe, "successThreshold", 1);
  setIfZero(probe, "failureThreshold", 3);
}

void defaultHttpGet(json::object& action) {
  setIfZero(action, "path", "/");
  setIfZero(action, "scheme", "HTTP");
}

void defaultGrpc(json::object& action) { setIfAbsent(action, "service", ""); }

void defaultPodSpec(json::object& spec) {
  setIfZero(spec, "dnsPolicy", "ClusterFirst");
  setIfZero(spec, "restartPolicy", "Always");
  setIfAbsent(spec, "securityContext", json::object());
  setIfAbsent(spec, "terminationGracePeriodSeconds", 30);
  setIfZero(spec, "schedulerName", "default-scheduler");
  // The deprecated alias follows the name, in templates and pods alike.
  if (isZero(spec, "serviceAccountName") && !isZero(spec, "serviceAccount"))
    spec["serviceAccountName"] = spec["serviceAccount"];
  if (!isZero(spec, "serviceAccountName")) spec["serviceAccount"] = spec["serviceAccountName"];
}

void defaultPod(json::object& pod) {
  auto* member = pod.if_contains("spec");
  auto* spec = member == nullptr ? nullptr : member->if_object();
  if (spec == nullptr) return;
  // Only for pods: templates keep what their author wrote.
  setIfAbsent(*spec, "enableServiceLinks", true);
  forEachContainer(*spec, requestsFromLimits);
  if (boolAt(*spec, {"hostNetwork"})) forEachContainer(*spec, hostPortsFromPorts);
}

void defaultVolume(json::object& volume) {
  bool hasSource = false;
  for (const auto& [key, value] : volume) hasSource = hasSource || (key != "name" && value.is_object());
  if (!hasSource && volume.size() <= 1) volume["emptyDir"] = json::object();
}

void defaultMode(json::object& source) { setIfAbsent(source, "defaultMode", kFileMode); }
void defaultTokenProjection(json::object& projection) { setIfAbsent(projection, "expirationSeconds", 3600); }
void defaultHostPath(json::object& source) { setIfAbsent(source, "type", ""); }
void defaultObjectField(json::object& selector) { setIfZero(selector, "apiVersion", "v1"); }

}  // namespace steer
