#include "cluster/apiserver/authorizer.h"

#include <algorithm>
#include <array>

#include "cluster/apiserver/role_book.h"

namespace steer {
namespace {

constexpr std::string_view kNodeUser = "system:node:";

bool reads(const AccessQuestion& q) { return q.verb == "get" || q.verb == "list" || q.verb == "watch"; }
bool edits(const AccessQuestion& q) { return q.verb == "update" || q.verb == "patch"; }

template <std::size_t N>
bool oneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// True when any string under `value` at a field that names secrets equals `name`.
bool mentionsSecret(const json::value& value, std::string_view name, bool inReference = false) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, item] : *object) {
      const bool reference = key == "secret" || key == "secretRef" || key == "secretKeyRef" ||
                             key == "imagePullSecrets" || key == "nodePublishSecretRef";
      if (const auto* text = item.if_string()) {
        if (view(*text) == name && (key == "secretName" || (inReference && key == "name"))) return true;
      } else if (mentionsSecret(item, name, reference)) {
        return true;
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array)
      if (mentionsSecret(item, name, inReference)) return true;
  }
  return false;
}

bool podOnNodeUses(const Snapshot& view, std::string_view node, const AccessQuestion& q) {
  for (const auto& pod : view.podsOnNode(node))
    if (pod->ns() == q.ns && mentionsSecret(pod->spec(), q.name)) return true;
  return false;
}

/// What is asked for in detail is judged when the token is given.
bool podOnNodeActsAs(const Snapshot& view, std::string_view node, const AccessQuestion& q) {
  for (const auto& pod : view.podsOnNode(node))
    if (pod->ns() == q.ns && stringAt(pod->spec(), {"serviceAccountName"}) == q.name) return true;
  return false;
}

bool nodeMayTouchPod(std::string_view node, const AccessQuestion& q, const Snapshot& view) {
  if (reads(q) && q.subresource.empty()) return true;
  if (q.name.empty()) return false;
  const auto pod = view.get("pods", q.ns, q.name);
  const bool mine = pod != nullptr && stringAt(pod->spec(), {"nodeName"}) == node;
  // A pod that is gone already: let the answer be "not found".
  const bool settled = pod == nullptr || mine;
  if (q.subresource == "status") return settled && edits(q);
  return settled && q.subresource.empty() && q.verb == "delete";
}

bool nodeMay(std::string_view node, const AccessQuestion& q, const Snapshot& view) {
  static constexpr std::array<std::string_view, 7> kReadable{
      "services",   "endpoints", "endpointslices.discovery.k8s.io", "configmaps",
      "namespaces", "nodes",     "replicationcontrollers"};
  if (q.resource.empty()) return q.verb == "get";
  if (q.resource == "pods") return nodeMayTouchPod(node, q, view);
  if (q.resource == "nodes" && !reads(q))
    return q.subresource.empty() ? (q.verb == "create" || edits(q)) && q.name == node
                                 : q.subresource == "status" && edits(q) && q.name == node;
  if (q.resource == "serviceaccounts")
    return q.verb == "create" && q.subresource == "token" && podOnNodeActsAs(view, node, q);
  if (q.resource == "secrets") return reads(q) && !q.name.empty() && podOnNodeUses(view, node, q);
  if (q.resource == "leases.coordination.k8s.io")
    return q.ns == "kube-node-lease" && q.name == node && (reads(q) || q.verb == "create" || edits(q));
  if (q.resource == "events" || q.resource == "events.events.k8s.io") return q.verb == "create" || edits(q);
  return reads(q) && q.subresource.empty() && oneOf(q.resource, kReadable);
}

bool everyoneMay(const AccessQuestion& q) {
  static constexpr std::array<std::string_view, 5> kOpen{"/version", "/healthz", "/livez", "/readyz", "/cacert"};
  return q.resource.empty() && q.verb == "get" && oneOf(q.path, kOpen);
}

bool discovers(const AccessQuestion& q) {
  return q.resource.empty() && q.verb == "get" &&
         (q.path.starts_with("/api") || q.path.starts_with("/openapi") || everyoneMay(q));
}

bool reviewsItself(const AccessQuestion& q) { return q.verb == "create" && q.resource.starts_with("selfsubject"); }

}  // namespace

bool isMember(const Identity& who, std::string_view group) {
  return std::find(who.groups.begin(), who.groups.end(), group) != who.groups.end();
}

AccessAnswer BuiltinAuthorizer::decide(const Identity& who, const AccessQuestion& q, const Snapshot& view) const {
  if (isMember(who, "system:masters")) return {true, "member of system:masters"};
  if (everyoneMay(q)) return {true, "open to everyone"};
  if (who.user.empty()) return {false, ""};
  if (who.user != "system:anonymous" && (discovers(q) || reviewsItself(q)))
    return {true, "open to everyone who is known"};
  if (isMember(who, "system:nodes") && who.user.starts_with(kNodeUser)) {
    const std::string_view node = std::string_view(who.user).substr(kNodeUser.size());
    if (nodeMay(node, q, view)) return {true, "concerns this node"};
    return {false, "no relationship found between node '" + std::string(node) + "' and this object"};
  }
  auto grant = bookOf(view)->grantOf(who, q);
  if (grant.empty()) return {false, ""};
  return {true, std::move(grant)};
}

std::vector<PolicyRule> BuiltinAuthorizer::rulesOf(const Identity& who, const std::string& ns,
                                                   const Snapshot& view) const {
  std::vector<PolicyRule> out;
  if (isMember(who, "system:masters")) out = {{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}};
  bookOf(view)->eachRule(who, ns, [&](const PolicyRule& rule, const std::string&) {
    out.push_back(rule);
    return true;
  });
  return out;
}

std::shared_ptr<const RoleBook> BuiltinAuthorizer::bookOf(const Snapshot& view) const {
  auto known = newest_.with([](const auto& newest) { return newest; });
  if (known != nullptr && known->describes(view)) return known;
  auto fresh = std::make_shared<const RoleBook>(view);
  newest_.with([&](auto& newest) { newest = fresh; });
  return fresh;
}

Error refusal(const Identity& who, const AccessQuestion& q, const AccessAnswer& answer) {
  if (who.user.empty()) return makeError(Errc::unauthorized, "Unauthorized");
  std::string text = "User \"" + who.user + "\" cannot " + q.verb;
  if (q.resource.empty()) {
    text = "forbidden: " + text + " path \"" + q.path + "\"";
  } else {
    const auto dot = q.resource.find('.');
    const std::string plural = q.resource.substr(0, dot);
    const std::string group = dot == std::string::npos ? "" : q.resource.substr(dot + 1);
    const std::string what = plural + (q.subresource.empty() ? "" : "/" + q.subresource);
    text += " resource \"" + what + "\" in API group \"" + group + "\" " +
            (q.ns.empty() ? "at the cluster scope" : "in the namespace \"" + q.ns + "\"");
    text = q.resource + (q.name.empty() ? "" : " \"" + q.name + "\"") + " is forbidden: " + text;
  }
  if (!answer.reason.empty()) text += ": " + answer.reason;
  return makeError(Errc::forbidden, std::move(text));
}

}  // namespace steer
