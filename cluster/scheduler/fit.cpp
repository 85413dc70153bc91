#include "cluster/scheduler/fit.h"

#include <algorithm>
#include <charconv>

namespace steer {
namespace {

Refusal same(std::string text) { return {text, text}; }

std::string textOf(const json::value& v) {
  const auto* s = v.if_string();
  return s == nullptr ? std::string() : std::string(view(*s));
}

bool containsText(const json::array& values, std::string_view text) {
  return std::any_of(values.begin(), values.end(), [&](const json::value& v) { return textOf(v) == text; });
}

bool readNumber(std::string_view text, std::int64_t& out) {
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), out);
  return ec == std::errc{} && end == text.data() + text.size();
}

bool requirementHolds(const json::value& requirement, const json::value* actual) {
  const auto op = stringAt(requirement, {"operator"});
  const auto& values = arrayAt(requirement, {"values"});
  const std::string have = actual == nullptr ? std::string() : textOf(*actual);
  if (op == "Exists") return actual != nullptr;
  if (op == "DoesNotExist") return actual == nullptr;
  if (op == "In") return actual != nullptr && containsText(values, have);
  if (op == "NotIn") return actual == nullptr || !containsText(values, have);
  if (op != "Gt" && op != "Lt") return false;
  if (actual == nullptr || values.size() != 1) return false;
  std::int64_t left = 0, right = 0;
  if (!readNumber(have, left) || !readNumber(textOf(values[0]), right)) return false;
  return op == "Gt" ? left > right : left < right;
}

/// Expressions of a term are ANDed; a term without any matches nothing.
bool termHolds(const json::value& term, const Object& node) {
  const auto& expressions = arrayAt(term, {"matchExpressions"});
  const auto& fields = arrayAt(term, {"matchFields"});
  if (expressions.empty() && fields.empty()) return false;
  for (const auto& requirement : expressions)
    if (!requirementHolds(requirement, node.labels().if_contains(jkey(stringAt(requirement, {"key"}))))) return false;
  const json::value name(node.name());
  for (const auto& requirement : fields)
    if (stringAt(requirement, {"key"}) != "metadata.name" || !requirementHolds(requirement, &name)) return false;
  return true;
}

bool affinityHolds(const Object& pod, const Object& node) {
  for (const auto& [key, value] : objectAt(pod.spec(), {"nodeSelector"})) {
    const auto* have = node.labels().if_contains(key);
    if (have == nullptr || *have != value) return false;
  }
  const auto* required =
      find(pod.spec(), {"affinity", "nodeAffinity", "requiredDuringSchedulingIgnoredDuringExecution"});
  if (required == nullptr || required->is_null()) return true;
  const auto& terms = arrayAt(*required, {"nodeSelectorTerms"});
  return std::any_of(terms.begin(), terms.end(), [&](const json::value& term) { return termHolds(term, node); });
}

bool tolerates(const json::value& toleration, const json::value& taint) {
  const auto effect = stringAt(toleration, {"effect"});
  if (!effect.empty() && effect != stringAt(taint, {"effect"})) return false;
  const auto key = stringAt(toleration, {"key"});
  const bool exists = stringAt(toleration, {"operator"}) == "Exists";
  if (key.empty()) return exists;
  if (key != stringAt(taint, {"key"})) return false;
  return exists || stringAt(toleration, {"value"}) == stringAt(taint, {"value"});
}

bool toleratedBy(const Object& pod, const json::value& taint) {
  const auto& tolerations = arrayAt(pod.spec(), {"tolerations"});
  return std::any_of(tolerations.begin(), tolerations.end(),
                     [&](const json::value& toleration) { return tolerates(toleration, taint); });
}

bool cordoned(const Object& pod, const Object& node) {
  if (!boolAt(node.spec(), {"unschedulable"})) return false;
  return !toleratedBy(pod, json::object{{"key", "node.kubernetes.io/unschedulable"}, {"effect", "NoSchedule"}});
}

bool portsFree(const PodNeeds& needs, const NodeView& node) {
  for (const auto& port : needs.hostPorts)
    for (const auto& taken : node.hostPorts)
      if (port.clashes(taken)) return false;
  return true;
}

std::string taintText(const json::value& taint) {
  return "{" + std::string(stringAt(taint, {"key"})) + ": " + std::string(stringAt(taint, {"value"})) + "}";
}

}  // namespace

std::vector<Refusal> staticRefusals(const PodNeeds& needs, const NodeView& view) {
  const auto& pod = *needs.pod;
  const auto& node = *view.node;
  if (cordoned(pod, node)) return {{"node is cordoned", "nodes are cordoned"}};
  if (const auto wanted = stringAt(pod.spec(), {"nodeName"}); !wanted.empty() && wanted != view.name)
    return {same("node(s) didn't match the requested node name")};
  for (const auto& taint : arrayAt(node.spec(), {"taints"})) {
    const auto effect = stringAt(taint, {"effect"});
    if ((effect == "NoSchedule" || effect == "NoExecute") && !toleratedBy(pod, taint))
      return {same("node(s) had untolerated taint " + taintText(taint))};
  }
  if (!affinityHolds(pod, node)) return {same("node(s) didn't match Pod's node affinity/selector")};
  for (const auto& condition : arrayAt(node.status(), {"conditions"})) {
    if (stringAt(condition, {"type"}) != "Ready" || stringAt(condition, {"status"}) == "True") continue;
    // The taint that says so may not be there yet.
    const bool unknown = stringAt(condition, {"status"}) == "Unknown";
    const json::object taint{{"key", unknown ? "node.kubernetes.io/unreachable" : "node.kubernetes.io/not-ready"},
                             {"value", ""},
                             {"effect", "NoSchedule"}};
    if (!toleratedBy(pod, taint)) return {same("node(s) had untolerated taint " + taintText(taint))};
  }
  return {};
}

bool hasSpace(const PodNeeds& needs, const NodeView& node) {
  const auto fits = [](std::int64_t want, std::int64_t used, std::int64_t have) {
    return want == 0 || want <= have - used;
  };
  if (node.pods + 1 > node.podLimit) return false;
  if (!fits(needs.requests.milliCpu, node.used.milliCpu, node.allocatable.milliCpu)) return false;
  if (!fits(needs.requests.memory, node.used.memory, node.allocatable.memory)) return false;
  if (!fits(needs.requests.ephemeral, node.used.ephemeral, node.allocatable.ephemeral)) return false;
  for (const auto& [name, want] : needs.requests.extended)
    if (!fits(want, node.used.of(name), node.allocatable.of(name))) return false;
  return needs.hostPorts.empty() || portsFree(needs, node);
}

std::vector<Refusal> spaceRefusals(const PodNeeds& needs, const NodeView& node) {
  std::vector<Refusal> out;
  const auto check = [&](std::string_view name, std::int64_t want, std::int64_t used, std::int64_t have) {
    if (want > 0 && want > have - used) out.push_back(same("Insufficient " + std::string(name)));
  };
  if (!portsFree(needs, node)) out.push_back(same("node(s) didn't have free ports for the requested pod ports"));
  if (node.pods + 1 > node.podLimit) out.push_back(same("Too many pods"));
  check("cpu", needs.requests.milliCpu, node.used.milliCpu, node.allocatable.milliCpu);
  check("memory", needs.requests.memory, node.used.memory, node.allocatable.memory);
  check("ephemeral-storage", needs.requests.ephemeral, node.used.ephemeral, node.allocatable.ephemeral);
  for (const auto& [name, want] : needs.requests.extended)
    check(name, want, node.used.of(name), node.allocatable.of(name));
  return out;
}

std::int64_t preferredAffinity(const Object& pod, const Object& node) {
  std::int64_t sum = 0, most = 0;
  for (const auto& item :
       arrayAt(pod.spec(), {"affinity", "nodeAffinity", "preferredDuringSchedulingIgnoredDuringExecution"})) {
    const auto weight = intAt(item, {"weight"});
    most += weight;
    const auto* preference = find(item, {"preference"});
    if (preference != nullptr && termHolds(*preference, node)) sum += weight;
  }
  return most == 0 ? 0 : sum * 100 / most;
}

std::int64_t unwantedTaints(const Object& pod, const Object& node) {
  std::int64_t n = 0;
  for (const auto& taint : arrayAt(node.spec(), {"taints"}))
    if (stringAt(taint, {"effect"}) == "PreferNoSchedule" && !toleratedBy(pod, taint)) ++n;
  return n;
}

}  // namespace steer
