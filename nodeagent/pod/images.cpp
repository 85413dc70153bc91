#include "nodeagent/pod/images.h"

#include "core/base64.h"

namespace steer {

namespace {

/// "https://index.docker.io/v1/" → "docker.io"; "registry.local:5000/team" stays.
std::string registryKey(std::string_view key) {
  for (const std::string_view scheme : {"https://", "http://"})
    if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  while (key.ends_with('/')) key.remove_suffix(1);
  for (const std::string_view version : {"/v1", "/v2"})
    if (key.ends_with(version)) key.remove_suffix(version.size());
  if (key == "index.docker.io" || key == "registry-1.docker.io") return "docker.io";
  return std::string(key);
}

std::optional<ImageAuth> authOf(const json::value& entry) {
  ImageAuth out;
  out.username = stringAt(entry, {"username"});
  out.password = stringAt(entry, {"password"});
  out.identityToken = stringAt(entry, {"identitytoken"});
  out.registryToken = stringAt(entry, {"registrytoken"});
  if (const auto both = fromBase64(stringAt(entry, {"auth"})); both && out.username.empty()) {
    const auto colon = both->find(':');
    if (colon != std::string::npos) {
      out.username = both->substr(0, colon);
      out.password = both->substr(colon + 1);
    }
  }
  if (out.username.empty() && out.identityToken.empty() && out.registryToken.empty()) return std::nullopt;
  return out;
}

}  // namespace

PullPolicy pullPolicyOf(const json::object& container) {
  const auto policy = stringAt(container, {"imagePullPolicy"});
  if (policy == "Always") return PullPolicy::always;
  if (policy == "IfNotPresent") return PullPolicy::ifNotPresent;
  if (policy == "Never") return PullPolicy::never;
  const auto image = stringAt(container, {"image"});
  if (image.find('@') != std::string_view::npos) return PullPolicy::ifNotPresent;
  const auto slash = image.rfind('/');
  const auto name = slash == std::string_view::npos ? image : image.substr(slash + 1);
  const auto colon = name.find(':');
  const bool latest = colon == std::string_view::npos || name.substr(colon + 1) == "latest";
  return latest ? PullPolicy::always : PullPolicy::ifNotPresent;
}

std::string registryOf(std::string_view image) {
  const auto slash = image.find('/');
  if (slash == std::string_view::npos) return "docker.io";
  const auto first = image.substr(0, slash);
  const bool isHost = first.find_first_of(".:") != std::string_view::npos || first == "localhost";
  return isHost ? registryKey(first) : "docker.io";
}

std::vector<ImageAuth> credentialsFor(std::string_view image, const std::vector<ObjectPtr>& pullSecrets) {
  std::vector<ImageAuth> out;
  const auto registry = registryOf(image);
  for (const auto& secret : pullSecrets) {
    for (const std::string_view field : {".dockerconfigjson", ".dockercfg"}) {
      const auto text = fromBase64(stringAt(secret->json(), {"data", field}));
      if (!text || text->empty()) continue;
      const auto parsed = parseJson(*text);
      if (!parsed.ok() || !parsed->is_object()) continue;
      const auto& entries = field == ".dockercfg" ? parsed->get_object() : objectAt(*parsed, {"auths"});
      for (const auto& [key, entry] : entries) {
        const auto known = registryKey(key);
        const bool matches = known == registry || (known.starts_with(registry + "/") && image.starts_with(known + "/"));
        if (!matches) continue;
        if (auto auth = authOf(entry)) out.push_back(*std::move(auth));
      }
    }
  }
  return out;
}

}  // namespace steer
