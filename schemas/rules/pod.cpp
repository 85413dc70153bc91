// Pods: everything beside their containers and volumes.
#include <set>

#include "schemas/formats.h"
#include "schemas/rules/pod_rules.h"

namespace steer {

void checkTolerations(const FieldPath& at, const json::object& spec, RuleReport& report) {
  eachObject(at, spec, "tolerations", [&](const FieldPath& here, const json::object& toleration) {
    const auto key = text(toleration, "key");
    const auto op = text(toleration, "operator");
    const auto effect = text(toleration, "effect");
    const auto place = here.field("operator");
    if (!key.empty()) report.check(here.field("key"), key, checkQualifiedName);
    else if (op != "Exists")
      report.invalid(place, quoted(op),
                     "operator must be Exists when `key` is empty, which means \"match all values and all keys\"");
    if (given(toleration, "tolerationSeconds") != nullptr && effect != "NoExecute")
      report.invalid(here.field("effect"), quoted(effect),
                     "effect must be 'NoExecute' when `tolerationSeconds` is set");
    if (op == "Exists") {
      if (!text(toleration, "value").empty())
        report.invalid(place, quoted(text(toleration, "value")), "value must be empty when `operator` is 'Exists'");
    } else if (op.empty() || op == "Equal") {
      report.check(place, text(toleration, "value"), checkLabelValue);
    } else {
      report.unsupported(place, quoted(op), {"Equal", "Exists"});
    }
    checkEnum(here.field("effect"), effect, {"NoExecute", "NoSchedule", "PreferNoSchedule"}, report);
  });
}

namespace {

void checkSpreadKeys(const FieldPath& here, const json::object& said, RuleReport& report) {
  const auto& keys = items(said, "matchLabelKeys");
  if (keys.empty()) return;
  const auto* selector = part(said, "labelSelector");
  if (selector == nullptr)
    return report.forbidden(here.field("matchLabelKeys"), "must not be specified when labelSelector is not set");
  std::set<std::string, std::less<>> selected;
  for (const auto& [key, value] : members(*selector, "matchLabels")) selected.emplace(key);
  for (const auto& one : items(*selector, "matchExpressions")) selected.emplace(stringAt(one, {"key"}));
  eachText(here, said, "matchLabelKeys", [&](const FieldPath& item, std::string_view key) {
    report.check(item, key, checkQualifiedName);
    if (selected.contains(key)) report.invalid(item, quoted(key), "exists in both matchLabelKeys and labelSelector");
  });
}

void checkSpread(const FieldPath& at, const json::object& spec, RuleReport& report) {
  std::set<std::pair<std::string, std::string>> seen;
  eachObject(at, spec, "topologySpreadConstraints", [&](const FieldPath& here, const json::object& said) {
    const auto key = text(said, "topologyKey");
    const auto when = text(said, "whenUnsatisfiable");
    if (const auto skew = number(said, "maxSkew"); skew < 1)
      report.invalid(here.field("maxSkew"), skew, "must be greater than zero");
    if (key.empty()) report.required(here.field("topologyKey"), "can not be empty");
    else report.check(here.field("topologyKey"), key, checkQualifiedName);
    checkEnum(here.field("whenUnsatisfiable"), when, {"DoNotSchedule", "ScheduleAnyway"}, report, Empty::unsupported);
    if (!seen.emplace(key, when).second)
      report.duplicate(here.field("{topologyKey, whenUnsatisfiable}"),
                       quoted("{" + std::string(key) + ", " + std::string(when) + "}"));
    if (given(said, "minDomains") != nullptr) {
      const auto least = number(said, "minDomains");
      if (least < 1) report.invalid(here.field("minDomains"), least, "must be greater than zero");
      if (when != "DoNotSchedule")
        report.invalid(here.field("minDomains"), least, "can only use minDomains if whenUnsatisfiable=DoNotSchedule");
    }
    for (const auto* policy : {"nodeAffinityPolicy", "nodeTaintsPolicy"})
      if (given(said, policy) != nullptr)
        checkEnum(here.field(policy), text(said, policy), {"Honor", "Ignore"}, report, Empty::unsupported);
    checkSpreadKeys(here, said, report);
    checkLabelSelector(here.field("labelSelector"), given(said, "labelSelector"), report);
  });
}

/// On the host's network a container has the host's ports. Templates are defaulted when a pod is made of them.
void checkHostNetwork(const FieldPath& at, const json::object& spec, PodPlace place, RuleReport& report) {
  if (!flag(spec, "hostNetwork")) return;
  for (const auto* list : {"initContainers", "containers"})
    eachObject(at, spec, list, [&](const FieldPath& container, const json::object& said) {
      eachObject(container, said, "ports", [&](const FieldPath& here, const json::object& port) {
        const auto host = number(port, "hostPort");
        if (host == number(port, "containerPort") || (place == PodPlace::podTemplate && host == 0)) return;
        report.invalid(here.field("hostPort"), host, "must match `containerPort` when `hostNetwork` is true");
      });
    });
}

NameProblem checkSearch(std::string_view search) {
  if (search == ".") return std::nullopt;
  if (search.ends_with('.')) search.remove_suffix(1);
  std::string relaxed(search);  // underscores are allowed in searches
  std::replace(relaxed.begin(), relaxed.end(), '_', '0');
  return checkDns1123Subdomain(relaxed);
}

void checkDns(const FieldPath& at, const json::object& spec, RuleReport& report) {
  constexpr std::size_t kMostServers = 3;
  constexpr std::size_t kMostSearches = 32;
  constexpr std::size_t kLongestSearches = 2048;
  const auto policy = text(spec, "dnsPolicy");
  checkEnum(at.field("dnsPolicy"), policy, {"ClusterFirst", "ClusterFirstWithHostNet", "Default", "None"}, report);
  const auto here = at.field("dnsConfig");
  const auto* config = part(spec, "dnsConfig");
  if (policy == "None") {
    if (config == nullptr) return report.required(here, "must provide `dnsConfig` when `dnsPolicy` is None");
    if (items(*config, "nameservers").empty())
      report.required(here.field("nameservers"), "must provide at least one DNS nameserver when `dnsPolicy` is None");
  }
  if (config == nullptr) return;
  if (items(*config, "nameservers").size() > kMostServers)
    report.invalid(here.field("nameservers"), nullptr, "must not have more than 3 nameservers");
  eachText(here, *config, "nameservers",
           [&](const FieldPath& item, std::string_view address) { report.check(item, address, checkAddress); });
  std::size_t length = 0;
  for (const auto& search : items(*config, "searches"))
    length += search.is_string() ? search.get_string().size() + 1 : 1;
  if (items(*config, "searches").size() > kMostSearches)
    report.invalid(here.field("searches"), nullptr, "must not have more than 32 search paths");
  if (length > kLongestSearches + 1)
    report.invalid(here.field("searches"), nullptr,
                   "must not have more than 2048 characters (including spaces) in the "
                   "search list");
  eachText(here, *config, "searches",
           [&](const FieldPath& item, std::string_view search) { report.check(item, search, checkSearch(search)); });
  eachObject(here, *config, "options", [&](const FieldPath& item, const json::object& option) {
    if (text(option, "name").empty()) report.required(item, "must not be empty");
  });
}

void checkGates(const FieldPath& at, const json::object& spec, RuleReport& report) {
  eachObject(at, spec, "readinessGates", [&](const FieldPath& here, const json::object& gate) {
    report.check(here.field("conditionType"), text(gate, "conditionType"), checkQualifiedName);
  });
  std::set<std::string, std::less<>> names;
  eachObject(at, spec, "schedulingGates", [&](const FieldPath& here, const json::object& gate) {
    const auto name = text(gate, "name");
    report.check(here, name, checkQualifiedName);
    if (!names.emplace(name).second) report.duplicate(here, quoted(name));
  });
}

void checkResourceClaims(const FieldPath& at, const json::object& spec, PodScope& scope, RuleReport& report) {
  std::set<std::string, std::less<>> names;
  eachObject(at, spec, "resourceClaims", [&](const FieldPath& here, const json::object& claim) {
    const auto name = text(claim, "name");
    if (name.empty()) report.required(here.field("name"));
    else report.check(here.field("name"), name, checkDns1123Label);
    if (!name.empty() && !names.emplace(name).second) report.duplicate(here.field("name"), quoted(name));
    scope.claims.emplace_back(name);
    const bool byName = given(claim, "resourceClaimName") != nullptr;
    const bool byTemplate = given(claim, "resourceClaimTemplateName") != nullptr;
    if (byName && byTemplate)
      report.invalid(here, nullptr,
                     "at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified");
    if (!byName && !byTemplate)
      report.invalid(here, nullptr, "must specify one of: `resourceClaimName`, `resourceClaimTemplateName`");
    for (const auto* field : {"resourceClaimName", "resourceClaimTemplateName"})
      if (given(claim, field) != nullptr) report.check(here.field(field), text(claim, field), checkDns1123Subdomain);
  });
}

void checkNames(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto name = [&](const char* field, NameCheck rule) {
    if (const auto value = text(spec, field); !value.empty()) report.check(at.field(field), value, rule);
  };
  name("serviceAccountName", checkDns1123Subdomain);
  name("nodeName", checkDns1123Subdomain);
  name("hostname", checkDns1123Label);
  name("subdomain", checkDns1123Label);
  name("priorityClassName", checkDns1123Subdomain);
  if (given(spec, "runtimeClassName") != nullptr)
    report.check(at.field("runtimeClassName"), text(spec, "runtimeClassName"), checkDns1123Subdomain);
  eachObject(at, spec, "hostAliases", [&](const FieldPath& here, const json::object& alias) {
    report.check(here.field("ip"), text(alias, "ip"), checkAddress);
    eachText(here, alias, "hostnames",
             [&](const FieldPath& item, std::string_view host) { report.check(item, host, checkDns1123Subdomain); });
  });
}

void checkChoices(const FieldPath& at, const json::object& spec, RuleReport& report) {
  checkEnum(at.field("restartPolicy"), text(spec, "restartPolicy"), {"Always", "OnFailure", "Never"}, report);
  if (given(spec, "preemptionPolicy") != nullptr)
    checkEnum(at.field("preemptionPolicy"), text(spec, "preemptionPolicy"), {"Never", "PreemptLowerPriority"}, report,
              Empty::required);
  const auto* deadline = given(spec, "activeDeadlineSeconds");
  const auto seconds = deadline == nullptr ? std::nullopt : asInt(*deadline);
  if (seconds && (*seconds < 1 || *seconds > 2147483647))
    report.invalid(at.field("activeDeadlineSeconds"), *deadline, "must be between 1 and 2147483647, inclusive");
}

/// Ephemeral containers come into being through their subresource alone, and have neither ports nor probes.
void checkEphemeral(const FieldPath& at, const json::object& spec, const PodScope& scope, RuleReport& report) {
  if (items(spec, "ephemeralContainers").empty()) return;
  if (scope.place == PodPlace::podTemplate)
    report.forbidden(at.field("ephemeralContainers"), "ephemeral containers not allowed in pod template");
  else if (report.creating()) report.forbidden(at.field("ephemeralContainers"), "cannot be set on create");
  checkEphemeralContainers(at, spec, scope, report);
}

}  // namespace

void checkPodSpec(const FieldPath& at, const json::object& spec, RuleReport& report, const PodContext& context) {
  PodScope scope;
  scope.place = context.podTemplate ? PodPlace::podTemplate : PodPlace::pod;
  scope.restartPolicy = text(spec, "restartPolicy");
  scope.os = stringAt(spec, {"os", "name"});
  scope.graceSeconds = number(spec, "terminationGracePeriodSeconds", 30);
  if (const auto* users = given(spec, "hostUsers"); users != nullptr && users->is_bool())
    scope.hostUsers = users->get_bool();
  checkPodVolumes(at, spec, context.name, scope, report);
  for (const auto& claim : context.claims) scope.volumes.emplace(claim, true);
  checkResourceClaims(at, spec, scope, report);
  checkContainers(at, spec, scope, report);
  checkEphemeral(at, spec, scope, report);
  checkPodResources(at.field("resources"), spec, report);
  checkHostNetwork(at, spec, scope.place, report);
  checkDns(at, spec, report);
  checkLabels(at.field("nodeSelector"), members(spec, "nodeSelector"), report);
  checkPodSecurity(at, spec, report);
  checkAffinity(at.field("affinity"), given(spec, "affinity"), report);
  checkGates(at, spec, report);
  checkSpread(at, spec, report);
  checkNames(at, spec, report);
  checkChoices(at, spec, report);
  checkTolerations(at, spec, report);
  checkOverhead(at.field("overhead"), spec, report);
  checkPodOs(at, spec, report);
}

void checkPod(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto& said = members(object, "spec");
  checkPodSpec(spec, said, report, {.name = stringAt(object, {"metadata", "name"}), .claims = {}});
  if (report.creating() && !text(said, "nodeName").empty() && !items(said, "schedulingGates").empty())
    report.forbidden(spec.field("nodeName"), "cannot be set until all schedulingGates have been cleared");
  constexpr const char* kMirror = "kubernetes.io/config.mirror";
  if (objectAt(object, {"metadata", "annotations"}).contains(kMirror) && text(said, "nodeName").empty()) {
    const auto annotations = root.path("metadata.annotations");
    report.invalid(annotations.key(kMirror), "", "must set spec.nodeName if mirror pod annotation is set");
  }
}

}  // namespace steer
