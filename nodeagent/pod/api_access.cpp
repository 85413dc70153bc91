#include "nodeagent/pod/api_access.h"

#include <algorithm>

namespace steer {

namespace {

constexpr std::int64_t kAutomaticSeconds = 3607;
constexpr std::int64_t kLeastSeconds = 600;

json::object accessVolume() {
  json::array sources{
      json::object{{"serviceAccountToken",
                    json::object{{"path", "token"}, {"expirationSeconds", kAutomaticSeconds}, {"optional", true}}}},
      json::object{{"clusterCertificate", json::object{{"path", "ca.crt"}}}},
      json::object{{"downwardAPI",
                    json::object{{"items", json::array{json::object{
                                               {"path", "namespace"},
                                               {"fieldRef", json::object{{"fieldPath", "metadata.namespace"}}}}}}}}}};
  return {{"name", kApiAccessVolume},
          {"projected", json::object{{"defaultMode", 0644}, {"sources", std::move(sources)}}}};
}

}  // namespace

ObjectPtr withApiAccess(const ObjectPtr& pod) {
  if (!boolAt(pod->spec(), {"automountServiceAccountToken"}, true)) return pod;
  for (const auto& volume : arrayAt(pod->spec(), {"volumes"}))
    if (stringAt(volume, {"name"}).starts_with(kApiAccessVolume)) return pod;
  if (!lacksApiAccess(pod->json())) return pod;
  auto body = pod->json();
  addApiAccess(body, accessVolume());
  return Object::make(std::move(body));
}

std::string serviceAccountOf(const Object& pod) {
  return std::string(stringAt(pod.spec(), {"serviceAccountName"}, "default"));
}

TokenWish tokenWishOf(const json::value& source) {
  return {std::string(stringAt(source, {"audience"})),
          std::max(intAt(source, {"expirationSeconds"}, 3600), kLeastSeconds), boolAt(source, {"optional"})};
}

std::vector<TokenWish> tokenWishesOf(const Object& pod) {
  std::vector<TokenWish> out;
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"}))
    for (const auto& source : arrayAt(volume, {"projected", "sources"}))
      if (const auto* token = find(source, {"serviceAccountToken"})) out.push_back(tokenWishOf(*token));
  std::sort(out.begin(), out.end());
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

}  // namespace steer
