#include "schemas/sync_order.h"

#include <charconv>
#include <optional>

#include "schemas/rules.h"

namespace steer {
namespace {

constexpr std::string_view kArgoWave = "argocd.argoproj.io/sync-wave";
constexpr std::string_view kArgoHook = "argocd.argoproj.io/hook";

std::optional<int> waveIn(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int wave = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wave);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return wave;
}

Hook hookIn(std::string_view key, std::string_view text) {
  const bool argo = key == kArgoHook;
  if (text == (argo ? "PreSync" : "pre-sync")) return Hook::preSync;
  if (text == (argo ? "PostSync" : "post-sync")) return Hook::postSync;
  return Hook::none;
}

std::string_view annotation(const json::object& object, std::string_view key) {
  return stringAt(object, {"metadata", "annotations", key});
}

}  // namespace

const char* hookName(Hook hook) {
  switch (hook) {
    case Hook::preSync:
      return "pre-sync";
    case Hook::postSync:
      return "post-sync";
    case Hook::none:
      break;
  }
  return "";
}

SyncOrder syncOrderOf(const json::object& object) {
  SyncOrder out;
  for (const auto key : {kArgoWave, kWaveAnnotation})
    if (const auto wave = waveIn(annotation(object, key))) out.wave = *wave;
  if (stringAt(object, {"kind"}) != "Job") return out;
  for (const auto key : {kArgoHook, kHookAnnotation})
    if (const auto hook = hookIn(key, annotation(object, key)); hook != Hook::none) out.hook = hook;
  return out;
}

bool claimsHook(const json::object& object) {
  const auto& annotations = objectAt(object, {"metadata", "annotations"});
  return annotations.contains(jkey(kHookAnnotation)) || annotations.contains(jkey(kArgoHook));
}

void checkSyncOrder(const FieldPath& at, const json::object& object, RuleReport& report) {
  const auto& annotations = objectAt(object, {"metadata", "annotations"});
  for (const auto key : {kWaveAnnotation, kArgoWave}) {
    const auto* value = annotations.if_contains(jkey(key));
    if (value == nullptr || !value->is_string() || waveIn(view(value->get_string()))) continue;
    report.invalid(at.key(key), *value, "must be an integer such as \"-1\" or \"10\"");
  }
  for (const auto key : {kHookAnnotation, kArgoHook}) {
    const auto* value = annotations.if_contains(jkey(key));
    if (value == nullptr || !value->is_string()) continue;
    if (hookIn(key, view(value->get_string())) == Hook::none) {
      const bool argo = key == kArgoHook;
      report.unsupported(at.key(key), *value, {argo ? "PreSync" : "pre-sync", argo ? "PostSync" : "post-sync"});
    } else if (stringAt(object, {"kind"}) != "Job") {
      report.forbidden(at.key(key), "only a Job can be a hook");
    }
  }
}

}  // namespace steer
