#pragma once
// The delete budget: which plans delete so much, or such things, that a person must say yes first. Pure.
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "reconciler/plan/plan.h"

namespace steer {

struct DeleteVerdict {
  bool needsConfirmation = false;
  std::string reason{};                  ///< "7 of 12 objects (58 %) would be deleted; …"
  std::vector<std::string> deletions{};  ///< "ConfigMap shop/a", in the order of the plan
  /// SHA-256 of what would be deleted: the same for every plan that deletes just these objects, whatever
  /// else it does.
  std::string deletionsDigest{};
};

/// A namespace, a claim or a volume (they hold data) always needs a confirmation, and so does an Application
/// that takes its objects along.
DeleteVerdict checkDeletions(const Plan& plan, const DeleteBudget& budget);

/// What the trailers of the commit itself say of the deletions of its plan.
enum class TrailerSays { nothing, yes, other };

/// "needs confirmation: 7 of 12 objects …; nothing of this commit is applied until …". An empty commit: of a change
/// that is no commit yet.
std::string confirmationText(const DeleteVerdict& verdict, std::string_view commit,
                             TrailerSays says = TrailerSays::nothing);
/// "confirmed by the commit's trailer: 7 of 12 objects …".
std::string confirmedText(const DeleteVerdict& verdict);

/// What a confirmation in a commit's message looks like.
std::string confirmationTrailer(const DeleteVerdict& verdict);

/// The values of the trailer `Steersman-Confirm-Delete` in the last paragraph of a commit's message.
std::vector<std::string> confirmedDigests(std::string_view message);

/// Whether a person named this plan: one of the digests, in full or its first twelve digits at least.
bool confirms(const std::vector<std::string>& digests, std::string_view planDigest, const DeleteVerdict& verdict);

/// The question that the loop asks before it deletes, and a plan before anything is pushed. `digests`: those that the
/// commit's message names.
TrailerSays trailerSays(const std::vector<std::string>& digests, const Plan& plan, const DeleteVerdict& verdict);

}  // namespace steer
