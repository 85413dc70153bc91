#pragma once
// Objects to log text and back. The text carries an empty resourceVersion: the revision is the key
// of the record, so that a body can be written as text before its revision is known.
// Thread rule: pure functions.
#include <cstdint>
#include <string>
#include <string_view>

#include "cluster/store/log_backend.h"
#include "core/object.h"
#include "core/result.h"

namespace steer {

/// Sets metadata.resourceVersion (made if missing; keeps its place among the members).
void stampRevision(json::object& body, std::string_view revision);
/// The text of a body; leaves the body's resourceVersion empty.
std::string recordText(json::object& body);
struct ReadRecord {
  ObjectPtr object;
  bool repaired = false;  ///< the text or the name was not as a store of today writes it
};
/// The object that a record holds, at its revision. What an older version wrote and no reader takes is brought into
/// shape (record_check.h), and the object is what its record says it is. Errors: io when there is no object in it.
Result<ReadRecord> readRecord(const LogRecord& record);
/// The same object with another revision.
ObjectPtr atRevision(const Object& object, std::uint64_t revision);

}  // namespace steer
