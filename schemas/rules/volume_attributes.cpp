// Classes of volume attributes, and what they share with storage classes.
#include "schemas/rules/class_parameters.h"
#include "schemas/rules/reading.h"

namespace steer {

void checkProvisioner(const FieldPath& at, std::string_view name, RuleReport& report) {
  if (name.empty()) return report.required(at);
  std::string lowered(name);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  report.check(at, name, checkQualifiedName(lowered));
}

void checkParameters(const FieldPath& at, const json::object& parameters, RuleReport& report) {
  constexpr std::size_t kMostParameters = 512;
  constexpr std::size_t kLargest = 256 * 1024;
  std::size_t size = 0;
  for (const auto& [key, value] : parameters) {
    if (key.empty()) report.invalid(at, "", "field can not be empty.");
    size += key.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (parameters.size() > kMostParameters) report.tooLong(at, "may not be more than 512 bytes");
  if (size > kLargest) report.tooLong(at, "may not be more than 262144 bytes");
}

void checkVolumeAttributesClass(const json::object& object, RuleReport& report) {
  const FieldPath root;
  checkProvisioner(root.field("driverName"), text(object, "driverName"), report);
  const auto& parameters = members(object, "parameters");
  if (parameters.empty()) report.required(root.field("parameters"), "must contain at least one key/value pair");
  checkParameters(root.field("parameters"), parameters, report);
}

}  // namespace steer
