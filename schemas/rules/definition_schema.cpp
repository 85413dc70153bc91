#include "schemas/cel/checker.h"
#include "schemas/rules/definition_rules.h"

namespace steer {
namespace {

enum class Depth { root, nested };

/// Inside anyOf and the like only values are compared; what a value is, stands outside.
enum class Role { structure, comparison };

void checkSchema(const FieldPath& at, const json::object& schema, Depth depth, Role role, RuleReport& report);

const std::vector<std::string> kTypes{"array", "boolean", "integer", "number", "object", "string"};

void checkForbidden(const FieldPath& at, const json::object& schema, RuleReport& report) {
  if (given(schema, "$ref") != nullptr) report.forbidden(at.field("$ref"), "$ref is not supported");
  for (const auto* field : {"definitions", "dependencies", "patternProperties"})
    if (!members(schema, field).empty()) report.forbidden(at.field(field), std::string(field) + " is not supported");
  const auto dialect = text(schema, "$schema");
  if (!dialect.empty() && !dialect.starts_with("http://json-schema.org/"))
    report.invalid(at, quoted(dialect), "$schema must be an address of json-schema.org");
  if (!text(schema, "id").empty()) report.forbidden(at.field("id"), "id is not supported");
  if (given(schema, "additionalItems") != nullptr)
    report.forbidden(at.field("additionalItems"), "additionalItems is not supported");
  if (flag(schema, "uniqueItems"))
    report.forbidden(at.field("uniqueItems"),
                     "uniqueItems cannot be set to true since the runtime complexity becomes quadratic");
  if (text(schema, "type") == "null")
    report.forbidden(at.field("type"), "type cannot be set to null, use nullable as an alternative");
  const auto* more = given(schema, "additionalProperties");
  if (more != nullptr && more->is_bool() && !more->get_bool())
    report.forbidden(at.field("additionalProperties"), "additionalProperties cannot be set to false");
  if (more != nullptr && !members(schema, "properties").empty())
    report.forbidden(at.field("additionalProperties"), "additionalProperties and properties are mutual exclusive");
}

void checkType(const FieldPath& at, const json::object& schema, Depth depth, Role role, RuleReport& report) {
  const auto type = text(schema, "type");
  const auto here = at.field("type");
  if (role == Role::comparison) {
    if (!type.empty() && !flag(schema, "x-kubernetes-int-or-string"))
      report.forbidden(here, "must be empty to be structural");
    return;
  }
  const bool either = flag(schema, "x-kubernetes-int-or-string");
  const bool open = flag(schema, "x-kubernetes-preserve-unknown-fields");
  if (!type.empty()) checkEnum(here, type, kTypes, report);
  if (depth == Depth::root) {
    if (type.empty()) report.required(here, "must not be empty at the root");
    else if (type != "object") report.invalid(here, quoted(type), "must be object at the root");
    if (flag(schema, "nullable")) report.forbidden(at.field("nullable"), "nullable cannot be true at the root");
  } else if (type.empty() && !either && !open) {
    report.required(here, "must not be empty for specified object fields");
  }
  if (depth == Depth::nested && either && !type.empty())
    report.invalid(here, quoted(type), "must be empty if x-kubernetes-int-or-string is true");
  if (const auto* kept = given(schema, "x-kubernetes-preserve-unknown-fields"); kept != nullptr && !open)
    report.invalid(at.field("x-kubernetes-preserve-unknown-fields"), false, "must be true or undefined");
  if (flag(schema, "x-kubernetes-embedded-resource") && type != "object")
    report.invalid(here, quoted(type), "must be object if x-kubernetes-embedded-resource is true");
  if (type == "array" && given(schema, "items") == nullptr) report.required(at.field("items"), "must be specified");
}

void checkList(const FieldPath& at, const json::object& schema, RuleReport& report) {
  const auto* said = given(schema, "x-kubernetes-list-type");
  const auto list = text(schema, "x-kubernetes-list-type");
  const auto& keys = items(schema, "x-kubernetes-list-map-keys");
  const auto here = at.field("x-kubernetes-list-type");
  const auto keysAt = at.field("x-kubernetes-list-map-keys");
  if (said != nullptr) {
    if (text(schema, "type") != "array")
      report.invalid(at.field("type"), quoted(text(schema, "type")),
                     "must be array if x-kubernetes-list-type is specified");
    checkEnum(here, list, {"atomic", "map", "set"}, report, Empty::unsupported);
  }
  if (list == "map" && keys.empty()) report.required(keysAt, "must not be empty if x-kubernetes-list-type is map");
  if (list != "map" && !keys.empty()) {
    if (said == nullptr) report.required(here, "must be map if x-kubernetes-list-map-keys is non-empty");
    else report.invalid(here, quoted(list), "must be map if x-kubernetes-list-map-keys is non-empty");
  }
  if (const auto* mapType = given(schema, "x-kubernetes-map-type")) {
    if (text(schema, "type") != "object")
      report.invalid(at.field("type"), quoted(text(schema, "type")),
                     "must be object if x-kubernetes-map-type is specified");
    checkEnum(at.field("x-kubernetes-map-type"), mapType->is_string() ? view(mapType->get_string()) : "",
              {"atomic", "granular"}, report, Empty::unsupported);
  }
}

/// ".spec.size" leads to a property of the schema.
bool namesProperty(const json::object& schema, std::string_view path) {
  const json::object* at = &schema;
  if (path.starts_with("['")) return true;
  while (!path.empty()) {
    if (path.front() != '.') return path.front() == '[';
    path.remove_prefix(1);
    const auto name = path.substr(0, path.find_first_of(".["));
    path.remove_prefix(name.size());
    const auto* next = find(*at, {"properties", name});
    if (next == nullptr || !next->is_object()) return false;
    at = &next->get_object();
  }
  return true;
}

void checkExpression(const FieldPath& at, const json::object& rule, const CelVariables& seen, RuleReport& report) {
  const auto isBlank = [](std::string_view said) {
    return said.find_first_not_of(" \t\r\n") == std::string_view::npos;
  };
  const auto expression = text(rule, "rule");
  if (isBlank(expression)) return report.required(at.field("rule"), "rule is not specified");
  const auto own = [&] {
    auto out = seen;
    if (flag(rule, "optionalOldSelf")) out.insert_or_assign("oldSelf", CelType::optionalOf(seen.at("oldSelf")));
    return out;
  }();
  if (const auto problem = celProblem(expression, own, {CelType::Kind::boolean}))
    report.invalid(at.field("rule"), quoted(expression), *problem);
  const auto message = text(rule, "messageExpression");
  if (given(rule, "messageExpression") == nullptr || message.empty()) return;
  if (isBlank(message))
    return report.required(at.field("messageExpression"), "messageExpression must be non-empty if specified");
  if (const auto problem = celProblem(message, own, {CelType::Kind::text}))
    report.invalid(at.field("messageExpression"), quoted(message), *problem);
}

void checkExpressions(const FieldPath& at, const json::object& schema, Depth depth, RuleReport& report) {
  if (items(schema, "x-kubernetes-validations").empty()) return;
  const bool whole = depth == Depth::root || flag(schema, "x-kubernetes-embedded-resource");
  const auto self = celTypeOf(schema, whole ? CelScope::resource : CelScope::value);
  const CelVariables seen{{"self", self}, {"oldSelf", self}};
  eachObject(at, schema, "x-kubernetes-validations", [&](const FieldPath& here, const json::object& rule) {
    checkExpression(here, rule, seen, report);
    if (const auto message = text(rule, "message"); message.find('\n') != std::string_view::npos)
      report.invalid(here.field("message"), quoted(message), "message must not contain line breaks");
    if (given(rule, "reason") != nullptr)
      checkEnum(here.field("reason"), text(rule, "reason"),
                {"FieldValueDuplicate", "FieldValueForbidden", "FieldValueInvalid", "FieldValueRequired"}, report,
                Empty::unsupported);
    const auto path = text(rule, "fieldPath");
    if (!path.empty() && !namesProperty(schema, path))
      report.invalid(here.field("fieldPath"), quoted(path), "fieldPath must be a valid path of the schema");
  });
}

void checkInside(const FieldPath& at, const json::object& schema, Role role, RuleReport& report) {
  const auto one = [&](const FieldPath& here, const json::value* inner, Role as) {
    if (inner != nullptr && inner->is_object()) checkSchema(here, inner->get_object(), Depth::nested, as, report);
  };
  const auto properties = at.field("properties");
  for (const auto& [key, value] : members(schema, "properties")) {
    const auto here = properties.key({key.data(), key.size()});
    one(here, &value, role);
  }
  const auto items = at.field("items");
  const auto more = at.field("additionalProperties");
  const auto no = at.field("not");
  const auto* list = given(schema, "items");
  if (list != nullptr && list->is_array()) report.forbidden(items, "items must be a schema object and not an array");
  one(items, list, role);
  one(more, given(schema, "additionalProperties"), role);
  one(no, given(schema, "not"), Role::comparison);
  for (const auto* group : {"allOf", "anyOf", "oneOf"})
    eachObject(at, schema, group, [&](const FieldPath& here, const json::object& inner) {
      checkSchema(here, inner, Depth::nested, Role::comparison, report);
    });
}

void checkSchema(const FieldPath& at, const json::object& schema, Depth depth, Role role, RuleReport& report) {
  checkForbidden(at, schema, report);
  checkType(at, schema, depth, role, report);
  if (role == Role::structure) {
    checkList(at, schema, report);
    checkExpressions(at, schema, depth, report);
  } else {
    for (const auto* field : {"description", "title", "default", "nullable", "x-kubernetes-preserve-unknown-fields",
                              "x-kubernetes-embedded-resource", "additionalProperties"})
      if (const auto* value = given(schema, field);
          value != nullptr && *value != json::value(false) && *value != json::value(""))
        report.forbidden(at.field(field), "must be undefined to be structural");
  }
  checkInside(at, schema, role, report);
}

}  // namespace

void checkDefinitionSchema(const FieldPath& at, const json::object& schema, RuleReport& report) {
  checkSchema(at, schema, Depth::root, Role::structure, report);
}

}  // namespace steer
