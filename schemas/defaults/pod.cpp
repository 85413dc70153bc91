// Containers, probes, volumes and the pod around them.
#include "core/quantity.h"
#include "schemas/default_rules.h"

namespace steer {
namespace {

constexpr int kFileMode = 0644;

/// Whether the text names an image at all: lower case words, perhaps after a registry, with tag or digest.
bool isImageName(std::string_view image) {
  auto name = image.substr(0, image.find('@'));
  const auto slash = name.rfind('/');
  const auto colon = name.find(':', slash == std::string_view::npos ? 0 : slash);
  if (colon != std::string_view::npos) name = name.substr(0, colon);
  if (name.size() > 255) return false;
  // The registry may have capitals and a port.
  const auto first = name.substr(0, name.find('/'));
  const bool registry = first.size() < name.size() && !first.starts_with('.') &&
                        (first.find_first_of(".:") != std::string_view::npos || first == "localhost");
  if (registry) name.remove_prefix(first.size() + 1);
  while (true) {
    const auto part = name.substr(0, name.find('/'));
    const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    if (part.empty() || !good(part.front()) || !good(part.back())) return false;
    for (const char c : part)
      if (!good(c) && c != '.' && c != '_' && c != '-') return false;
    if (part.size() == name.size()) return true;
    name.remove_prefix(part.size() + 1);
  }
}

/// "Always" for images that move: without a tag, or tagged latest. A digest never moves.
std::string_view pullPolicyOf(std::string_view image) {
  if (image.find('@') != std::string_view::npos || !isImageName(image)) return "IfNotPresent";
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

/// What the pod as a whole asks for is what its containers do, or else its limit.
void requestsOfPod(json::object& spec) {
  const json::object limits = objectAt(spec, {"resources", "limits"});
  if (limits.empty()) return;
  auto& requests = ensureObject(ensureObject(spec, "resources"), "requests");
  for (const auto& [name, limit] : limits) {
    const bool known = name == "cpu" || name == "memory" || name.starts_with("hugepages-");
    if (!known || requests.contains(name)) continue;
    Quantity sum;
    bool asked = false;
    for (const auto& container : arrayAt(spec, {"containers"}))
      if (const auto* own = find(container, {"resources", "requests", std::string_view(name.data(), name.size())}))
        if (const auto amount = Quantity::fromJson(*own); amount.ok()) {
          sum += amount.value();
          asked = true;
        }
    requests[name] = asked ? json::value(sum.text()) : limit;
  }
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
  if (intAt(*spec, {"terminationGracePeriodSeconds"}) < 0) (*spec)["terminationGracePeriodSeconds"] = 1;
  forEachContainer(*spec, requestsFromLimits);
  requestsOfPod(*spec);
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
