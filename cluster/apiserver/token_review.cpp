#include "cluster/apiserver/token_review.h"

namespace steer {
namespace {

json::array texts(const std::vector<std::string>& items) {
  json::array out;
  for (const auto& item : items) out.push_back(json::string(item));
  return out;
}

}  // namespace

json::object userInfoOf(const Identity& who) {
  json::object out{{"username", who.user}};
  if (!who.uid.empty()) out["uid"] = who.uid;
  out["groups"] = texts(who.groups);
  json::object extra;
  for (const auto& [key, values] : who.extra) extra[key] = texts(values);
  if (!extra.empty()) out["extra"] = std::move(extra);
  return out;
}

json::object tokenReviewStatus(const ServerParts& parts, const json::object& spec, const Snapshot& view) {
  std::vector<std::string> audiences;
  for (const auto& item : arrayAt(spec, {"audiences"}))
    if (const auto* text = item.if_string()) audiences.emplace_back(steer::view(*text));
  const auto holder = parts.tokens.check(view, stringAt(spec, {"token"}), std::move(audiences));
  if (!holder.ok()) return {{"authenticated", false}, {"user", json::object{}}, {"error", holder.error().message}};
  return {{"authenticated", true}, {"user", userInfoOf(holder->identity)}, {"audiences", texts(holder->audiences)}};
}

json::object issuerDocument(const ApiServerOptions& options) {
  const std::string host = options.advertiseAddress.empty()
                               ? "kubernetes.default.svc.cluster.local"
                               : options.advertiseAddress + ":" + std::to_string(options.advertisePort);
  return {{"issuer", kTokenIssuer},
          {"jwks_uri", "https://" + host + "/openid/v1/jwks"},
          {"response_types_supported", json::array{"id_token"}},
          {"subject_types_supported", json::array{"public"}},
          {"id_token_signing_alg_values_supported", json::array{"ES256"}}};
}

}  // namespace steer
