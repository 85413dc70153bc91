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
  json::object out{{"label", text(request.label)}, {"items", std::move(items)}};
  if (!request.actAs.empty()) out["actAs"] = text(request.actAs);
  if (request.rightsOnly) out["rightsOnly"] = true;
  return out;
}

Result<ObserveRequest> decodeObserveRequest(const json::value& body) {
  ObserveRequest out;
  out.label = stringAt(body, {"label"});
  out.actAs = stringAt(body, {"actAs"});
  out.rightsOnly = boolAt(body, {"rightsOnly"});
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

namespace {

json::object spelledOut(const Observation::Item& item) {
  json::object out{{"unchanged", item.unchanged}, {"hidden", item.hidden}, {"refused", text(item.refused)}};
  if (!item.unable.empty()) out["unable"] = text(item.unable);
  if (item.live) out["live"] = item.live->json();
  return {{"observed", std::move(out)}};
}

Observation::Item itemOf(json::value& item) {
  Observation::Item out;
  out.unchanged = item.is_bool() && item.get_bool();
  if (!item.is_object()) return out;
  auto* observed = item.get_object().if_contains("observed");
  if (observed == nullptr || !observed->is_object() || item.get_object().contains("kind")) {
    out.live = Object::make(std::move(item.get_object()));
    return out;
  }
  out.unchanged = boolAt(*observed, {"unchanged"});
  out.hidden = boolAt(*observed, {"hidden"});
  out.refused = stringAt(*observed, {"refused"});
  out.unable = stringAt(*observed, {"unable"});
  if (auto* live = observed->get_object().if_contains("live"); live != nullptr && live->is_object())
    out.live = Object::make(std::move(live->get_object()));
  return out;
}

}  // namespace

json::object encodeObservation(const Observation& observation) {
  json::array items;
  items.reserve(observation.items.size());
  for (const auto& item : observation.items) {
    if (item.hidden || !item.refused.empty() || !item.unable.empty()) items.emplace_back(spelledOut(item));
    else if (item.unchanged) items.emplace_back(true);
    else if (item.live) items.emplace_back(item.live->json());
    else items.emplace_back(nullptr);
  }
  json::array others;
  others.reserve(observation.others.size());
  for (const auto& other : observation.others) {
    json::array row{text(other.ref.resource), other.object->json()};
    if (other.hidden) row.emplace_back(true);
    others.push_back(std::move(row));
  }
  return {{"items", std::move(items)}, {"others", std::move(others)}};
}

Result<Observation> decodeObservation(json::value body, const ObserveRequest& request) {
  const auto wrong = [] { return makeError(Errc::internal, "the server answered an observation in another shape"); };
  if (!body.is_object()) return wrong();
  auto* items = body.get_object().if_contains("items");
  if (items == nullptr || !items->is_array() || items->get_array().size() != request.items.size()) return wrong();
  Observation out;
  out.items.reserve(request.items.size());
  for (auto& item : items->get_array()) out.items.push_back(itemOf(item));
  auto* others = body.get_object().if_contains("others");
  if (others == nullptr || !others->is_array()) return wrong();
  for (auto& other : others->get_array()) {
    auto* row = other.if_array();
    if (row == nullptr || row->size() < 2 || !(*row)[1].is_object()) return wrong();
    auto object = Object::make(std::move((*row)[1].get_object()));
    ObjectRef ref{textOf((*row)[0]), object->ns(), object->name()};
    out.others.push_back({std::move(ref), std::move(object), row->size() > 2});
  }
  return out;
}

}  // namespace steer
