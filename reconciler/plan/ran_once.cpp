#include "reconciler/plan/ran_once.h"

#include "reconciler/plan/fingerprint.h"
#include "reconciler/plan/plan.h"

namespace steer {

bool goesByItself(const json::object& body) {
  return stringAt(body, {"kind"}) == "Job" && stringAt(body, {"apiVersion"}).starts_with("batch/") &&
         find(body, {"spec", "ttlSecondsAfterFinished"}) != nullptr;
}

std::string manifestDigest(const json::object& body) {
  auto manifest = body;
  auto& metadata = ensureObject(manifest, "metadata");
  if (auto* labels = metadata.if_contains("labels"); labels != nullptr && labels->is_object()) {
    labels->get_object().erase(kApplicationLabel);
    if (labels->get_object().empty()) metadata.erase("labels");
  }
  return Fingerprint().add(jsonCanonical(manifest)).hex().substr(0, 32);
}

bool ranAsWritten(const RanOnce& ran, const ObjectRef& ref, const json::object& body) {
  if (!goesByItself(body)) return false;
  const auto known = ran.find(ref);
  return known != ran.end() && known->second == manifestDigest(body);
}

json::array ranOnceJson(const RanOnce& ran) {
  json::array out;
  for (const auto& [ref, digest] : ran)
    out.push_back(json::object{
        {"resource", ref.resource}, {"namespace", ref.ns}, {"name", ref.name}, {"manifestDigest", digest}});
  return out;
}

RanOnce ranOnceIn(const json::object& status) {
  RanOnce out;
  for (const auto& item : arrayAt(status, {"ranOnce"}))
    out[{std::string(stringAt(item, {"resource"})), std::string(stringAt(item, {"namespace"})),
         std::string(stringAt(item, {"name"}))}] = std::string(stringAt(item, {"manifestDigest"}));
  return out;
}

}  // namespace steer
