#pragma once
// How an object wants to be treated by whoever applies it, as its annotations say: ours (steersman.dev/prune,
// steersman.dev/reconcile, steersman.dev/health) and those of Argo CD, Flux and Helm, so that what must not be deleted
// there is not deleted here; Flux's stand in labels, too, in any case. What is not understood of theirs is a remark.
// Pure. Sources: Argo CD's documentation of sync options and resource hooks, Flux's of kustomize-controller, Helm's of
// hooks and resource policies.
#include <string>
#include <vector>

#include "core/json.h"

namespace steer {

class FieldPath;
class RuleReport;

struct SyncPolicy {
  enum class Deletion { allowed, confirmed, never };
  /// When it left the source; confirmed: a person says yes first.
  Deletion prune = Deletion::allowed;
  /// When its application goes.
  Deletion removal = Deletion::allowed;
  bool leaveAlone = false;  ///< neither made, nor changed, nor deleted
  bool onlyCreate = false;  ///< made where it is not there, and left as it lives then
  bool healthIgnored = false;
  bool recreated = false;  ///< a change of it is its deletion and a new one (Argo CD's Force=true,Replace=true)
  std::string why{};       ///< the annotation that keeps it: "argocd.argoproj.io/sync-options: Prune=false"
};

SyncPolicy syncPolicyOf(const json::object& object);

/// Compared, healed and waited for; false for hooks and for what is left alone.
bool isState(const json::object& object);

struct SyncRemark {
  std::string key;      ///< of the annotation
  std::string message;  ///< "PrunePropagationPolicy=orphan is not understood, and has no effect here"
};
/// What other tools would do with this object and nobody does here.
std::vector<SyncRemark> remarksOnSync(const json::object& object);

/// Findings about our own annotations. `at` is metadata.annotations.
void checkSyncPolicy(const FieldPath& at, const json::object& object, RuleReport& report);

/// The annotations, and labels of Flux, that say whether an object may be deleted, and in which order.
const std::vector<std::string>& deletionWords();

}  // namespace steer
