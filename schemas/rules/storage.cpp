// Volumes and the claims on them.
#include "core/quantity.h"
#include "schemas/rules.h"

namespace steer {
namespace {

void checkAccessModes(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto here = at.field("accessModes");
  const auto& list = arrayAt(spec, {"accessModes"});
  if (list.empty()) return report.required(here, "at least 1 access mode is required");
  const std::vector<std::string> known{"ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"};
  bool alone = false;
  for (std::size_t i = 0; i < list.size(); ++i) {
    if (!list[i].is_string()) continue;
    const auto mode = view(list[i].get_string());
    alone = alone || mode == "ReadWriteOncePod";
    if (std::find(known.begin(), known.end(), mode) == known.end()) report.unsupported(here.item(i), list[i], known);
  }
  if (alone && list.size() > 1) report.forbidden(here, "may not use ReadWriteOncePod with other access modes");
}

void checkStorageAmount(const FieldPath& at, const json::object& amounts, RuleReport& report) {
  const auto here = at.key("storage");
  const auto* said = amounts.if_contains("storage");
  if (said == nullptr || said->is_null()) return report.required(here, "such as 10Gi");
  const auto amount = Quantity::fromJson(*said);
  if (amount.ok() && amount.value() <= Quantity()) report.invalid(here, *said, "must be greater than zero");
}

}  // namespace

void checkClaimSpec(const FieldPath& at, const json::object& spec, RuleReport& report) {
  checkAccessModes(at, spec, report);
  const auto resources = at.field("resources");
  const auto requests = resources.field("requests");
  checkStorageAmount(requests, objectAt(spec, {"resources", "requests"}), report);
  checkLabelSelector(at.field("selector"), find(spec, {"selector"}), report);
  if (const auto name = stringAt(spec, {"storageClassName"}); !name.empty())
    report.check(at.field("storageClassName"), name, checkDns1123Subdomain);
}

void checkClaim(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  checkClaimSpec(spec, objectAt(object, {"spec"}), report);
}

void checkVolume(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = objectAt(object, {"spec"});
  checkAccessModes(at, spec, report);
  const auto capacity = at.field("capacity");
  checkStorageAmount(capacity, objectAt(spec, {"capacity"}), report);
  std::size_t sources = 0;
  for (const auto& [key, value] : spec) {
    const bool other = key == "capacity" || key == "claimRef" || key == "nodeAffinity";
    if (!value.is_object() || other) continue;
    if (++sources > 1) report.forbidden(at.field({key.data(), key.size()}), "may not specify more than 1 volume type");
  }
  if (sources == 0) report.required(at, "must specify a volume type, such as hostPath, nfs, local or csi");
  const auto affinity = at.field("nodeAffinity");
  const auto* required = find(spec, {"nodeAffinity", "required"});
  if (find(spec, {"local"}) != nullptr && required == nullptr)
    report.required(affinity, "Local volume requires node affinity");
  checkNodeSelector(affinity.field("required"), required, report);
  if (const auto path = stringAt(spec, {"hostPath", "path"}); path.find("..") != std::string_view::npos) {
    const auto host = at.field("hostPath");
    report.invalid(host.field("path"), json::value(jkey(path)), "must not contain '..'");
  }
}

}  // namespace steer
