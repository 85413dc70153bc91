#include "nodeagent/agent/service_account_tokens.h"

#include "core/rfc3339.h"

namespace steer {

namespace {

constexpr seconds kRetry{2};
/// A pod that does without its token does not ask all the time.
constexpr seconds kPatientRetry{60};

}  // namespace

Result<ServiceAccountTokens::Token> ServiceAccountTokens::request(const Object& pod, const TokenWish& wish, Time now) {
  json::object bound{{"kind", "Pod"}, {"apiVersion", "v1"}, {"name", pod.name()}, {"uid", pod.uid()}};
  json::object spec{{"expirationSeconds", wish.seconds}, {"boundObjectRef", std::move(bound)}};
  if (!wish.audience.empty()) spec["audiences"] = json::array{json::string(wish.audience)};
  Write write;
  write.verb = Write::Verb::create;
  write.target = {"serviceaccounts", pod.ns(), serviceAccountOf(pod)};
  write.subresource = "token";
  write.body =
      json::object{{"apiVersion", "authentication.k8s.io/v1"}, {"kind", "TokenRequest"}, {"spec", std::move(spec)}};
  STEER_TRY(const auto answer, client_.write(write));
  Token out;
  if (answer) out.text = stringAt(answer->status(), {"token"});
  if (out.text.empty()) return makeError(Errc::unsupported, "the server gave no token for service accounts");
  out.end = parseTime(stringAt(answer->status(), {"expirationTimestamp"})).value_or(now + seconds(wish.seconds));
  out.renewAt = now + (out.end - now) * 4 / 5;
  return out;
}

Result<std::string> ServiceAccountTokens::tokenFor(const Object& pod, const TokenWish& wish) {
  const Time now = clock_.now();
  const Key key{pod.uid(), wish};
  const auto known = tokens_.with([&](const auto& tokens) {
    const auto found = tokens.find(key);
    return found == tokens.end() ? Token{} : found->second;
  });
  const bool usable = !known.text.empty() && now < known.end;
  if (now < known.renewAt) {
    if (usable) return known.text;
    return *known.failure;
  }
  auto fresh = request(pod, wish, now);
  if (!fresh.ok()) {
    auto failed = known;
    failed.failure = fresh.error();
    failed.renewAt = now + (wish.optional ? kPatientRetry : kRetry);
    tokens_.with([&](auto& tokens) { tokens[key] = failed; });
    if (usable) return known.text;
    return fresh.error();
  }
  tokens_.with([&](auto& tokens) { tokens[key] = *fresh; });
  return fresh->text;
}

void ServiceAccountTokens::forget(const std::string& podUid) {
  tokens_.with([&](auto& tokens) { std::erase_if(tokens, [&](const auto& t) { return t.first.first == podUid; }); });
}

}  // namespace steer
