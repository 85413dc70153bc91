// Custom resource definitions.
#include <set>

#include "schemas/rules/definition_rules.h"
#include "schemas/rules/webhook_client.h"

namespace steer {
namespace {

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

void checkKindName(const FieldPath& at, std::string_view kind, RuleReport& report) {
  if (kind.empty()) return report.required(at);
  if (const auto problem = checkDns1035Label(lower(kind)))
    report.invalid(at, quoted(kind), "may have mixed case, but should otherwise match: " + *problem);
}

void checkNames(const FieldPath& at, const json::object& said, RuleReport& report) {
  const auto name = [&](const char* field) {
    const auto value = text(said, field);
    if (value.empty()) report.required(at.field(field));
    else report.check(at.field(field), value, checkDns1035Label);
  };
  name("plural");
  name("singular");
  checkKindName(at.field("kind"), text(said, "kind"), report);
  checkKindName(at.field("listKind"), text(said, "listKind"), report);
  if (!text(said, "kind").empty() && text(said, "kind") == text(said, "listKind"))
    report.invalid(at.field("listKind"), quoted(text(said, "listKind")), "kind and listKind may not be the same");
  for (const auto* list : {"shortNames", "categories"})
    eachText(at, said, list,
             [&](const FieldPath& here, std::string_view word) { report.check(here, word, checkDns1035Label); });
}

/// ".spec.replicas": a path of names without array notation.
bool isPlainPath(std::string_view path) {
  if (!path.starts_with('.') || path.size() < 2) return false;
  return path.find_first_of("[]*") == std::string_view::npos && path.find("..") == std::string_view::npos;
}

void checkColumns(const FieldPath& at, const json::object& version, RuleReport& report) {
  eachObject(at, version, "additionalPrinterColumns", [&](const FieldPath& here, const json::object& column) {
    const auto type = text(column, "type");
    const auto format = text(column, "format");
    const auto path = text(column, "jsonPath");
    checkPresent(here, column, "name", report);
    if (type.empty()) report.required(here.field("type"));
    else if (!isOneOf(type, {"integer", "number", "string", "boolean", "date"}))
      report.invalid(here.field("type"), quoted(type), "must be one of boolean,date,integer,number,string");
    if (!format.empty() &&
        !isOneOf(format, {"int32", "int64", "float", "double", "byte", "date", "date-time", "password"}))
      report.invalid(here.field("format"), quoted(format),
                     "must be one of byte,date,date-time,double,float,int32,int64,password");
    if (path.empty()) report.required(here.field("JSONPath"));
    else if (!path.starts_with('.'))
      report.invalid(here.field("JSONPath"), quoted(path), "must be a simple json path starting with .");
  });
  eachObject(at, version, "selectableFields", [&](const FieldPath& here, const json::object& field) {
    const auto path = text(field, "jsonPath");
    if (path.empty()) report.required(here.field("jsonPath"));
    else if (!isPlainPath(path))
      report.invalid(here.field("jsonPath"), quoted(path), "must be a path of fields starting with .");
  });
}

void checkSubresources(const FieldPath& at, const json::object& version, RuleReport& report) {
  const auto* scale = find(version, {"subresources", "scale"});
  if (scale == nullptr || !scale->is_object()) return;
  const auto here = at.path("subresources.scale");
  const auto& said = scale->get_object();
  const std::pair<const char*, std::string_view> paths[] = {{"specReplicasPath", ".spec."},
                                                            {"statusReplicasPath", ".status."}};
  for (const auto& [field, begin] : paths) {
    const auto path = text(said, field);
    if (path.empty()) report.required(here.field(field));
    else if (!isPlainPath(path) || !path.starts_with(begin))
      report.invalid(here.field(field), quoted(path),
                     "should be a json path under " + std::string(begin.substr(0, begin.size() - 1)));
  }
  const auto selector = text(said, "labelSelectorPath");
  if (!selector.empty() &&
      (!isPlainPath(selector) || !(selector.starts_with(".spec.") || selector.starts_with(".status."))))
    report.invalid(here.field("labelSelectorPath"), quoted(selector),
                   "should be a json path under either .status or .spec");
}

/// What all versions say alike, findings name once, as Kubernetes' internal form has it.
bool sameInAll(const json::array& versions) {
  for (const auto& version : versions)
    for (const auto* part : {"schema", "subresources", "additionalPrinterColumns", "selectableFields"}) {
      const auto* first = find(versions[0], {part});
      const auto* own = find(version, {part});
      if ((first == nullptr) != (own == nullptr) || (first != nullptr && *first != *own)) return false;
    }
  return true;
}

void checkContents(const FieldPath& spec, const FieldPath& at, const json::object& version, bool hoisted,
                   RuleReport& report) {
  const auto& place = hoisted ? spec : at;
  const auto schema = place.field(hoisted ? "validation" : "schema");
  const auto* said = find(version, {"schema", "openAPIV3Schema"});
  if (said == nullptr || !said->is_object()) report.required(at.path("schema.openAPIV3Schema"), "schemas are required");
  else checkDefinitionSchema(schema.field("openAPIV3Schema"), said->get_object(), report);
  checkColumns(place, version, report);
  checkSubresources(place, version, report);
}

void checkVersions(const FieldPath& spec, const json::object& said, RuleReport& report) {
  const auto list = spec.field("versions");
  const auto& versions = items(said, "versions");
  std::set<std::string, std::less<>> names;
  std::size_t stored = 0;
  bool unique = true;
  const bool hoisted = !versions.empty() && sameInAll(versions);
  std::size_t i = 0;
  eachObject(spec, said, "versions", [&](const FieldPath& at, const json::object& version) {
    const auto name = text(version, "name");
    report.check(at.field("name"), name, checkDns1035Label);
    if (i == 0 && !name.empty() && checkDns1035Label(name))
      report.check(spec.field("version"), name, checkDns1035Label);
    unique = names.emplace(name).second && unique;
    stored += flag(version, "storage") ? 1U : 0U;
    if (given(version, "deprecationWarning") != nullptr) {
      const auto warning = text(version, "deprecationWarning");
      if (!flag(version, "deprecated") || warning.empty() || warning.size() > 256)
        report.invalid(at.field("deprecationWarning"), quoted(warning),
                       "can only be set for deprecated versions, not empty, at most 256 bytes");
    }
    if (i++ == 0 || !hoisted) checkContents(spec, at, version, hoisted, report);
  });
  if (!unique) report.invalid(list, nullptr, "must contain unique version names");
  if (stored == 1) return;
  report.invalid(list, nullptr, "must have exactly one version marked as storage version",
                 "set storage: true on one version and false on the others");
  if (stored == 0 && report.creating()) {
    const FieldPath root;
    report.invalid(root.path("status.storedVersions"), nullptr, "must have at least one stored version");
  }
}

void checkConversion(const FieldPath& spec, const json::object& said, RuleReport& report) {
  const auto* conversion = part(said, "conversion");
  if (conversion == nullptr) return;
  const auto at = spec.field("conversion");
  const auto strategy = text(*conversion, "strategy");
  checkEnum(at.field("strategy"), strategy, {"None", "Webhook"}, report, Empty::required);
  const auto* webhook = part(*conversion, "webhook");
  const auto* client = webhook == nullptr ? nullptr : part(*webhook, "clientConfig");
  const auto clientAt = at.field("webhookClientConfig");
  const auto reviews = at.field("conversionReviewVersions");
  const bool reviewed = webhook != nullptr && !items(*webhook, "conversionReviewVersions").empty();
  if (strategy == "Webhook") {
    if (client == nullptr) report.required(clientAt, "required when strategy is set to Webhook");
    else checkWebhookClient(clientAt, *client, report);
    if (!reviewed) report.required(reviews);
  } else {
    if (client != nullptr) report.forbidden(clientAt, "should not be set when strategy is not set to Webhook");
    if (reviewed) report.forbidden(reviews, "should not be set when strategy is not set to Webhook");
  }
}

}  // namespace

void checkDefinition(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  const auto group = text(said, "group");
  const auto plural = stringAt(said, {"names", "plural"});
  if (group.empty()) report.required(spec.field("group"));
  else if (const auto problem = checkDns1123Subdomain(group))
    report.invalid(spec.field("group"), quoted(group), *problem);
  else if (group.find('.') == std::string_view::npos)
    report.invalid(spec.field("group"), quoted(group), "should be a domain with at least one dot");
  checkEnum(spec.field("scope"), text(said, "scope"), {"Cluster", "Namespaced"}, report, Empty::required);
  const auto names = spec.field("names");
  checkNames(names, members(said, "names"), report);
  const auto name = stringAt(object, {"metadata", "name"});
  const auto right = std::string(plural) + "." + std::string(group);
  if (const auto prefix = stringAt(object, {"metadata", "generateName"});
      report.creating() && !prefix.empty() && prefix != right)
    report.invalid(root.path("metadata.generateName"), quoted(prefix), "must be spec.names.plural+\".\"+spec.group");
  if (report.creating() && !name.empty() && name != right)
    report.invalid(root.path("metadata.name"), quoted(name), "must be spec.names.plural+\".\"+spec.group",
                   "write \"" + right + "\"");
  if (flag(said, "preserveUnknownFields"))
    report.invalid(spec.field("preserveUnknownFields"), true,
                   "must be false: set x-kubernetes-preserve-unknown-fields in the schema");
  checkVersions(spec, said, report);
  checkConversion(spec, said, report);
}

}  // namespace steer
