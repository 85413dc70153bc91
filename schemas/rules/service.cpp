// Services.
#include <set>

#include "schemas/rules.h"

namespace steer {
namespace {

void checkServicePort(const FieldPath& at, const json::value& port, std::size_t count, RuleReport& report) {
  const auto name = stringAt(port, {"name"});
  if (name.empty() && count > 1) report.required(at.field("name"));
  if (!name.empty()) report.check(at.field("name"), name, checkDns1123Label);
  checkPortNumber(at.field("port"), find(port, {"port"}), report);
  const auto* target = find(port, {"targetPort"});
  if (target != nullptr && target->is_string() && !target->get_string().empty()) {
    const auto text = view(target->get_string());
    report.check(at.field("targetPort"), text, checkPortName);
  } else if (target != nullptr && asInt(*target) != 0) {
    checkPortNumber(at.field("targetPort"), target, report);
  }
  if (const auto* node = find(port, {"nodePort"}); node != nullptr && asInt(*node) != 0)
    checkPortNumber(at.field("nodePort"), node, report);
}

void checkAddresses(const FieldPath& spec, const json::object& object, RuleReport& report) {
  const auto cluster = stringAt(object, {"spec", "clusterIP"});
  if (!cluster.empty() && cluster != "None") report.check(spec.field("clusterIP"), cluster, checkAddress);
  for (const std::string_view name : {"clusterIPs", "externalIPs"}) {
    const auto list = spec.field(name);
    std::size_t i = 0;
    for (const auto& item : arrayAt(object, {"spec", name})) {
      const auto* text = item.if_string();
      const bool headless = text != nullptr && *text == "None" && name == "clusterIPs";
      if (text != nullptr && !headless) report.check(list.item(i), view(*text), checkAddress);
      ++i;
    }
  }
}

}  // namespace

void checkPortNumber(const FieldPath& at, const json::value* value, RuleReport& report) {
  const auto n = value == nullptr ? std::nullopt : asInt(*value);
  if (n && (*n < 1 || *n > 65535)) report.invalid(at, *value, "must be between 1 and 65535, inclusive");
}

void checkService(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto ports = spec.field("ports");
  const auto type = stringAt(object, {"spec", "type"});
  const bool headless = stringAt(object, {"spec", "clusterIP"}) == "None";
  const auto& list = arrayAt(object, {"spec", "ports"});
  if (type == "ExternalName") {
    if (stringAt(object, {"spec", "externalName"}).empty()) report.required(spec.field("externalName"));
  } else if (list.empty() && !headless) {
    report.required(ports);
  }
  if (headless && (type == "NodePort" || type == "LoadBalancer"))
    report.invalid(spec.field("clusterIP"), "None", "may not be set to 'None' for " + std::string(type) + " services");
  std::set<std::string> names;
  std::set<std::pair<std::string, std::int64_t>> numbers;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto at = ports.item(i);
    checkServicePort(at, list[i], list.size(), report);
    const std::string name(stringAt(list[i], {"name"}));
    if (!name.empty() && !names.insert(name).second) report.duplicate(at.field("name"), json::value(name));
    const std::string protocol(stringAt(list[i], {"protocol"}, "TCP"));
    const auto number = intAt(list[i], {"port"});
    if (number != 0 && !numbers.emplace(protocol, number).second)
      report.duplicate(at, json::value(protocol + " " + std::to_string(number)));
    if (intAt(list[i], {"nodePort"}) != 0 && (type.empty() || type == "ClusterIP"))
      report.forbidden(at.field("nodePort"), "may not be used when `type` is 'ClusterIP'");
  }
  checkAddresses(spec, object, report);
  const auto selector = spec.field("selector");
  checkLabels(selector, objectAt(object, {"spec", "selector"}), report);
}

}  // namespace steer
