#pragma once
// Objects to log text and back. The text carries an empty resourceVersion: the revision is the key
// of the record, so that a body can be written as text before its revision is known.
// Thread rule: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "core/object.h"
#include "core/result.h"

namespace steer {

/// Sets metadata.resourceVersion (made if missing; keeps its place among the members).
void stampRevision(json::object& body, std::string_view revision);
/// The text of a body; leaves the body's resourceVersion empty.
std::string recordText(json::object& body);
/// The object that a record's text holds, at this revision. Errors: io when the text is damaged.
Result<ObjectPtr> objectOfRecord(std::string_view text, std::uint64_t revision);
/// The same object with another revision.
ObjectPtr atRevision(const Object& object, std::uint64_t revision);

}  // namespace steer
