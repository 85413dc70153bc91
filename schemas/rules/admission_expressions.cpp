#include <set>

#include "schemas/rules/admission_rules.h"
#include "schemas/rules/reading.h"

namespace steer {
namespace {

using Kind = CelType::Kind;

CelType textObject(std::string name, std::initializer_list<const char*> members) {
  CelVariables out;
  for (const auto* member : members) out.emplace(member, CelType::of(Kind::text));
  return CelType::objectOf(std::move(name), std::move(out));
}

/// The request that is admitted; source: the fields of an AdmissionReview's request.
CelType requestType() {
  const auto kind = textObject("kubernetes.GroupVersionKind", {"group", "version", "kind"});
  const auto resource = textObject("kubernetes.GroupVersionResource", {"group", "version", "resource"});
  CelVariables user{{"username", CelType::of(Kind::text)},
                    {"uid", CelType::of(Kind::text)},
                    {"groups", CelType::named("list(string)")},
                    {"extra", CelType::named("map(string,list(string))")}};
  CelVariables out{{"kind", kind},
                   {"requestKind", kind},
                   {"resource", resource},
                   {"requestResource", resource},
                   {"userInfo", CelType::objectOf("kubernetes.UserInfo", std::move(user))},
                   {"dryRun", CelType::of(Kind::boolean)},
                   {"options", CelType()}};
  for (const auto* text : {"subResource", "requestSubResource", "name", "namespace", "operation"})
    out.emplace(text, CelType::of(Kind::text));
  return CelType::objectOf("kubernetes.AdmissionRequest", std::move(out));
}

bool isBlank(std::string_view said) { return said.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos; }

}  // namespace

CelVariables admissionVariables(Parameters parameters) {
  static const CelType kRequest = requestType();
  CelVariables out{{"object", {}}, {"oldObject", {}}, {"namespaceObject", {}}, {"request", kRequest}};
  if (parameters == Parameters::some) out.emplace("params", CelType());
  out.emplace("authorizer", CelType::named("Authorizer"));
  out.emplace("authorizer.requestResource", CelType::named("ResourceCheck"));
  return out;
}

void checkExpression(const FieldPath& at, const json::object& holder, std::string_view field,
                     const CelVariables& variables, const std::vector<CelType::Kind>& results, RuleReport& report) {
  const auto said = text(holder, field);
  if (isBlank(said)) return report.required(at.field(field), std::string(field) + " is not specified");
  if (const auto problem = celProblem(said, variables, results))
    report.invalid(at.field(field), quoted(said), *problem);
}

void checkMatchConditions(const FieldPath& at, const json::object& holder, const CelVariables& variables,
                          RuleReport& report) {
  constexpr std::size_t kMost = 64;
  if (items(holder, "matchConditions").size() > kMost) report.tooMany(at.field("matchConditions"), kMost);
  std::set<std::string, std::less<>> names;
  eachObject(at, holder, "matchConditions", [&](const FieldPath& here, const json::object& condition) {
    checkExpression(here, condition, "expression", variables, {Kind::boolean}, report);
    if (!checkPresent(here, condition, "name", report)) return;
    const auto name = text(condition, "name");
    report.check(here.field("name"), name, checkQualifiedName);
    if (!names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
  });
}

}  // namespace steer
