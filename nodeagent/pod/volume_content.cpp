#include "nodeagent/pod/volume_content.h"

#include <algorithm>

#include "core/base64.h"
#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr unsigned kDefaultMode = 0644;

using Files = std::vector<VolumeFile>;

Result<void> checkPath(const std::string& path) {
  const bool escapes = path.empty() || path.front() == '/' || path == ".." || path.starts_with("../") ||
                       path.ends_with("/..") || path.find("/../") != std::string::npos || path.starts_with("..");
  if (escapes) return makeError(Errc::invalid, "\"" + path + "\" is not a path inside the volume");
  return {};
}

unsigned modeOf(const json::value& item, unsigned fallback) {
  return static_cast<unsigned>(intAt(item, {"mode"}, fallback)) & 07777U;
}

Result<std::string> decoded(std::string_view text) {
  auto bytes = fromBase64(text);
  if (!bytes) return makeError(Errc::invalid, "illegal base64 data");
  return std::move(*bytes);
}

/// data (and binaryData) of a config map, or data of a secret, decoded.
Result<std::vector<std::pair<std::string, std::string>>> entriesOf(const Object& object, bool isSecret) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& [key, value] : objectAt(object.json(), {"data"})) {
    if (!value.is_string()) continue;
    std::string text(view(value.get_string()));
    if (isSecret) {
      STEER_TRY(text, decoded(text));
    }
    out.emplace_back(std::string(key), std::move(text));
  }
  for (const auto& [key, value] : objectAt(object.json(), {"binaryData"})) {
    if (!value.is_string()) continue;
    STEER_TRY(auto bytes, decoded(view(value.get_string())));
    out.emplace_back(std::string(key), std::move(bytes));
  }
  return out;
}

Result<void> addKeys(const json::value& source, std::string_view kind, const PodReferences& refs, unsigned mode,
                     Files& out) {
  const bool isSecret = kind == "secret";
  const auto name = std::string(stringAt(source, {isSecret && find(source, {"secretName"}) ? "secretName" : "name"}));
  const bool optional = boolAt(source, {"optional"});
  const auto object = isSecret ? refs.secret(name) : refs.configMap(name);
  if (!object) {
    if (optional) return {};
    return makeError(Errc::notFound, std::string(kind) + " \"" + name + "\" not found");
  }
  STEER_TRY(const auto entries, entriesOf(*object, isSecret));
  const auto* items = find(source, {"items"});
  if (!items || !items->is_array()) {
    for (const auto& [key, data] : entries) out.push_back({key, data, mode});
    return {};
  }
  for (const auto& item : items->get_array()) {
    const auto key = stringAt(item, {"key"});
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const auto& e) { return e.first == key; });
    if (found == entries.end()) {
      if (optional) continue;
      return makeError(Errc::notFound, std::string(kind) + " \"" + name + "\" has no key " + std::string(key));
    }
    out.push_back({std::string(stringAt(item, {"path"})), found->second, modeOf(item, mode)});
  }
  return {};
}

Result<void> addDownward(const Object& pod, const json::value& source, const PodReferences& refs, unsigned mode,
                         Files& out) {
  for (const auto& item : arrayAt(source, {"items"})) {
    VolumeFile file{std::string(stringAt(item, {"path"})), "", modeOf(item, mode)};
    if (const auto* ref = find(item, {"fieldRef"})) {
      STEER_TRY(file.data, fieldValue(pod, stringAt(*ref, {"fieldPath"}), refs));
    } else if (const auto* resource = find(item, {"resourceFieldRef"})) {
      const auto* container = containerNamed(pod, stringAt(*resource, {"containerName"}));
      if (!container) return makeError(Errc::invalid, "a downward API item names no container of the pod");
      STEER_TRY(file.data,
                resourceValue(*container, stringAt(*resource, {"resource"}), find(*resource, {"divisor"}), refs));
    }
    out.push_back(std::move(file));
  }
  return {};
}

/// The automatic token is left out where the server gives none.
Result<void> addToken(const Object& pod, const json::value& source, const PodReferences& refs, unsigned mode,
                      Files& out) {
  const auto wish = tokenWishOf(source);
  auto token = refs.serviceAccountToken
                   ? refs.serviceAccountToken(wish)
                   : Result<std::string>(makeError(Errc::unsupported, "service account tokens are not available"));
  if (!token.ok()) {
    if (wish.optional) return {};
    auto error = token.error();
    error.message = "token of service account \"" + serviceAccountOf(pod) + "\": " + error.message;
    return error;
  }
  out.push_back({std::string(stringAt(source, {"path"})), *std::move(token), mode});
  return {};
}

Result<void> addProjected(const Object& pod, const json::value& projected, const PodReferences& refs, unsigned mode,
                          Files& out) {
  for (const auto& source : arrayAt(projected, {"sources"})) {
    if (const auto* map = find(source, {"configMap"})) {
      STEER_CHECK(addKeys(*map, "configmap", refs, mode, out));
    } else if (const auto* secret = find(source, {"secret"})) {
      STEER_CHECK(addKeys(*secret, "secret", refs, mode, out));
    } else if (const auto* downward = find(source, {"downwardAPI"})) {
      STEER_CHECK(addDownward(pod, *downward, refs, mode, out));
    } else if (const auto* token = find(source, {"serviceAccountToken"})) {
      STEER_CHECK(addToken(pod, *token, refs, mode, out));
    } else if (const auto* certificate = find(source, {"clusterCertificate"})) {
      if (!refs.clusterCertificate.empty())
        out.push_back({std::string(stringAt(*certificate, {"path"})), refs.clusterCertificate, mode});
    } else {
      return makeError(Errc::unsupported, "a projected volume has a source that is not supported by this node");
    }
  }
  return {};
}

}  // namespace

Result<std::optional<Files>> volumeContent(const Object& pod, const json::value& volume, const PodReferences& refs) {
  Files out;
  const auto mode = [](const json::value& source) {
    return static_cast<unsigned>(intAt(source, {"defaultMode"}, kDefaultMode)) & 07777U;
  };
  if (const auto* map = find(volume, {"configMap"})) {
    STEER_CHECK(addKeys(*map, "configmap", refs, mode(*map), out));
  } else if (const auto* secret = find(volume, {"secret"})) {
    STEER_CHECK(addKeys(*secret, "secret", refs, mode(*secret), out));
  } else if (const auto* downward = find(volume, {"downwardAPI"})) {
    STEER_CHECK(addDownward(pod, *downward, refs, mode(*downward), out));
  } else if (const auto* projected = find(volume, {"projected"})) {
    STEER_CHECK(addProjected(pod, *projected, refs, mode(*projected), out));
  } else {
    return std::optional<Files>{};
  }
  for (const auto& file : out) STEER_CHECK(checkPath(file.path));
  std::stable_sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.path < b.path; });
  // Of two sources that show the same path the later one wins.
  Files unique;
  for (auto& file : out) {
    if (!unique.empty() && unique.back().path == file.path) unique.pop_back();
    unique.push_back(std::move(file));
  }
  return std::optional(std::move(unique));
}

}  // namespace steer
