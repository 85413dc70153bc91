#pragma once
// Objects and lists in the form (object, table, metadata alone) and the coding (JSON, YAML, protobuf) that a client
// wants. Pure.
#include "cluster/apiserver/answers.h"
#include "cluster/apiserver/list_pages.h"
#include "cluster/apiserver/negotiation.h"
#include "cluster/apiserver/table.h"
#include "schemas/schema.h"

namespace steer {

struct Shaping {
  const KindSchema& kind;
  Wanted wanted;
  IncludeObject include = IncludeObject::metadata;  ///< of tables
  Time now{};
};

Response objectAnswer(const Shaping& shaping, const ObjectPtr& object, int status = 200);
Response listAnswer(const Shaping& shaping, const Page& page);
/// A body of a kind as it is: a Scale, a review, a Status.
Response bodyAnswer(const KindSchema& kind, const json::object& body, const Wanted& wanted, int status = 200);
/// A metav1.Status: JSON unless protobuf is wanted.
Response statusAnswer(const json::object& body, const Wanted& wanted, int status);
/// errorAnswer in the coding that is wanted.
Response errorAnswer(const Error& error, const StatusSubject& subject, const Wanted& wanted);

/// The object of one event of a watch, in its envelope. Only where protobuf is wanted.
Result<std::string> protobufEvent(const KindSchema& kind, Wanted::Form form, const json::object& object);

}  // namespace steer
