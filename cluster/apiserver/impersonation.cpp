#include "cluster/apiserver/impersonation.h"

#include <algorithm>

namespace steer {
namespace {

constexpr std::string_view kExtra = "impersonate-extra-";

std::vector<std::string> valuesOf(const Request& request, const std::string& header) {
  std::vector<std::string> out;
  const auto [first, last] = request.headers.equal_range(header);
  for (auto at = first; at != last; ++at) out.push_back(at->second);
  return out;
}

std::optional<std::string> decodePercent(std::string_view text) {
  const auto digit = [](char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; };
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    // Header names arrive in lower case.
    const int high = i + 2 < text.size() ? digit(text[i + 1]) : -1, low = high < 0 ? -1 : digit(text[i + 2]);
    if (low < 0) return std::nullopt;
    out += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return out;
}

Result<Identity> wishOf(const Request& request) {
  Identity out{request.header("impersonate-user"),
               valuesOf(request, "impersonate-group"),
               request.header("impersonate-uid"),
               {}};
  for (auto at = request.headers.lower_bound(std::string(kExtra));
       at != request.headers.end() && at->first.starts_with(kExtra); ++at) {
    const auto key = decodePercent(std::string_view(at->first).substr(kExtra.size()));
    if (!key || key->empty()) return makeError(Errc::badRequest, "an Impersonate-Extra header has no readable key");
    out.extra[*key].push_back(at->second);
  }
  return out;
}

/// What the sender must be allowed to, one question for each thing that is pretended.
std::vector<AccessQuestion> questionsFor(const Identity& wish) {
  std::vector<AccessQuestion> out;
  const auto account = serviceAccountIn(wish.user);
  if (account.name.empty()) out.push_back({"impersonate", "users", "", "", wish.user});
  else out.push_back({"impersonate", "serviceaccounts", "", account.ns, account.name});
  for (const auto& group : wish.groups) out.push_back({"impersonate", "groups", "", "", group});
  if (!wish.uid.empty()) out.push_back({"impersonate", "uids.authentication.k8s.io", "", "", wish.uid});
  for (const auto& [key, values] : wish.extra)
    for (const auto& value : values) out.push_back({"impersonate", "userextras.authentication.k8s.io", key, "", value});
  return out;
}

}  // namespace

Result<Identity> actAs(const Authorizer& authorizer, const Snapshot& view, const Identity& sender, Identity wish) {
  if (wish.user == sender.user && wish.groups.empty() && wish.uid.empty() && wish.extra.empty()) return sender;
  for (const auto& question : questionsFor(wish))
    if (const auto answer = authorizer.decide(sender, question, view); !answer.allowed)
      return refusal(sender, question, answer);
  if (const auto account = serviceAccountIn(wish.user); !account.name.empty() && wish.groups.empty())
    wish.groups = serviceAccountIdentity(account.ns, account.name).groups;
  if (wish.user == "system:anonymous") {
    if (wish.groups.empty()) wish.groups.emplace_back("system:unauthenticated");
  } else if (!isMember(wish, "system:authenticated")) {
    wish.groups.emplace_back("system:authenticated");
  }
  return wish;
}

Result<Identity> actingIdentity(const ServerParts& parts, const Request& request) {
  const auto first = request.headers.lower_bound("impersonate-");
  if (first == request.headers.end() || !first->first.starts_with("impersonate-")) return request.identity;
  STEER_TRY(Identity wish, wishOf(request));
  if (wish.user.empty())
    return makeError(Errc::badRequest, "groups, uids and extras cannot be impersonated without a user");
  return actAs(parts.authorizer, parts.store.snapshot(), request.identity, std::move(wish));
}

}  // namespace steer
