// Custom resource definitions.
#include <set>

#include "schemas/rules.h"

namespace steer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void checkKindName(const FieldPath& at, std::string_view kind, RuleReport& report) {
  if (kind.empty()) return;
  if (const auto problem = checkDns1035Label(lower(kind)))
    report.invalid(at, json::value(jkey(kind)), "may have mixed case, but should otherwise match: " + *problem);
}

void checkVersions(const FieldPath& spec, const json::object& object, RuleReport& report) {
  const auto versions = spec.field("versions");
  const auto& list = arrayAt(object, {"spec", "versions"});
  std::set<std::string, std::less<>> names;
  std::size_t stored = 0;
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto at = versions.item(i);
    const auto name = stringAt(list[i], {"name"});
    if (!name.empty()) {
      report.check(at.field("name"), name, checkDns1035Label);
      if (!names.emplace(name).second) report.duplicate(at.field("name"), json::value(jkey(name)));
    }
    stored += boolAt(list[i], {"storage"}) ? 1U : 0U;
    const auto schema = at.field("schema");
    const auto inside = schema.field("openAPIV3Schema");
    const auto* said = find(list[i], {"schema", "openAPIV3Schema"});
    if (said == nullptr || !said->is_object()) {
      report.required(inside, "schemas are required");
    } else if (const auto type = stringAt(*said, {"type"}); type.empty()) {
      report.required(inside.field("type"), "must be \"object\" at the root");
    } else if (type != "object") {
      report.invalid(inside.field("type"), json::value(jkey(type)), "must be object at the root");
    }
  }
  if (stored != 1)
    report.invalid(versions, nullptr, "must have exactly one version marked as storage version",
                   "set storage: true on one version and false on the others");
}

}  // namespace

void checkDefinition(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto names = spec.field("names");
  const auto group = stringAt(object, {"spec", "group"});
  const auto plural = stringAt(object, {"spec", "names", "plural"});
  if (!group.empty()) {
    report.check(spec.field("group"), group, checkDns1123Subdomain);
    if (group.find('.') == std::string_view::npos)
      report.invalid(spec.field("group"), json::value(jkey(group)), "should be a domain with at least one dot");
  }
  if (!plural.empty()) report.check(names.field("plural"), plural, checkDns1035Label);
  if (const auto singular = stringAt(object, {"spec", "names", "singular"}); !singular.empty())
    report.check(names.field("singular"), singular, checkDns1035Label);
  checkKindName(names.field("kind"), stringAt(object, {"spec", "names", "kind"}), report);
  checkKindName(names.field("listKind"), stringAt(object, {"spec", "names", "listKind"}), report);
  const auto scope = stringAt(object, {"spec", "scope"});
  if (scope != "Cluster" && scope != "Namespaced" && objectAt(object, {"spec"}).contains("scope"))
    report.unsupported(spec.field("scope"), json::value(jkey(scope)), {"Cluster", "Namespaced"});
  const auto metadata = root.field("metadata");
  const auto name = stringAt(object, {"metadata", "name"});
  const auto right = std::string(plural) + "." + std::string(group);
  if (!name.empty() && !plural.empty() && !group.empty() && name != right)
    report.invalid(metadata.field("name"), json::value(jkey(name)), "must be spec.names.plural+\".\"+spec.group",
                   "write \"" + right + "\"");
  checkVersions(spec, object, report);
}

}  // namespace steer
