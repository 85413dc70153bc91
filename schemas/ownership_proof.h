#pragma once
// The proof that the reconciler applied an object for an application: the label that names the application, and an
// Apply entry of the reconciler's field manager in metadata.managedFields that holds this very label. The server lets
// only the reconciler (and who holds as much) write under that manager's name, so neither a label nor a name alone
// proves anything. Pure.
#include <string>

#include "core/json.h"

namespace steer {

inline constexpr const char* kReconcilerManager = "steersman";
inline constexpr const char* kOwnerLabel = "steersman.dev/application";

/// The label of the application that applied this object; empty when none is proven.
std::string provenOwner(const json::object& object);

/// The fields of an entry that carry the proof, for those who are shown nothing else of the object.
json::object proofFields();

}  // namespace steer
