#include "nodeagent/pod/api_access.h"

#include <algorithm>

namespace steer {

namespace {

constexpr const char* kVolume = "kube-api-access";
constexpr std::int64_t kAutomaticSeconds = 3607;
constexpr std::int64_t kLeastSeconds = 600;

bool mountsThere(const json::value& container) {
  const auto& mounts = arrayAt(container, {"volumeMounts"});
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const json::value& m) { return stringAt(m, {"mountPath"}) == kApiAccessPath; });
}

bool lacksIt(const Object& pod, std::string_view list) {
  const auto& containers = arrayAt(pod.spec(), {list});
  return std::any_of(containers.begin(), containers.end(), [](const json::value& c) { return !mountsThere(c); });
}

json::object accessVolume() {
  json::array sources{
      json::object{{"serviceAccountToken",
                    json::object{{"path", "token"}, {"expirationSeconds", kAutomaticSeconds}, {"optional", true}}}},
      json::object{{"clusterCertificate", json::object{{"path", "ca.crt"}}}},
      json::object{{"downwardAPI",
                    json::object{{"items", json::array{json::object{
                                               {"path", "namespace"},
                                               {"fieldRef", json::object{{"fieldPath", "metadata.namespace"}}}}}}}}}};
  return {{"name", kVolume}, {"projected", json::object{{"defaultMode", 0644}, {"sources", std::move(sources)}}}};
}

}  // namespace

ObjectPtr withApiAccess(const ObjectPtr& pod) {
  if (!boolAt(pod->spec(), {"automountServiceAccountToken"}, true)) return pod;
  for (const auto& volume : arrayAt(pod->spec(), {"volumes"}))
    if (stringAt(volume, {"name"}).starts_with(kVolume)) return pod;
  if (!lacksIt(*pod, "containers") && !lacksIt(*pod, "initContainers")) return pod;
  auto body = pod->json();
  auto& spec = ensureObject(body, "spec");
  auto& volumes = spec["volumes"];
  if (!volumes.is_array()) volumes = json::array{};
  volumes.get_array().push_back(accessVolume());
  for (const auto* list : {"containers", "initContainers"}) {
    auto* containers = spec.if_contains(list);
    if (!containers || !containers->is_array()) continue;
    for (auto& container : containers->get_array()) {
      if (!container.is_object() || mountsThere(container)) continue;
      auto& mounts = container.get_object()["volumeMounts"];
      if (!mounts.is_array()) mounts = json::array{};
      mounts.get_array().push_back(json::object{{"name", kVolume}, {"mountPath", kApiAccessPath}, {"readOnly", true}});
    }
  }
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
