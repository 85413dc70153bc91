#include "schemas/first_apply.h"

#include "schemas/managed_fields.h"
#include "schemas/ownership_proof.h"
#include "schemas/structure.h"

namespace steer {
namespace {

constexpr const char* kKubectl = "kubectl";
constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

std::string_view lastAppliedOf(const json::object& object) {
  return stringAt(object, {"metadata", "annotations", kLastApplied});
}

/// What kubectl applied by itself and what nobody has changed since.
FieldSet stillAsApplied(const KindSchema& kind, const json::object& live) {
  const auto parsed = parseJson(lastAppliedOf(live));
  if (!parsed.ok() || !parsed->is_object()) return {};
  if (stringAt(*parsed, {"apiVersion"}) != kind.gvk.apiVersion()) return {};
  const auto place = Place::ofObject(*kind.type);
  const auto changes = compareFields(place, *parsed, live);
  return fieldsOf(place, *parsed).minus(changes.changed).minus(changes.removed);
}

/// The annotation as client-side apply would have left it.
void keepLastApplied(const json::object& applied, json::object& object) {
  auto said = applied;
  if (auto* metadata = said.if_contains("metadata"); metadata != nullptr && metadata->is_object())
    if (auto* notes = metadata->get_object().if_contains("annotations"); notes != nullptr && notes->is_object())
      notes->get_object().erase(kLastApplied);
  auto& notes = ensureObject(ensureObject(object, "metadata"), "annotations");
  notes[kLastApplied] = jsonCanonical(said) + "\n";
}

}  // namespace

Result<json::object> applyFirstOrAgain(const KindSchema& kind, const json::object* live, const json::object& applied,
                                       const ApplyRequest& request) {
  json::object owned;
  if (live != nullptr && request.manager != kReconcilerManager && readOwners(*live).empty()) {
    owned = *live;
    trackUpdate(kind, nullptr, owned, {kBeforeFirstApply, "", false, request.time});
    live = &owned;
  }
  if (request.manager != kKubectl || live == nullptr) return applyServerSide(kind, live, applied, request);
  auto asked = request;
  if (!lastAppliedOf(*live).empty()) asked.excused = stillAsApplied(kind, *live);
  auto out = applyServerSide(kind, live, applied, asked);
  if (out.ok() && !lastAppliedOf(out.value()).empty()) keepLastApplied(applied, out.value());
  return out;
}

}  // namespace steer
