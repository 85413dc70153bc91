#pragma once
// Kubernetes protobuf request bodies, decoded generically by the field numbers of the schemas.
#include <string_view>

#include "core/json.h"
#include "core/result.h"
#include "schemas/schema.h"

namespace steer {

/// Media type of such bodies.
inline constexpr std::string_view kProtobufType = "application/vnd.kubernetes.protobuf";

/// The envelope "k8s\0" + runtime.Unknown; returns the object as JSON with apiVersion and kind.
/// Zero values of non-pointer scalars are dropped. Errors: badRequest, unsupported kind.
Result<json::object> decodeProtobuf(const SchemaRegistry& registry, std::string_view body);

}  // namespace steer
