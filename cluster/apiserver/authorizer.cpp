#include "cluster/apiserver/authorizer.h"

#include <algorithm>
#include <array>

#include "cluster/apiserver/node_rights.h"
#include "cluster/apiserver/role_book.h"

namespace steer {
namespace {

template <std::size_t N>
bool oneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
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
  if (const auto node = nodeNameOf(who); !node.empty()) {
    if (nodeMay(node, q, view)) return {true, "concerns this node"};
    return {false, "no relationship found between node '" + node + "' and this object"};
  }
  if (isMember(who, "system:bootstrappers") && joiningMay(who, q, view)) return {true, "joins the cluster"};
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
