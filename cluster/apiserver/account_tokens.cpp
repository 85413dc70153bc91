#include "cluster/apiserver/account_tokens.h"

#include <algorithm>

#include "cluster/apiserver/authorizer.h"
#include "cluster/apiserver/status_error.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::int64_t kLeastSeconds = 600;
constexpr std::int64_t kUsualSeconds = 3600;
constexpr std::int64_t kMostSeconds = std::int64_t{1} << 32;
constexpr std::string_view kNodeUser = "system:node:";

Error unauthorized(std::string why) { return makeError(Errc::unauthorized, std::move(why)); }

std::int64_t secondsOf(Time t) { return std::chrono::duration_cast<seconds>(t.time_since_epoch()).count(); }

Error forbiddenAccount(const std::string& name, const std::string& why) {
  return makeError(Errc::forbidden, "serviceaccounts \"" + name + "\" is forbidden: " + why);
}

/// What a token is bound to.
struct Binding {
  std::string resource;
  ObjectPtr object;
};

Result<Binding> boundObject(const Snapshot& view, const Object& account, const json::object& ref) {
  const auto kind = stringAt(ref, {"kind"});
  const std::string name(stringAt(ref, {"name"}));
  Binding out{kind == "Pod" ? "pods" : kind == "Secret" ? "secrets" : "", nullptr};
  if (out.resource.empty() || stringAt(ref, {"apiVersion"}, "v1") != "v1")
    return makeError(Errc::badRequest, "cannot bind token to object of type " +
                                           std::string(stringAt(ref, {"apiVersion"})) + ", Kind=" + std::string(kind));
  out.object = view.get(out.resource, account.ns(), name);
  if (out.object == nullptr) return makeError(Errc::notFound, out.resource + " \"" + name + "\" not found");
  if (const auto uid = stringAt(ref, {"uid"}); !uid.empty() && uid != out.object->uid())
    return makeError(Errc::conflict, "Operation cannot be fulfilled on " + out.resource + " \"" + name +
                                         "\": the UID in the bound object reference (" + std::string(uid) +
                                         ") does not match the UID in record. The object might have been deleted and "
                                         "then recreated");
  if (kind == "Pod" && stringAt(out.object->spec(), {"serviceAccountName"}) != account.name())
    return makeError(Errc::badRequest, "cannot bind token for serviceaccount \"" + account.name() +
                                           "\" to pod running with different serviceaccount name.");
  return out;
}

/// A node that could ask for any token could be anyone.
Result<void> admitNode(const Identity& who, const std::string& account, const Binding& bound) {
  if (!isMember(who, "system:nodes") || !who.user.starts_with(kNodeUser)) return {};
  if (bound.resource != "pods") return forbiddenAccount(account, "node requested token not bound to a pod");
  if (stringAt(bound.object->spec(), {"nodeName"}) != std::string_view(who.user).substr(kNodeUser.size()))
    return forbiddenAccount(account, "node requested token bound to a pod scheduled on a different node");
  return {};
}

json::object reference(const Object& object) { return {{"name", object.name()}, {"uid", object.uid()}}; }

json::object privateClaims(const Snapshot& view, const Object& account, const Binding& bound) {
  json::object out{{"namespace", account.ns()}, {"serviceaccount", reference(account)}};
  if (bound.object == nullptr) return out;
  out[bound.resource == "pods" ? "pod" : "secret"] = reference(*bound.object);
  if (bound.resource != "pods") return out;
  if (const auto node = view.get("nodes", "", stringAt(bound.object->spec(), {"nodeName"})))
    out["node"] = reference(*node);
  return out;
}

Result<std::int64_t> lifetimeOf(const json::object& spec, const std::string& name) {
  const auto wanted = intAt(spec, {"expirationSeconds"}, kUsualSeconds);
  std::string why;
  if (wanted < kLeastSeconds) why = "may not specify a duration less than 10 minutes";
  else if (wanted > kMostSeconds) why = "may not specify a duration larger than 2^32 seconds";
  if (why.empty()) return wanted;
  Cause cause = invalidValue("spec.expirationSeconds", std::to_string(wanted) + ": " + why);
  const std::string text =
      "TokenRequest.authentication.k8s.io \"" + name + "\" is invalid: " + cause.field + ": " + cause.message;
  return Error{Errc::invalid, text, {std::move(cause)}, 0};
}

std::vector<std::string> textsAt(const json::object& from, std::string_view key) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(from, {key}))
    if (const auto* text = item.if_string()) out.emplace_back(view(*text));
  return out;
}

/// The object that a claim names, with the same uid, is still there.
bool stillThere(const Snapshot& view, const char* resource, const std::string& ns, const json::object& claim) {
  const auto object = view.get(resource, ns, stringAt(claim, {"name"}));
  return object != nullptr && object->uid() == stringAt(claim, {"uid"});
}

void addExtra(Identity& who, const json::object& claims, const json::object& own) {
  const auto add = [&](const char* key, std::string_view value) {
    if (!value.empty()) who.extra[std::string("authentication.kubernetes.io/") + key] = {std::string(value)};
  };
  if (const auto id = stringAt(claims, {"jti"}); !id.empty()) add("credential-id", "JTI=" + std::string(id));
  add("pod-name", stringAt(own, {"pod", "name"}));
  add("pod-uid", stringAt(own, {"pod", "uid"}));
  add("node-name", stringAt(own, {"node", "name"}));
  add("node-uid", stringAt(own, {"node", "uid"}));
}

}  // namespace

Identity serviceAccountIdentity(const std::string& ns, const std::string& name, const std::string& uid) {
  return {kServiceAccountUser + ns + ":" + name,
          {"system:serviceaccounts", "system:serviceaccounts:" + ns, "system:authenticated"},
          uid,
          {}};
}

ServiceAccountName serviceAccountIn(std::string_view user) {
  if (!user.starts_with(kServiceAccountUser)) return {};
  user.remove_prefix(std::string_view(kServiceAccountUser).size());
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return {};
  return {std::string(user.substr(0, colon)), std::string(user.substr(colon + 1))};
}

Result<json::object> AccountTokens::issue(const Snapshot& view, const std::string& ns, const std::string& name,
                                          const json::object& request, const Identity& who) const {
  const auto account = view.get("serviceaccounts", ns, name);
  if (account == nullptr) return makeError(Errc::notFound, "serviceaccounts \"" + name + "\" not found");
  if (keys_ == nullptr) return makeError(Errc::unsupported, "this server gives no tokens for service accounts");
  const auto& spec = objectAt(request, {"spec"});
  STEER_TRY(const std::int64_t lifetime, lifetimeOf(spec, name));
  Binding bound;
  if (const auto* ref = find(spec, {"boundObjectRef"}); ref != nullptr && ref->is_object()) {
    STEER_TRY(bound, boundObject(view, *account, ref->get_object()));
  }
  STEER_CHECK(admitNode(who, name, bound));
  auto audiences = textsAt(spec, "audiences");
  if (audiences.empty()) audiences.emplace_back(kTokenIssuer);
  json::array aud;
  for (const auto& audience : audiences) aud.push_back(json::string(audience));
  const Time now = clock_.now();
  const json::object claims{{"aud", aud},
                            {"exp", secondsOf(now) + lifetime},
                            {"iat", secondsOf(now)},
                            {"iss", kTokenIssuer},
                            {"jti", random_.uuid()},
                            {"kubernetes.io", privateClaims(view, *account, bound)},
                            {"nbf", secondsOf(now)},
                            {"sub", kServiceAccountUser + ns + ":" + name}};
  STEER_TRY(const std::string token, keys_->sign(claims));
  json::object answered = spec;
  answered["audiences"] = std::move(aud);
  answered["expirationSeconds"] = lifetime;
  return json::object{{"kind", "TokenRequest"},
                      {"apiVersion", "authentication.k8s.io/v1"},
                      {"metadata", {{"name", name}, {"namespace", ns}, {"creationTimestamp", formatTime(now)}}},
                      {"spec", std::move(answered)},
                      {"status", {{"token", token}, {"expirationTimestamp", formatTime(now + seconds(lifetime))}}}};
}

Result<AccountTokens::Holder> AccountTokens::check(const Snapshot& view, std::string_view token,
                                                   std::vector<std::string> audiences) const {
  if (keys_ == nullptr) return unauthorized("this server accepts no tokens of service accounts");
  STEER_TRY(const json::object claims, keys_->verify(token));
  const auto now = secondsOf(clock_.now());
  if (stringAt(claims, {"iss"}) != kTokenIssuer) return unauthorized("the token is of another issuer");
  if (now >= intAt(claims, {"exp"})) return unauthorized("the token has expired");
  if (now < intAt(claims, {"nbf"})) return unauthorized("the token is not valid yet");
  if (audiences.empty()) audiences.emplace_back(kTokenIssuer);
  const auto meant = textsAt(claims, "aud");
  std::erase_if(audiences, [&](const auto& one) { return std::find(meant.begin(), meant.end(), one) == meant.end(); });
  if (audiences.empty()) return unauthorized("the token is meant for another audience");
  const auto& own = objectAt(claims, {"kubernetes.io"});
  const std::string ns(stringAt(own, {"namespace"}));
  const auto& account = objectAt(own, {"serviceaccount"});
  if (!stillThere(view, "serviceaccounts", ns, account)) return unauthorized("the token's service account is gone");
  for (const auto& [claim, resource] : {std::pair{"pod", "pods"}, {"secret", "secrets"}})
    if (own.contains(claim) && !stillThere(view, resource, ns, objectAt(own, {claim})))
      return unauthorized(std::string("the ") + claim + " that the token is bound to is gone");
  Holder out{
      serviceAccountIdentity(ns, std::string(stringAt(account, {"name"})), std::string(stringAt(account, {"uid"}))),
      std::move(audiences)};
  addExtra(out.identity, claims, own);
  return out;
}

}  // namespace steer
