// Nodes.
#include <set>

#include "schemas/rules/addresses.h"
#include "schemas/rules/reading.h"

namespace steer {

void checkNode(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto metadata = root.field("metadata");  // where Kubernetes reports taints
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  std::set<std::pair<std::string, std::string>> seen;
  eachObject(metadata, json::object{{"taints", items(said, "taints")}}, "taints",
             [&](const FieldPath& here, const json::object& taint) {
               const auto key = text(taint, "key");
               const auto effect = text(taint, "effect");
               report.check(here.field("key"), key, checkQualifiedName);
               report.check(here.field("value"), text(taint, "value"), checkLabelValue);
               checkEnum(here.field("effect"), effect, {"NoExecute", "NoSchedule", "PreferNoSchedule"}, report,
                         Empty::required);
               if (!seen.emplace(key, effect).second) report.duplicate(here, quoted(key));
             });
  const auto list = spec.field("podCIDRs");
  std::vector<std::string> ranges;
  for (const auto& item : items(said, "podCIDRs"))
    ranges.emplace_back(item.is_string() ? std::string(view(item.get_string())) : std::string());
  if (ranges.empty() && !text(said, "podCIDR").empty()) ranges.emplace_back(text(said, "podCIDR"));
  for (std::size_t i = 0; i < ranges.size(); ++i)
    if (const auto problem = checkCidr(ranges[i])) report.invalid(list.item(i), json::value(ranges[i]), *problem);
  const bool twins = ranges.size() == 2 && isIpv6(ranges[0]) == isIpv6(ranges[1]);
  if (ranges.size() > 2 || twins) report.invalid(list, nullptr, "may specify no more than one CIDR for each IP family");
}

}  // namespace steer
