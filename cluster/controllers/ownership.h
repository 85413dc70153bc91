#pragma once
// Controller references: making them, taking orphans in, letting strangers go. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/controller.h"
#include "core/selector.h"

namespace steer {

/// An ownerReference with controller and blockOwnerDeletion set.
json::object controllerRef(const Object& owner);
/// A patch that removes the references to these uids; fails with conflict when the object moved on.
Write dropOwners(const std::string& resource, const Object& object, const std::vector<std::string>& ownerUids);

struct Claim {
  std::vector<ObjectPtr> owned;  ///< those that count, adopted ones included
  std::vector<Write> writes;     ///< adoptions and releases
};

/// The objects of a resource that the owner controls: its own whose labels match, and matching
/// ones without a controller, which it adopts. Its own that stopped matching are released. A
/// deleting owner neither adopts nor releases. Orphans that `adoptable` refuses are left alone.
Claim claimOwned(const Snapshot& snapshot, const std::string& resource, const Object& owner,
                 const LabelSelector& selector, bool (*adoptable)(const Object&));

/// Keys of owners of `ownerKind` for a changed object: its controller, before and after, and for
/// an orphan every owner in the namespace that selects it. `selectorOf` reads an owner's selector.
std::vector<Controller::Key> ownerKeys(const Snapshot& snapshot, std::string_view ownerResource,
                                       std::string_view ownerKind, const ObjectPtr& before, const ObjectPtr& after,
                                       LabelSelector (*selectorOf)(const Object&));

/// The namespace is being deleted: nothing new is accepted there, and whoever waits for a successor waits in vain.
bool namespaceEnds(const Snapshot& snapshot, const std::string& ns);

}  // namespace steer
