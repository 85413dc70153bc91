// Containers: names, ports, environment, mounts, devices, and how they restart.
#include <map>
#include <set>

#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

void checkPorts(const FieldPath& at, const json::object& container, RuleReport& report) {
  std::set<std::string, std::less<>> names;
  eachObject(at, container, "ports", [&](const FieldPath& here, const json::object& port) {
    if (const auto name = text(port, "name"); !name.empty()) {
      report.check(here.field("name"), name, checkPortName);
      if (!checkPortName(name) && !names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
    }
    const auto number = intAt(port, {"containerPort"});
    if (number == 0) report.required(here.field("containerPort"));
    else checkPortNumber(here.field("containerPort"), given(port, "containerPort"), report);
    if (intAt(port, {"hostPort"}) != 0) checkPortNumber(here.field("hostPort"), given(port, "hostPort"), report);
    checkEnum(here.field("protocol"), text(port, "protocol"), {"SCTP", "TCP", "UDP"}, report);
  });
}

std::string volumeHint(std::string_view name, const PodScope& scope) {
  std::vector<std::string> names;
  for (const auto& [known, volume] : scope.volumes) names.push_back(known);
  const auto near = nearestName(name, names);
  return near.empty() ? "add a volume of this name to the pod's volumes" : "did you mean \"" + near + "\"?";
}

using Names = std::set<std::string, std::less<>>;

Names valuesOf(const json::object& container, const char* list, const char* field) {
  Names out;
  for (const auto& item : items(container, list)) out.emplace(stringAt(item, {field}));
  return out;
}

void checkPropagation(const FieldPath& at, const json::object& mount, const json::object& container,
                      RuleReport& report) {
  if (given(mount, "mountPropagation") != nullptr) {
    const auto propagation = text(mount, "mountPropagation");
    checkEnum(at.field("mountPropagation"), propagation, {"Bidirectional", "HostToContainer", "None"}, report,
              Empty::unsupported);
    if (propagation == "Bidirectional" && !boolAt(container, {"securityContext", "privileged"}))
      report.forbidden(at.field("mountPropagation"),
                       "Bidirectional mount propagation is available only to privileged containers");
  }
  if (given(mount, "recursiveReadOnly") == nullptr) return;
  const auto recursive = text(mount, "recursiveReadOnly");
  const auto here = at.field("recursiveReadOnly");
  checkEnum(here, recursive, {"Disabled", "Enabled", "IfPossible"}, report, Empty::unsupported);
  if (recursive != "Enabled" && recursive != "IfPossible") return;
  if (!flag(mount, "readOnly")) report.forbidden(here, "may only be specified when `readOnly` is true");
  if (given(mount, "mountPropagation") != nullptr && text(mount, "mountPropagation") != "None")
    report.forbidden(here, "may only be specified when `mountPropagation` is None or not specified");
}

void checkMounts(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  const auto list = at.field("volumeMounts");
  const auto deviceNames = valuesOf(container, "volumeDevices", "name");
  const auto devicePaths = valuesOf(container, "volumeDevices", "devicePath");
  Names paths;
  std::size_t index = 0;
  eachObject(at, container, "volumeMounts", [&](const FieldPath& here, const json::object& mount) {
    const auto number = std::to_string(index++);
    const auto unnamed = list.within(number);  // some findings name the list alone, as Kubernetes' do
    const auto name = text(mount, "name");
    if (name.empty()) report.required(here.field("name"));
    if (!scope.volumes.contains(name)) report.notFound(here.field("name"), quoted(name), volumeHint(name, scope));
    const auto path = text(mount, "mountPath");
    if (path.empty()) report.required(here.field("mountPath"));
    if (!paths.emplace(path).second) report.invalid(here.field("mountPath"), quoted(path), "must be unique");
    if (deviceNames.contains(name))
      report.invalid(here.field("name"), quoted(name), "must not already exist in volumeDevices");
    if (devicePaths.contains(path))
      report.invalid(here.field("mountPath"), quoted(path), "must not already exist as a path in volumeDevices");
    const auto sub = text(mount, "subPath");
    const auto expression = text(mount, "subPathExpr");
    if (!sub.empty()) checkDescendingPath(unnamed.field("subPath"), sub, report);
    if (!expression.empty()) {
      if (!sub.empty())
        report.invalid(here.field("subPathExpr"), quoted(expression), "subPathExpr and subPath are mutually exclusive");
      checkDescendingPath(unnamed.field("subPathExpr"), expression, report);
    }
    checkPropagation(unnamed, mount, container, report);
  });
}

void checkDevices(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  const auto mountNames = valuesOf(container, "volumeMounts", "name");
  const auto mountPaths = valuesOf(container, "volumeMounts", "mountPath");
  Names names;
  Names paths;
  eachObject(at, container, "volumeDevices", [&](const FieldPath& here, const json::object& device) {
    const auto name = text(device, "name");
    const auto path = text(device, "devicePath");
    const auto volume = scope.volumes.find(name);
    if (name.empty()) report.required(here.field("name"));
    if (volume == scope.volumes.end()) report.notFound(here.field("name"), quoted(name), volumeHint(name, scope));
    else if (!volume->second)
      report.invalid(here.field("name"), quoted(name),
                     "can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode");
    if (path.empty()) report.required(here.field("devicePath"));
    if (!paths.emplace(path).second) report.invalid(here.field("devicePath"), quoted(path), "must be unique");
    if (!path.empty()) checkNoBacksteps(here.field("devicePath"), path, report);
    if (!names.emplace(name).second) report.invalid(here.field("name"), quoted(name), "must be unique");
    if (mountNames.contains(name))
      report.invalid(here.field("name"), quoted(name), "must not already exist in volumeMounts");
    if (mountPaths.contains(path))
      report.invalid(here.field("devicePath"), quoted(path), "must not already exist as a path in volumeMounts");
  });
}

void checkResizePolicy(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  const auto list = at.field("resizePolicy");
  Names seen;
  eachObject(at, container, "resizePolicy", [&](const FieldPath& here, const json::object& policy) {
    const auto resource = text(policy, "resourceName");
    const auto restart = text(policy, "restartPolicy");
    if (!seen.emplace(resource).second) report.duplicate(here, quoted(resource));
    checkEnum(list, resource, {"cpu", "memory"}, report, Empty::required);
    checkEnum(list, restart, {"NotRequired", "RestartContainer"}, report, Empty::required);
    if (scope.restartPolicy == "Never" && restart != "NotRequired")
      report.invalid(list, quoted(restart), "must be 'NotRequired' when `restartPolicy` is 'Never'");
  });
}

void checkRestartRules(const FieldPath& at, const json::object& container, RuleReport& report) {
  constexpr std::size_t kMostRules = 20;
  constexpr std::size_t kMostCodes = 255;
  const auto& rules = items(container, "restartPolicyRules");
  if (given(container, "restartPolicy") != nullptr)
    checkEnum(at.field("restartPolicy"), text(container, "restartPolicy"), {"Always", "Never", "OnFailure"}, report,
              Empty::unsupported);
  else if (!rules.empty())
    report.required(at.field("restartPolicy"), "must specify restartPolicy when restart rules are used");
  if (rules.size() > kMostRules) report.tooMany(at.field("restartPolicyRules"), kMostRules);
  eachObject(at, container, "restartPolicyRules", [&](const FieldPath& here, const json::object& rule) {
    checkEnum(here.field("action"), text(rule, "action"), {"Restart"}, report, Empty::unsupported);
    const auto codes = here.field("exitCodes");
    const auto* said = part(rule, "exitCodes");
    if (said == nullptr) return report.required(codes, "must be specified");
    checkEnum(codes.field("operator"), text(*said, "operator"), {"In", "NotIn"}, report, Empty::unsupported);
    const auto& values = items(*said, "values");
    if (values.size() > kMostCodes) report.tooMany(codes.field("values"), kMostCodes);
    if (values.empty()) report.required(codes.field("values"), "at least one exit code");
  });
}

void checkImage(const FieldPath& at, const json::object& container, RuleReport& report) {
  const auto image = text(container, "image");
  if (image.empty()) return report.required(at.field("image"));
  constexpr std::string_view kSpace = " \t\n\v\f\r";
  if (kSpace.find(image.front()) != std::string_view::npos || kSpace.find(image.back()) != std::string_view::npos)
    report.invalid(at.field("image"), quoted(image), "must not have leading or trailing whitespace");
}

void checkCommon(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  if (const auto name = text(container, "name"); name.empty()) report.required(at.field("name"));
  else report.check(at.field("name"), name, checkDns1123Label);
  checkImage(at, container, report);
  checkEnum(at.field("terminationMessagePolicy"), text(container, "terminationMessagePolicy"),
            {"FallbackToLogsOnError", "File"}, report);
  checkEnum(at.field("imagePullPolicy"), text(container, "imagePullPolicy"), {"Always", "IfNotPresent", "Never"},
            report);
  checkPorts(at, container, report);
  checkEnvironment(at, container, report);
  checkMounts(at, container, scope, report);
  checkDevices(at, container, scope, report);
  checkContainerResources(at.field("resources"), members(container, "resources"), scope, report);
  checkResizePolicy(at, container, scope, report);
  checkRestartRules(at, container, report);
  checkSecurityContext(at.field("securityContext"), part(container, "securityContext"), scope, report);
}

/// Two claims on one port of the node can never both be met.
void checkHostPorts(const FieldPath& at, const json::object& container, Names& taken, RuleReport& report) {
  eachObject(at, container, "ports", [&](const FieldPath& here, const json::object& port) {
    const auto number = intAt(port, {"hostPort"});
    if (number == 0) return;
    const auto claim =
        std::string(text(port, "protocol")) + "/" + std::string(text(port, "hostIP")) + "/" + std::to_string(number);
    if (!taken.insert(claim).second) report.duplicate(here.field("hostPort"), quoted(claim));
  });
}

/// An init container that ends is neither probed nor told to stop: only one that stays (a sidecar) is.
void checkEndingContainer(const FieldPath& at, const json::object& container, RuleReport& report) {
  for (const auto* field : {"lifecycle", "livenessProbe", "readinessProbe", "startupProbe"})
    if (given(container, field) != nullptr)
      report.forbidden(at.field(field), "may not be set for init containers without restartPolicy=Always");
}

bool isEmptyValue(const json::value& value) {
  if (const auto* o = value.if_object()) return o->empty();
  if (const auto* a = value.if_array()) return a->empty();
  return value.is_null();
}

}  // namespace

void checkEphemeralContainers(const FieldPath& at, const json::object& spec, const PodScope& scope,
                              RuleReport& report) {
  Names names;
  Names others;
  for (const auto* list : {"containers", "initContainers"})
    for (const auto& container : items(spec, list)) others.emplace(stringAt(container, {"name"}));
  eachObject(at, spec, "ephemeralContainers", [&](const FieldPath& here, const json::object& container) {
    checkCommon(here, container, scope, report);
    const auto name = text(container, "name");
    if (!name.empty() && (others.contains(name) || !names.emplace(name).second))
      report.duplicate(here.field("name"), quoted(name));
    if (const auto target = text(container, "targetContainerName"); !target.empty() && !others.contains(target))
      report.notFound(here.field("targetContainerName"), quoted(target));
    for (const auto* field :
         {"ports", "lifecycle", "livenessProbe", "readinessProbe", "startupProbe", "resources", "resizePolicy"})
      if (const auto* value = given(container, field);
          value != nullptr &&
          (value->is_object() && std::string_view(field) != "resources" ? true : !isEmptyValue(*value)))
        report.forbidden(here.field(field), "cannot be set for an Ephemeral Container");
    eachObject(here, container, "volumeMounts", [&](const FieldPath& mount, const json::object& said) {
      for (const auto* field : {"subPath", "subPathExpr"})
        if (!text(said, field).empty())
          report.forbidden(mount.field(field), "cannot be set for an Ephemeral Container");
    });
  });
}

void checkContainers(const FieldPath& at, const json::object& spec, const PodScope& scope, RuleReport& report) {
  if (items(spec, "containers").empty()) report.required(at.field("containers"));
  Names names;
  Names ports;
  eachObject(at, spec, "containers", [&](const FieldPath& here, const json::object& container) {
    checkCommon(here, container, scope, report);
    const auto name = text(container, "name");
    if (!name.empty() && !names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
    checkLifecycle(here, container, scope, report);
    checkProbes(here, container, scope, report);
    checkHostPorts(here, container, ports, report);
  });
  eachObject(at, spec, "initContainers", [&](const FieldPath& here, const json::object& container) {
    checkCommon(here, container, scope, report);
    const auto name = text(container, "name");
    if (!name.empty() && !names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
    if (text(container, "restartPolicy") == "Always") {
      checkLifecycle(here, container, scope, report);
      checkProbes(here, container, scope, report);
    } else {
      checkEndingContainer(here, container, report);
    }
    Names own;  // init containers run one after the other
    checkHostPorts(here, container, own, report);
  });
}

}  // namespace steer
