#include "schemas/sync_policy.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "schemas/annotation_words.h"
#include "schemas/rules.h"
#include "schemas/sync_order.h"

namespace steer {
namespace {

constexpr std::string_view kPrune = "steersman.dev/prune";
constexpr std::string_view kReconcile = "steersman.dev/reconcile";
constexpr std::string_view kHealth = "steersman.dev/health";
constexpr std::string_view kFlux = "kustomize.toolkit.fluxcd.io/";
constexpr std::string_view kArgoOptions = "argocd.argoproj.io/sync-options";
constexpr std::string_view kArgoHook = "argocd.argoproj.io/hook";
constexpr std::string_view kHelmHook = "helm.sh/hook";
constexpr std::string_view kHelmKeep = "helm.sh/resource-policy";

/// What a word of an annotation asks for.
enum class Ask {
  nothing,  ///< is so anyway
  keep,
  keepOnPrune,
  keepOnRemoval,
  confirmPrune,
  confirmRemoval,
  leaveAlone,
  leaveAloneAndSay,  ///< nobody runs it here
  onlyCreate,
  ignoreHealth,
};

struct Row {
  std::string_view key;
  std::string_view word;
  Ask ask;
};

constexpr std::array kRows{
    Row{kPrune, "never", Ask::keep},
    Row{kPrune, "confirm", Ask::confirmPrune},
    Row{kReconcile, "disabled", Ask::leaveAlone},
    Row{kHealth, "ignore", Ask::ignoreHealth},
    Row{"kustomize.toolkit.fluxcd.io/prune", "disabled", Ask::keep},
    Row{"kustomize.toolkit.fluxcd.io/prune", "enabled", Ask::nothing},
    Row{"kustomize.toolkit.fluxcd.io/reconcile", "disabled", Ask::leaveAlone},
    Row{"kustomize.toolkit.fluxcd.io/reconcile", "enabled", Ask::nothing},
    Row{"kustomize.toolkit.fluxcd.io/ssa", "Override", Ask::nothing},
    Row{"kustomize.toolkit.fluxcd.io/ssa", "Merge", Ask::nothing},
    Row{"kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent", Ask::onlyCreate},
    Row{"kustomize.toolkit.fluxcd.io/ssa", "Ignore", Ask::leaveAlone},
    Row{"kustomize.toolkit.fluxcd.io/force", "enabled", Ask::nothing},
    Row{"kustomize.toolkit.fluxcd.io/force", "disabled", Ask::nothing},
    Row{kArgoOptions, "Prune=false", Ask::keepOnPrune},
    Row{kArgoOptions, "Prune=confirm", Ask::confirmPrune},
    Row{kArgoOptions, "Prune=true", Ask::nothing},
    Row{kArgoOptions, "Delete=false", Ask::keepOnRemoval},
    Row{kArgoOptions, "Delete=confirm", Ask::confirmRemoval},
    Row{kArgoOptions, "Delete=true", Ask::nothing},
    Row{kArgoOptions, "PruneLast=true", Ask::nothing},
    Row{kArgoOptions, "ServerSideApply=true", Ask::nothing},
    Row{kArgoOptions, "ApplyOutOfSyncOnly=true", Ask::nothing},
    Row{kArgoOptions, "SkipDryRunOnMissingResource=true", Ask::nothing},
    Row{kArgoOptions, "Force=true", Ask::nothing},
    Row{kArgoOptions, "Force=false", Ask::nothing},
    Row{kArgoOptions, "Replace=false", Ask::nothing},
    Row{kArgoOptions, "Replace=true", Ask::nothing},  // see replacing()
    Row{kArgoOptions, "Validate=true", Ask::nothing},
    Row{kArgoOptions, "FailOnSharedResource=true", Ask::nothing},
    Row{kArgoOptions, "PrunePropagationPolicy=background", Ask::nothing},
    Row{kArgoOptions, "PrunePropagationPolicy=foreground", Ask::nothing},
    Row{kArgoHook, "PreSync", Ask::nothing},
    Row{kArgoHook, "Sync", Ask::nothing},
    Row{kArgoHook, "PostSync", Ask::nothing},
    Row{kArgoHook, "SyncFail", Ask::nothing},
    Row{kArgoHook, "Skip", Ask::leaveAlone},
    Row{kArgoHook, "PreDelete", Ask::nothing},
    Row{kArgoHook, "PostDelete", Ask::nothing},
    Row{"argocd.argoproj.io/hook-delete-policy", "HookSucceeded", Ask::nothing},
    Row{"argocd.argoproj.io/hook-delete-policy", "HookFailed", Ask::nothing},
    Row{"argocd.argoproj.io/hook-delete-policy", "BeforeHookCreation", Ask::nothing},
    Row{kHelmHook, "pre-install", Ask::nothing},
    Row{kHelmHook, "post-install", Ask::nothing},
    Row{kHelmHook, "pre-upgrade", Ask::nothing},
    Row{kHelmHook, "post-upgrade", Ask::nothing},
    Row{kHelmHook, "crd-install", Ask::nothing},
    Row{kHelmHook, "pre-delete", Ask::nothing},
    Row{kHelmHook, "post-delete", Ask::nothing},
    Row{kHelmHook, "pre-rollback", Ask::leaveAloneAndSay},
    Row{kHelmHook, "post-rollback", Ask::leaveAloneAndSay},
    Row{kHelmHook, "test", Ask::leaveAloneAndSay},
    Row{kHelmHook, "test-success", Ask::leaveAloneAndSay},
    Row{kHelmHook, "test-failure", Ask::leaveAloneAndSay},
    Row{"helm.sh/hook-delete-policy", "hook-succeeded", Ask::nothing},
    Row{"helm.sh/hook-delete-policy", "hook-failed", Ask::nothing},
    Row{"helm.sh/hook-delete-policy", "before-hook-creation", Ask::nothing},
    Row{kHelmKeep, "keep", Ask::keep},
};

/// Only what these keys say is looked at; of the first two families each key is.
constexpr std::array<std::string_view, 6> kSilent{
    "argocd.argoproj.io/sync-wave", "argocd.argoproj.io/tracking-id",
    "argocd.argoproj.io/instance",  "argocd.argoproj.io/refresh",
    "helm.sh/hook-weight",          "kustomize.toolkit.fluxcd.io/checksum"};

bool known(std::string_view key) {
  return std::any_of(kRows.begin(), kRows.end(), [&](const Row& row) { return row.key == key; });
}

bool sameWord(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [&](char x, char y) { return lower(x) == lower(y); });
}

/// Flux reads its words in any case.
const Row* rowOf(std::string_view key, std::string_view word) {
  const bool anyCase = key.starts_with(kFlux);
  const auto it = std::find_if(kRows.begin(), kRows.end(), [&](const Row& r) {
    return r.key == key && (r.word == word || (anyCase && sameWord(r.word, word)));
  });
  return it == kRows.end() ? nullptr : it;
}

bool isTheirs(std::string_view key) {
  return key.starts_with("argocd.argoproj.io/") || key.starts_with(kFlux) || key.starts_with("helm.sh/hook") ||
         key == kHelmKeep;
}

enum class Replacing { no, inPlace, anew };

Replacing replacing(std::string_view key, const std::vector<std::string_view>& words) {
  const auto says = [&](std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); };
  if (key != kArgoOptions || !says("Replace=true")) return Replacing::no;
  return says("Force=true") ? Replacing::anew : Replacing::inPlace;
}

/// A hook of a kind that is not known is not applied as if it were none.
bool isHookKey(std::string_view key) { return key == kArgoHook || key == kHelmHook; }

/// Whether all words of a hook are ones that nobody runs here.
bool runsNever(std::string_view key, std::string_view text) {
  const auto words = wordsOf(text);
  return !words.empty() && std::all_of(words.begin(), words.end(), [&](std::string_view word) {
    const auto* row = rowOf(key, word);
    return row == nullptr || row->ask == Ask::leaveAlone || row->ask == Ask::leaveAloneAndSay;
  });
}

void take(const Row& row, SyncPolicy& out) {
  using Deletion = SyncPolicy::Deletion;
  const auto note = [&] { out.why = std::string(row.key) + ": " + std::string(row.word); };
  if (row.ask == Ask::keep || row.ask == Ask::keepOnPrune) out.prune = Deletion::never;
  if (row.ask == Ask::keep || row.ask == Ask::keepOnRemoval) out.removal = Deletion::never;
  if (row.ask == Ask::confirmPrune) out.prune = std::max(out.prune, Deletion::confirmed);
  if (row.ask == Ask::confirmRemoval) out.removal = std::max(out.removal, Deletion::confirmed);
  out.onlyCreate = out.onlyCreate || row.ask == Ask::onlyCreate;
  out.healthIgnored = out.healthIgnored || row.ask == Ask::ignoreHealth;
  if (row.ask == Ask::leaveAlone && !isHookKey(row.key)) {
    out.leaveAlone = true;
    out.prune = out.removal = Deletion::never;
  }
  if (row.ask != Ask::nothing) note();
}

void takeAnnotation(std::string_view key, std::string_view text, SyncPolicy& out) {
  const auto words = wordsOf(text);
  for (const auto word : words)
    if (const auto* row = rowOf(key, word)) take(*row, out);
  out.recreated = out.recreated || replacing(key, words) == Replacing::anew;
  if (isHookKey(key) && runsNever(key, text)) {
    out.leaveAlone = true;
    out.why = std::string(key) + ": " + std::string(text);
  }
}

}  // namespace

SyncPolicy syncPolicyOf(const json::object& object) {
  SyncPolicy out;
  const auto& metadata = objectAt(object, {"metadata"});
  for (const auto& [name, value] : objectAt(metadata, {"annotations"})) {
    const auto key = std::string_view(name.data(), name.size());
    if (value.is_string() && known(key)) takeAnnotation(key, view(value.get_string()), out);
  }
  // Flux takes its words from labels as well.
  for (const auto& [name, value] : objectAt(metadata, {"labels"})) {
    const auto key = std::string_view(name.data(), name.size());
    if (!value.is_string() || !key.starts_with(kFlux)) continue;
    if (const auto* row = rowOf(key, view(value.get_string()))) take(*row, out);
  }
  return out;
}

bool isState(const json::object& object) { return !isHook(object) && !syncPolicyOf(object).leaveAlone; }

std::vector<SyncRemark> remarksOnSync(const json::object& object) {
  std::vector<SyncRemark> out;
  for (const auto& member : objectAt(object, {"metadata", "annotations"})) {
    const auto key = std::string_view(member.key().data(), member.key().size());
    if (!isTheirs(key) || std::find(kSilent.begin(), kSilent.end(), key) != kSilent.end()) continue;
    const auto words =
        member.value().is_string() ? wordsOf(view(member.value().get_string())) : std::vector<std::string_view>{};
    if (replacing(key, words) == Replacing::inPlace)
      out.push_back({std::string(key),
                     "\"Replace=true\" is done by server-side apply here: fields that others added stay; with "
                     "Force=true a change makes the object anew"});
    if (!known(key)) out.push_back({std::string(key), "is not understood, and has no effect here"});
    else
      for (const auto word : words) {
        const auto* row = rowOf(key, word);
        if (row == nullptr)
          out.push_back({std::string(key), "\"" + std::string(word) + "\" is not understood, and has no effect here" +
                                               (isHookKey(key) ? "; the object is not applied" : "")});
        else if (row->ask == Ask::leaveAloneAndSay)
          out.push_back({std::string(key), "nothing runs a hook at " + std::string(word) + " here"});
      }
  }
  return out;
}

void checkSyncPolicy(const FieldPath& at, const json::object& object, RuleReport& report) {
  const auto& annotations = objectAt(object, {"metadata", "annotations"});
  for (const auto key : {kPrune, kReconcile, kHealth}) {
    const auto* value = annotations.if_contains(jkey(key));
    if (value == nullptr || !value->is_string() || rowOf(key, view(value->get_string())) != nullptr) continue;
    std::vector<std::string> words;
    for (const auto& row : kRows)
      if (row.key == key) words.emplace_back(row.word);
    report.unsupported(at.key(key), *value, words);
  }
}

const std::vector<std::string>& deletionWords() {
  static const std::vector<std::string> keys = [] {
    std::vector<std::string> out{"steersman.dev/wave", "argocd.argoproj.io/sync-wave"};
    for (const auto& row : kRows)
      if (row.ask != Ask::nothing && std::find(out.begin(), out.end(), row.key) == out.end()) out.emplace_back(row.key);
    return out;
  }();
  return keys;
}

}  // namespace steer
