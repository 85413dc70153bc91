#pragma once
// Objects that go by themselves when they have done what they were made for: Jobs with ttlSecondsAfterFinished. Such a
// Job is made once for what its manifest says, as a hook is, and its absence is no drift. Pure.
#include <map>
#include <string>

#include "core/object.h"

namespace steer {

/// Object → digest of the manifest that was carried out.
using RanOnce = std::map<ObjectRef, std::string>;

bool goesByItself(const json::object& body);
/// Whether or not it carries its application's label.
std::string manifestDigest(const json::object& body);
/// It was made once as it is written now.
bool ranAsWritten(const RanOnce& ran, const ObjectRef& ref, const json::object& body);

/// status.ranOnce of an Application.
json::array ranOnceJson(const RanOnce& ran);
RanOnce ranOnceIn(const json::object& status);

}  // namespace steer
