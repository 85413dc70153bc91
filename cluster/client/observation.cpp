#include "cluster/client/observation.h"

#include <openssl/evp.h>

#include <array>

namespace steer {
namespace {

json::string text(std::string_view s) { return json::string(s.data(), s.size()); }

std::string textOf(const json::value& v) { return v.is_string() ? std::string(view(v.get_string())) : std::string(); }

}  // namespace

std::string applyDigest(const json::value& body, std::string_view manager) {
  std::string written(manager);
  written += '\n';
  written += jsonText(body);
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  EVP_Digest(written.data(), written.size(), digest.data(), &size, EVP_sha256(), nullptr);
  constexpr std::size_t kBytes = 16;
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  out.reserve(2 * kBytes);
  for (std::size_t i = 0; i < kBytes; ++i) {
    out += kHex[digest[i] >> 4];
    out += kHex[digest[i] & 15];
  }
  return out;
}

json::object encodeObserveRequest(const ObserveRequest& request) {
  json::array items;
  items.reserve(request.items.size());
  for (const auto& item : request.items)
    items.push_back(json::array{text(item.ref.resource), text(item.ref.ns), text(item.ref.name), text(item.digest)});
  return {{"label", text(request.label)}, {"items", std::move(items)}};
}

Result<ObserveRequest> decodeObserveRequest(const json::value& body) {
  ObserveRequest out;
  out.label = stringAt(body, {"label"});
  const auto& items = arrayAt(body, {"items"});
  out.items.reserve(items.size());
  for (const auto& item : items) {
    const auto* row = item.if_array();
    if (row == nullptr || row->size() != 4 || textOf((*row)[0]).empty())
      return makeError(Errc::badRequest,
                       "items[" + std::to_string(out.items.size()) + "] is not [resource, namespace, name, digest]");
    out.items.push_back({{textOf((*row)[0]), textOf((*row)[1]), textOf((*row)[2])}, textOf((*row)[3])});
  }
  return out;
}

json::object encodeObservation(const Observation& observation) {
  json::array items;
  items.reserve(observation.items.size());
  for (const auto& item : observation.items) {
    if (item.unchanged) items.emplace_back(true);
    else if (item.live) items.emplace_back(item.live->json());
    else items.emplace_back(nullptr);
  }
  json::array others;
  others.reserve(observation.others.size());
  for (const auto& other : observation.others)
    others.push_back(json::array{text(other.ref.resource), other.object->json()});
  return {{"items", std::move(items)}, {"others", std::move(others)}};
}

Result<Observation> decodeObservation(json::value body, const ObserveRequest& request) {
  const auto wrong = [] { return makeError(Errc::internal, "the server answered an observation in another shape"); };
  if (!body.is_object()) return wrong();
  auto* items = body.get_object().if_contains("items");
  if (items == nullptr || !items->is_array() || items->get_array().size() != request.items.size()) return wrong();
  Observation out;
  out.items.reserve(request.items.size());
  for (auto& item : items->get_array()) {
    Observation::Item row;
    row.unchanged = item.is_bool() && item.get_bool();
    if (item.is_object()) row.live = Object::make(std::move(item.get_object()));
    out.items.push_back(std::move(row));
  }
  auto* others = body.get_object().if_contains("others");
  if (others == nullptr || !others->is_array()) return wrong();
  for (auto& other : others->get_array()) {
    auto* row = other.if_array();
    if (row == nullptr || row->size() != 2 || !(*row)[1].is_object()) return wrong();
    auto object = Object::make(std::move((*row)[1].get_object()));
    ObjectRef ref{textOf((*row)[0]), object->ns(), object->name()};
    out.others.push_back({std::move(ref), std::move(object)});
  }
  return out;
}

}  // namespace steer
