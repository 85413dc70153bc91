// How the server would share itself out: flow schemas and priority levels.
#include <cmath>
#include <string>

#include "schemas/rules/reading.h"

namespace steer {
namespace {

bool hasWildcard(const json::array& list) {
  return std::any_of(list.begin(), list.end(), [](const json::value& item) { return item == "*"; });
}

/// Required, and "*" stands alone. True when the items are to be looked at.
bool checkWords(const FieldPath& at, const json::object& rule, std::string_view field, RuleReport& report) {
  const auto& list = items(rule, field);
  if (list.empty()) {
    report.required(at.field(field), std::string(field) + " must contain at least one value");
    return false;
  }
  if (!hasWildcard(list)) return true;
  if (list.size() > 1) report.invalid(at.field(field), nullptr, "if '*' is present, must not specify others");
  return false;
}

void checkVerbs(const FieldPath& at, const json::object& rule, RuleReport& report) {
  static const std::vector<std::string> kVerbs{"create", "delete", "deletecollection", "get",  "list",
                                               "patch",  "proxy",  "update",           "watch"};
  if (!checkWords(at, rule, "verbs", report)) return;
  const auto& list = items(rule, "verbs");
  const bool known = std::all_of(list.begin(), list.end(), [](const json::value& verb) {
    return verb.is_string() && std::find(kVerbs.begin(), kVerbs.end(), view(verb.get_string())) != kVerbs.end();
  });
  if (!known) report.unsupported(at.field("verbs"), nullptr, kVerbs);
}

NameProblem checkUrlPath(std::string_view path) {
  if (path.empty()) return "must not be empty";
  if (path == "/") return std::nullopt;
  if (!path.starts_with('/')) return "must start with slash";
  if (path.find(' ') != std::string_view::npos) return "must not contain white-space";
  if (path.find("//") != std::string_view::npos) return "must not contain double slash";
  const auto stars = std::count(path.begin(), path.end(), '*');
  if (stars > 1 || (stars == 1 && !path.ends_with("/*"))) return "wildcard can only do suffix matching";
  return std::nullopt;
}

void checkAccount(const FieldPath& at, const json::object& account, RuleReport& report) {
  const auto name = text(account, "name");
  if (checkPresent(at, account, "name", report) && name != "*")
    report.check(at.field("name"), name, checkDns1123Subdomain);
  if (checkPresent(at, account, "namespace", report))
    report.check(at.field("namespace"), text(account, "namespace"), checkDns1123Label);
}

void checkSubject(const FieldPath& at, const json::object& subject, RuleReport& report) {
  const auto kind = text(subject, "kind");
  const std::string own = kind == "ServiceAccount" ? "serviceAccount" : kind == "User" ? "user" : "group";
  if (!isOneOf(kind, {"Group", "ServiceAccount", "User"}))
    return report.unsupported(at.field("kind"), quoted(kind), {"Group", "ServiceAccount", "User"});
  for (const auto* other : {"user", "group", "serviceAccount"})
    if (own != other && given(subject, other) != nullptr)
      report.forbidden(at.field(other), std::string(other) + " is forbidden for a subject of this kind");
  const auto here = at.field(own);
  const auto* said = part(subject, own);
  if (said == nullptr) return report.required(here, own + " is required for a subject of this kind");
  if (kind == "ServiceAccount") checkAccount(here, *said, report);
  else checkPresent(here, *said, "name", report);
}

void checkResourceRule(const FieldPath& at, const json::object& rule, RuleReport& report) {
  checkVerbs(at, rule, report);
  checkWords(at, rule, "apiGroups", report);
  checkWords(at, rule, "resources", report);
  const auto& namespaces = items(rule, "namespaces");
  if (namespaces.empty() && flag(rule, "clusterScope")) return;
  if (!checkWords(at, rule, "namespaces", report)) return;
  eachText(at, rule, "namespaces",
           [&](const FieldPath& item, std::string_view name) { report.check(item, name, checkDns1123Label); });
}

void checkFlowRule(const FieldPath& at, const json::object& rule, RuleReport& report) {
  if (items(rule, "subjects").empty())
    report.required(at.field("subjects"), "subjects must contain at least one value");
  eachObject(at, rule, "subjects",
             [&](const FieldPath& here, const json::object& subject) { checkSubject(here, subject, report); });
  if (items(rule, "resourceRules").empty() && items(rule, "nonResourceRules").empty())
    report.required(at, "at least one of resourceRules and nonResourceRules has to be non-empty");
  eachObject(at, rule, "resourceRules",
             [&](const FieldPath& here, const json::object& one) { checkResourceRule(here, one, report); });
  eachObject(at, rule, "nonResourceRules", [&](const FieldPath& here, const json::object& one) {
    checkVerbs(here, one, report);
    if (!checkWords(here, one, "nonResourceURLs", report)) return;
    eachText(here, one, "nonResourceURLs",
             [&](const FieldPath& item, std::string_view path) { report.check(item, path, checkUrlPath(path)); });
  });
}

void checkPercent(const FieldPath& at, const json::object& level, RuleReport& report) {
  const auto percent = number(level, "lendablePercent");
  if (percent < 0 || percent > 100)
    report.invalid(at.field("lendablePercent"), percent, "must be between 0 and 100, inclusive");
}

void checkQueuing(const FieldPath& at, const json::object& queuing, RuleReport& report) {
  constexpr std::int64_t kMostQueues = 10'000'000;
  constexpr double kMostEntropy = 60;
  const auto queues = number(queuing, "queues");
  const auto hand = number(queuing, "handSize");
  for (const auto* field : {"queueLengthLimit", "queues", "handSize"})
    if (number(queuing, field) <= 0) report.invalid(at.field(field), number(queuing, field), "must be positive");
  if (queues > kMostQueues) report.invalid(at.field("queues"), queues, "must not be greater than 10000000");
  if (hand > queues)
    report.invalid(at.field("handSize"), hand, "should not be greater than queues (" + std::to_string(queues) + ")");
  else if (queues > 0 && std::ceil(std::log2(static_cast<double>(queues)) * static_cast<double>(hand)) > kMostEntropy)
    report.invalid(at.field("handSize"), hand, "required entropy bits should not be greater than 60");
}

void checkLimited(const FieldPath& at, const json::object& level, RuleReport& report) {
  checkNotNegative(at, level, "nominalConcurrencyShares", report);
  checkPercent(at, level, report);
  checkNotNegative(at, level, "borrowingLimitPercent", report);
  const auto here = at.field("limitResponse");
  const auto& response = members(level, "limitResponse");
  const auto type = text(response, "type");
  const auto* queuing = part(response, "queuing");
  const auto inside = here.field("queuing");
  checkEnum(here.field("type"), type, {"Queue", "Reject"}, report, Empty::unsupported);
  if (type == "Reject" && queuing != nullptr)
    report.forbidden(inside, "must be nil if limited.limitResponse.type is not Limited");
  if (type != "Queue") return;
  if (queuing == nullptr) report.required(inside, "must not be empty if limited.limitResponse.type is Limited");
  else checkQueuing(inside, *queuing, report);
}

}  // namespace

void checkFlowSchema(const json::object& object, RuleReport& report) {
  constexpr std::int64_t kLast = 10000;
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  const auto precedence = number(spec, "matchingPrecedence");
  const auto here = at.field("matchingPrecedence");
  if (precedence <= 0) report.invalid(here, precedence, "must be a positive value");
  if (precedence > kLast) report.invalid(here, precedence, "must not be greater than 10000");
  if (precedence == 1 && stringAt(object, {"metadata", "name"}) != "exempt")
    report.invalid(here, precedence, "only the schema named 'exempt' may have matchingPrecedence 1");
  if (const auto* method = part(spec, "distinguisherMethod")) {
    const auto inside = at.field("distinguisherMethod");
    checkEnum(inside.field("type"), text(*method, "type"), {"ByNamespace", "ByUser"}, report, Empty::unsupported);
  }
  const auto level = at.field("priorityLevelConfiguration");
  const auto& said = members(spec, "priorityLevelConfiguration");
  if (checkPresent(level, said, "name", report))
    report.check(level.field("name"), text(said, "name"), checkDns1123Subdomain);
  eachObject(at, spec, "rules",
             [&](const FieldPath& one, const json::object& rule) { checkFlowRule(one, rule, report); });
}

void checkPriorityLevel(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  const auto type = text(spec, "type");
  const auto* limited = part(spec, "limited");
  const auto* exempt = part(spec, "exempt");
  if ((stringAt(object, {"metadata", "name"}) == "exempt") != (type == "Exempt"))
    report.invalid(at.field("type"), quoted(type), "type must be 'Exempt' if and only if name is 'exempt'");
  const auto limitedAt = at.field("limited");
  const auto exemptAt = at.field("exempt");
  if (type == "Exempt") {
    if (limited != nullptr) report.forbidden(limitedAt, "must be nil if the type is not Limited");
    if (exempt == nullptr) return;
    checkNotNegative(exemptAt, *exempt, "nominalConcurrencyShares", report);
    checkPercent(exemptAt, *exempt, report);
  } else if (type == "Limited") {
    if (exempt != nullptr) report.forbidden(exemptAt, "must be nil if the type is Limited");
    if (limited == nullptr) report.required(limitedAt, "must not be empty when type is Limited");
    else checkLimited(limitedAt, *limited, report);
  } else {
    report.unsupported(at.field("type"), quoted(type), {"Exempt", "Limited"});
  }
}

}  // namespace steer
