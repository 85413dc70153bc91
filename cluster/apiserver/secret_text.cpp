#include "cluster/apiserver/secret_text.h"

#include "core/base64.h"

namespace steer {

void foldStringData(json::object& secret) {
  const auto* plain = secret.if_contains("stringData");
  if (plain == nullptr) return;
  if (const auto* entries = plain->if_object()) {
    json::object folded = objectAt(secret, {"data"});
    for (const auto& [key, value] : *entries)
      if (const auto* text = value.if_string()) folded[key] = toBase64(view(*text));
    if (!folded.empty()) secret["data"] = std::move(folded);
  }
  secret.erase("stringData");
}

}  // namespace steer
