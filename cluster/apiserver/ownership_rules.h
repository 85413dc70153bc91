#pragma once
// Who may write as the reconciler: its field manager is the proof of an application's inventory and of whose child an
// application is (schemas/ownership_proof.h), so that name is nobody's to choose. It is open to those who hold all
// rights, and to those who hold the verb `reconcile` on the application that the object is written for. A write that
// is judged as somebody else (Write::actAs) is proven by who sends it. Pure.
#include "cluster/apiserver/authorizer.h"
#include "cluster/apiserver/write_planner.h"

namespace steer {

/// Before a write is planned: whether `sender` may use the field manager that it names. Errors: forbidden.
Result<void> admitManager(const Authorizer& authorizer, const Identity& sender, const Snapshot& view,
                          const Write& write);

/// After it is planned: no object gains fields of the reconciler's manager by any other way, and no application that
/// reads its parent's source is pointed elsewhere in it. Errors: forbidden.
Result<void> admitOwnership(const Authorizer& authorizer, const Identity& sender, const Snapshot& view,
                            const Write& write, const PlannedWrite& planned);

/// The sender holds all rights.
bool holdsEverything(const Authorizer& authorizer, const Identity& who, const Snapshot& view);

}  // namespace steer
