#include "cluster/client/resource_path.h"

#include "schemas/schema.h"

namespace steer {

std::string percentEncoded(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                       c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

Result<std::string> resourcePath(const ObjectRef& ref, std::string_view subresource) {
  const auto* kind = SchemaRegistry::builtin().findByResource(ref.resource);
  if (kind == nullptr) return makeError(Errc::notFound, "the resource \"" + ref.resource + "\" is not known");
  std::string out =
      kind->gvk.group.empty() ? "/api/" + kind->gvk.version : "/apis/" + kind->gvk.group + "/" + kind->gvk.version;
  if (kind->namespaced && !ref.ns.empty()) out += "/namespaces/" + percentEncoded(ref.ns);
  out += "/" + kind->plural;
  if (!ref.name.empty()) out += "/" + percentEncoded(ref.name);
  if (!subresource.empty()) out += "/" + percentEncoded(subresource);
  return out;
}

std::string queryText(std::initializer_list<std::pair<std::string_view, std::string>> pairs) {
  std::string out;
  for (const auto& [key, value] : pairs)
    if (!value.empty()) out += (out.empty() ? "?" : "&") + std::string(key) + "=" + percentEncoded(value);
  return out;
}

}  // namespace steer
