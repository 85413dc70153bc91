#pragma once
// Kubernetes protobuf answers, encoded generically by the field numbers of the schemas: the other way round of
// schemas/protobuf.h. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "schemas/schema.h"

namespace steer {

/// Whether the kind has field numbers; kinds of definitions have none.
bool speaksProtobuf(const KindSchema& kind);

/// "k8s\0" + runtime.Unknown around the object. Values of another type than
/// their schema are left out. Errors: internal, when it is nested too deeply.
Result<std::string> encodeProtobuf(const KindSchema& kind, const json::object& object);

/// The message of one object without its envelope, for lists.
Result<std::string> protobufMessage(const KindSchema& kind, const json::object& object);
/// A list in its envelope. `meta`: a metav1.ListMeta; `items`: messages.
Result<std::string> protobufList(const SchemaRegistry& registry, std::string_view apiVersion, std::string_view kind,
                                 const json::object& meta, const std::vector<std::string>& items);
/// metav1.PartialObjectMetadata: a message with the metadata alone.
Result<std::string> protobufMetadata(const SchemaRegistry& registry, const json::object& metadata);
std::string protobufEnvelope(std::string_view apiVersion, std::string_view kind, std::string_view message);

/// One event of a watch: its length in 4 bytes, the highest first, and a metav1.WatchEvent. `object`: in its envelope.
std::string protobufFrame(std::string_view type, std::string_view object);

}  // namespace steer
