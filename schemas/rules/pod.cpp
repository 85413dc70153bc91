// Pods and everything inside: containers, ports, probes, mounts, resources.
#include <array>
#include <set>

#include "core/quantity.h"
#include "schemas/rules.h"

namespace steer {
namespace {

struct PodScope {
  std::set<std::string, std::less<>> volumes;
  std::set<std::string, std::less<>> containers;
};

void checkPorts(const FieldPath& at, const json::value& container, RuleReport& report) {
  const auto ports = at.field("ports");
  std::set<std::string, std::less<>> names;
  const auto& list = arrayAt(container, {"ports"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = ports.item(i);
    checkPortNumber(here.field("containerPort"), find(list[i], {"containerPort"}), report);
    if (intAt(list[i], {"hostPort"}) != 0) checkPortNumber(here.field("hostPort"), find(list[i], {"hostPort"}), report);
    const auto name = stringAt(list[i], {"name"});
    if (name.empty()) continue;
    report.check(here.field("name"), name, checkPortName);
    if (!names.emplace(name).second) report.duplicate(here.field("name"), json::value(jkey(name)));
  }
}

void checkEnv(const FieldPath& at, const json::value& container, RuleReport& report) {
  const auto env = at.field("env");
  const auto& list = arrayAt(container, {"env"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = env.item(i);
    const auto* name = find(list[i], {"name"});
    if (name != nullptr && name->is_string()) {
      if (name->get_string().empty()) report.required(here.field("name"));
      else report.check(here.field("name"), view(name->get_string()), checkEnvName);
    }
    const auto& from = objectAt(list[i], {"valueFrom"});
    const auto valueFrom = here.field("valueFrom");
    if (!from.empty() && !stringAt(list[i], {"value"}).empty())
      report.invalid(valueFrom, nullptr, "may not be specified when `value` is not empty");
    if (from.size() > 1) report.invalid(valueFrom, nullptr, "may not have more than one field specified at a time");
  }
}

std::string volumeHint(std::string_view name, const PodScope& scope) {
  const auto near = nearestName(name, {scope.volumes.begin(), scope.volumes.end()});
  return near.empty() ? "add a volume of this name to the pod's volumes" : "did you mean \"" + near + "\"?";
}

void checkMounts(const FieldPath& at, const json::value& container, const PodScope& scope, RuleReport& report) {
  const auto mounts = at.field("volumeMounts");
  const auto& list = arrayAt(container, {"volumeMounts"});
  std::set<std::string, std::less<>> paths;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = mounts.item(i);
    const auto name = stringAt(list[i], {"name"});
    if (!name.empty() && !scope.volumes.contains(name))
      report.invalid(here.field("name"), json::value(jkey(name)), "no volume of the pod has this name",
                     volumeHint(name, scope));
    const auto path = stringAt(list[i], {"mountPath"});
    if (!path.empty() && !paths.emplace(path).second)
      report.invalid(here.field("mountPath"), json::value(jkey(path)), "must be unique");
    if (path.find(':') != std::string_view::npos)
      report.invalid(here.field("mountPath"), json::value(jkey(path)), "must not contain ':'");
    const auto sub = stringAt(list[i], {"subPath"});
    if (sub.starts_with("/") || sub == ".." || sub.starts_with("../") || sub.find("/../") != std::string_view::npos ||
        sub.ends_with("/.."))
      report.invalid(here.field("subPath"), json::value(jkey(sub)), "must be a relative path without '..'");
  }
}

/// Without a domain a resource is one of Kubernetes' own.
void checkResourceName(const FieldPath& at, std::string_view name, RuleReport& report) {
  const std::vector<std::string> known{"cpu", "memory", "ephemeral-storage"};
  if (name.find('/') != std::string_view::npos) return report.check(at, name, checkQualifiedName);
  if (name.starts_with("hugepages-") || std::find(known.begin(), known.end(), name) != known.end()) return;
  std::string near = name == "mem" || name == "ram" ? "memory" : nearestName(name, known);
  if (name == "gpu") near = "its full name, such as nvidia.com/gpu";
  if (near.empty()) near = "cpu, memory or ephemeral-storage";
  report.invalid(at, json::value(jkey(name)), "must be a standard resource for containers", "write " + near);
}

void checkResources(const FieldPath& at, const json::value& container, RuleReport& report) {
  const auto resources = at.field("resources");
  const auto requests = resources.field("requests");
  const auto limits = resources.field("limits");
  const auto& limit = objectAt(container, {"resources", "limits"});
  const auto amount = [&](const FieldPath& here, const json::value& value) -> std::optional<Quantity> {
    auto parsed = Quantity::fromJson(value);
    if (!parsed) return std::nullopt;  // a finding of the structure
    if (parsed.value() < Quantity()) report.invalid(here, value, "must be greater than or equal to 0");
    return parsed.value();
  };
  for (const auto& [name, value] : limit) {
    const auto here = limits.key({name.data(), name.size()});
    checkResourceName(here, {name.data(), name.size()}, report);
    (void)amount(here, value);
  }
  for (const auto& [name, value] : objectAt(container, {"resources", "requests"})) {
    const auto here = requests.key({name.data(), name.size()});
    if (!limit.contains(name)) checkResourceName(here, {name.data(), name.size()}, report);
    const auto asked = amount(here, value);
    const auto* most = limit.if_contains(name);
    const auto top = most == nullptr ? Result<Quantity>(makeError(Errc::invalid, "")) : Quantity::fromJson(*most);
    if (asked && top.ok() && *asked > top.value())
      report.invalid(here, value, "must be less than or equal to " + std::string(name.data(), name.size()) + " limit");
  }
}

/// Exactly one of the actions; their ports in range.
void checkAction(const FieldPath& at, const json::object& action, RuleReport& report) {
  std::size_t count = 0;
  for (const auto* name : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
    const auto* said = find(action, {name});
    if (said == nullptr || said->is_null()) continue;
    const auto here = at.field(name);
    if (++count > 1) report.forbidden(here, "may not specify more than 1 handler type");
    const auto* port = find(*said, {"port"});
    if (port == nullptr || !said->is_object()) continue;
    if (port->is_string()) report.check(here.field("port"), view(port->get_string()), checkPortName);
    else checkPortNumber(here.field("port"), port, report);
  }
  if (count == 0) report.required(at, "must specify a handler type");
}

void checkProbes(const FieldPath& at, const json::value& container, RuleReport& report) {
  for (const auto* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const auto* probe = find(container, {name});
    if (probe == nullptr || !probe->is_object()) continue;
    const auto here = at.field(name);
    checkAction(here, probe->get_object(), report);
    for (const auto* field :
         {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
      if (const auto n = intAt(*probe, {field}); n < 0)
        report.invalid(here.field(field), n, "must be greater than or equal to 0");
    if (std::string_view(name) != "readinessProbe" && intAt(*probe, {"successThreshold"}) > 1)
      report.invalid(here.field("successThreshold"), *find(*probe, {"successThreshold"}), "must be 1");
  }
  const auto lifecycle = at.field("lifecycle");
  for (const auto* name : {"postStart", "preStop"})
    if (const auto* hook = find(container, {"lifecycle", name}); hook != nullptr && hook->is_object())
      checkAction(lifecycle.field(name), hook->get_object(), report);
}

void checkContainers(const FieldPath& at, const json::array& list, PodScope& scope, RuleReport& report) {
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = at.item(i);
    const auto& container = list[i];
    if (!container.is_object()) continue;
    const auto name = stringAt(container, {"name"});
    if (name.empty()) {
      const auto* said = find(container, {"name"});
      if (said == nullptr || said->is_string() || said->is_null()) report.required(here.field("name"));
    } else {
      report.check(here.field("name"), name, checkDns1123Label);
      if (!scope.containers.emplace(name).second) report.duplicate(here.field("name"), json::value(jkey(name)));
    }
    const auto* image = find(container, {"image"});
    if (image == nullptr || image->is_null() || (image->is_string() && image->get_string().empty())) {
      report.required(here.field("image"));
    } else if (image->is_string()) {
      const auto text = view(image->get_string());
      if (text != text.substr(std::min(text.find_first_not_of(" \t\n"), text.size())) || text.ends_with(' '))
        report.invalid(here.field("image"), *image, "must not have leading or trailing whitespace");
    }
    checkPorts(here, container, report);
    checkEnv(here, container, report);
    checkMounts(here, container, scope, report);
    checkResources(here, container, report);
    checkProbes(here, container, report);
  }
}

void checkVolumes(const FieldPath& at, const json::object& spec, PodScope& scope, RuleReport& report) {
  const auto volumes = at.field("volumes");
  const auto& list = arrayAt(spec, {"volumes"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = volumes.item(i);
    const auto name = stringAt(list[i], {"name"});
    if (!name.empty()) {
      report.check(here.field("name"), name, checkDns1123Label);
      if (!scope.volumes.emplace(name).second) report.duplicate(here.field("name"), json::value(jkey(name)));
    }
    std::size_t sources = 0;
    if (const auto* volume = list[i].if_object())
      for (const auto& [key, value] : *volume) sources += key != "name" && value.is_object() ? 1U : 0U;
    if (sources > 1) report.forbidden(here, "may not specify more than 1 volume type");
    for (const auto& [source, field] : {std::pair{"configMap", "name"}, std::pair{"secret", "secretName"}}) {
      const auto* said = find(list[i], {source});
      if (said == nullptr || !said->is_object() || !stringAt(*said, {field}).empty()) continue;
      const auto inside = here.field(source);
      report.required(inside.field(field));
    }
  }
}

void checkTolerations(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto tolerations = at.field("tolerations");
  const auto& list = arrayAt(spec, {"tolerations"});
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto here = tolerations.item(i);
    const auto key = stringAt(list[i], {"key"});
    const auto op = stringAt(list[i], {"operator"});
    if (!key.empty()) report.check(here.field("key"), key, checkQualifiedName);
    if (key.empty() && op != "Exists")
      report.invalid(here.field("operator"), json::value(jkey(op)),
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    if (op == "Exists" && !stringAt(list[i], {"value"}).empty())
      report.invalid(here.field("operator"), json::value(jkey(op)), "value must be empty when `operator` is 'Exists'");
  }
}

void checkSpread(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto constraints = at.field("topologySpreadConstraints");
  std::size_t i = 0;
  for (const auto& said : arrayAt(spec, {"topologySpreadConstraints"})) {
    const auto here = constraints.item(i++);
    const auto* skew = find(said, {"maxSkew"});
    if (skew != nullptr && asInt(*skew) && *asInt(*skew) < 1)
      report.invalid(here.field("maxSkew"), *skew, "must be greater than zero");
    if (const auto key = stringAt(said, {"topologyKey"}); !key.empty())
      report.check(here.field("topologyKey"), key, checkQualifiedName);
    checkLabelSelector(here.field("labelSelector"), find(said, {"labelSelector"}), report);
  }
}

/// Two claims on one port of the node can never both be met. Init containers run before the others.
void checkHostPorts(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto containers = at.field("containers");
  const bool hostNetwork = boolAt(spec, {"hostNetwork"});
  std::set<std::string> taken;
  std::size_t i = 0;
  for (const auto& container : arrayAt(spec, {"containers"})) {
    const auto one = containers.item(i++);
    const auto ports = one.field("ports");
    std::size_t k = 0;
    for (const auto& port : arrayAt(container, {"ports"})) {
      const auto here = ports.item(k++);
      const auto number = intAt(port, {"hostPort"});
      if (number == 0) continue;
      const auto claim = std::string(stringAt(port, {"protocol"}, "TCP")) + "/" +
                         std::string(stringAt(port, {"hostIP"})) + "/" + std::to_string(number);
      if (!taken.insert(claim).second) report.duplicate(here.field("hostPort"), number);
      if (hostNetwork && number != intAt(port, {"containerPort"}))
        report.invalid(here.field("hostPort"), number, "must match `containerPort` when `hostNetwork` is true");
    }
  }
}

/// An init container that ends is never probed: only one that stays (a sidecar) is.
void checkInitProbes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto list = at.field("initContainers");
  std::size_t i = 0;
  for (const auto& container : arrayAt(spec, {"initContainers"})) {
    const auto here = list.item(i++);
    if (stringAt(container, {"restartPolicy"}) == "Always") continue;
    for (const auto* field : {"livenessProbe", "readinessProbe", "startupProbe", "lifecycle"})
      if (find(container, {field}) != nullptr)
        report.forbidden(here.field(field), "may not be set for init containers without restartPolicy=Always");
  }
}

}  // namespace

void checkPodSpec(const FieldPath& at, const json::object& spec, RuleReport& report,
                  const std::vector<std::string>& claims) {
  PodScope scope;
  checkVolumes(at, spec, scope, report);
  scope.volumes.insert(claims.begin(), claims.end());
  const auto containers = at.field("containers");
  const auto* list = find(spec, {"containers"});
  if (list == nullptr || list->is_null() || (list->is_array() && list->get_array().empty()))
    report.required(containers);
  checkContainers(at.field("initContainers"), arrayAt(spec, {"initContainers"}), scope, report);
  checkContainers(containers, arrayAt(spec, {"containers"}), scope, report);
  checkInitProbes(at, spec, report);
  checkHostPorts(at, spec, report);
  checkTolerations(at, spec, report);
  checkAffinity(at.field("affinity"), find(spec, {"affinity"}), report);
  checkSpread(at, spec, report);
  checkLabels(at.field("nodeSelector"), objectAt(spec, {"nodeSelector"}), report);
  if (const auto seconds = intAt(spec, {"terminationGracePeriodSeconds"}); seconds < 0)
    report.invalid(at.field("terminationGracePeriodSeconds"), seconds, "must be greater than or equal to 0");
  if (const auto* seconds = find(spec, {"activeDeadlineSeconds"});
      seconds != nullptr && asInt(*seconds) && *asInt(*seconds) < 1)
    report.invalid(at.field("activeDeadlineSeconds"), *seconds, "must be between 1 and 2147483647, inclusive");
}

void checkPod(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  checkPodSpec(spec, objectAt(object, {"spec"}), report);
}

}  // namespace steer
