#include "schemas/sync_order.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <string>

#include "schemas/annotation_words.h"
#include "schemas/rules.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

constexpr std::string_view kArgoWave = "argocd.argoproj.io/sync-wave";
constexpr std::string_view kArgoHook = "argocd.argoproj.io/hook";
constexpr std::string_view kHelmHook = "helm.sh/hook";
constexpr std::string_view kHelmWeight = "helm.sh/hook-weight";

std::optional<int> waveIn(std::string_view text) {
  if (text.starts_with('+')) text.remove_prefix(1);
  int wave = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), wave);
  if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return wave;
}

struct PhaseWord {
  std::string_view key;
  std::string_view word;
  Hook hook;
};
constexpr std::array kPhases{
    PhaseWord{kHookAnnotation, "pre-sync", Hook::preSync},
    PhaseWord{kHookAnnotation, "sync", Hook::sync},
    PhaseWord{kHookAnnotation, "post-sync", Hook::postSync},
    PhaseWord{kHookAnnotation, "sync-fail", Hook::syncFail},
    PhaseWord{kArgoHook, "PreSync", Hook::preSync},
    PhaseWord{kArgoHook, "Sync", Hook::sync},
    PhaseWord{kArgoHook, "PostSync", Hook::postSync},
    PhaseWord{kArgoHook, "SyncFail", Hook::syncFail},
    PhaseWord{kHelmHook, "pre-install", Hook::preSync},
    PhaseWord{kHelmHook, "pre-upgrade", Hook::preSync},
    PhaseWord{kHelmHook, "post-install", Hook::postSync},
    PhaseWord{kHelmHook, "post-upgrade", Hook::postSync},
    PhaseWord{kHookAnnotation, "pre-delete", Hook::preDelete},
    PhaseWord{kHookAnnotation, "post-delete", Hook::postDelete},
    PhaseWord{kArgoHook, "PreDelete", Hook::preDelete},
    PhaseWord{kArgoHook, "PostDelete", Hook::postDelete},
    PhaseWord{kHelmHook, "pre-delete", Hook::preDelete},
    PhaseWord{kHelmHook, "post-delete", Hook::postDelete},
};

Hook hookIn(std::string_view key, std::string_view word) {
  for (const auto& row : kPhases)
    if (row.key == key && row.word == word) return row.hook;
  return Hook::none;
}

/// Whose word counts: ours, else Argo CD's, else Helm's, as Argo CD reads them.
std::string_view hookKeyOf(const json::object& object) {
  for (const auto key : {kHookAnnotation, kArgoHook, kHelmHook})
    if (!annotationOf(object, key).empty()) return key;
  return "";
}

HookEnd endOf(const json::object& object) {
  HookEnd out;
  for (const auto key :
       {"steersman.dev/hook-delete-policy", "argocd.argoproj.io/hook-delete-policy", "helm.sh/hook-delete-policy"}) {
    const auto words = wordsOf(annotationOf(object, key));
    if (words.empty()) continue;
    for (const auto word : words) {
      out.removedOnSuccess = out.removedOnSuccess || word == "HookSucceeded" || word == "hook-succeeded";
      out.removedOnFailure = out.removedOnFailure || word == "HookFailed" || word == "hook-failed";
    }
    break;
  }
  return out;
}

}  // namespace

const char* hookName(Hook hook) {
  switch (hook) {
    case Hook::preSync:
      return "pre-sync";
    case Hook::sync:
      return "sync";
    case Hook::postSync:
      return "post-sync";
    case Hook::syncFail:
      return "sync-fail";
    case Hook::preDelete:
      return "pre-delete";
    case Hook::postDelete:
      return "post-delete";
    case Hook::none:
      break;
  }
  return "";
}

SyncOrder syncOrderOf(const json::object& object) {
  SyncOrder out;
  if (objectAt(object, {"metadata", "annotations"}).empty()) return out;
  const auto hooked = hookKeyOf(object);
  if (hooked == kHelmHook)
    if (const auto weight = waveIn(annotationOf(object, kHelmWeight))) out.wave = *weight;
  for (const auto key : {kArgoWave, kWaveAnnotation})
    if (const auto wave = waveIn(annotationOf(object, key))) out.wave = *wave;
  if (hooked.empty() || syncPolicyOf(object).leaveAlone) return out;
  for (const auto word : wordsOf(annotationOf(object, hooked)))
    if (const auto hook = hookIn(hooked, word);
        hook != Hook::none && std::find(out.phases.begin(), out.phases.end(), hook) == out.phases.end())
      out.phases.push_back(hook);
  if (out.phases.empty()) return out;
  out.hook = out.phases.front();
  out.end = endOf(object);
  return out;
}

bool claimsHook(const json::object& object) { return !hookKeyOf(object).empty(); }

void checkSyncOrder(const FieldPath& at, const json::object& object, RuleReport& report) {
  const auto& annotations = objectAt(object, {"metadata", "annotations"});
  if (const auto* value = annotations.if_contains(jkey(kWaveAnnotation));
      value != nullptr && value->is_string() && !waveIn(view(value->get_string())))
    report.invalid(at.key(kWaveAnnotation), *value, "must be an integer such as \"-1\" or \"10\"");
  if (const auto* value = annotations.if_contains(jkey(kHookAnnotation)); value != nullptr && value->is_string()) {
    const auto words = wordsOf(view(value->get_string()));
    const bool known = !words.empty() && std::all_of(words.begin(), words.end(), [](std::string_view word) {
      return hookIn(kHookAnnotation, word) != Hook::none;
    });
    if (!known) {
      std::vector<std::string> ours;
      for (const auto& row : kPhases)
        if (row.key == kHookAnnotation) ours.emplace_back(row.word);
      report.unsupported(at.key(kHookAnnotation), *value, ours);
    }
  }
  checkSyncPolicy(at, object, report);
}

}  // namespace steer
