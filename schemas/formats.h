#pragma once
// Syntax of scalar values: what is wrong with a JSON value for a scalar type. Pure.
#include <optional>
#include <string>
#include <string_view>

#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

/// "string", "number", "boolean", "object", "array", "null".
std::string_view jsonTypeName(const json::value& v);

struct ScalarProblem {
  bool wrongType = false;  ///< else the type is right and the value is not
  std::string message;     ///< never quotes the value
};

/// `value` is not null.
std::optional<ScalarProblem> checkScalar(Scalar scalar, const json::value& value);

bool isQuantity(std::string_view text);
/// A Go duration such as "1h30m".
bool isDuration(std::string_view text);
bool isBase64(std::string_view text);
/// The whole number before '%' of "25%"; nothing when it is no percentage.
std::optional<int> percentOf(std::string_view text);
/// Bytes that a base64 text stands for.
std::size_t base64Size(std::string_view text);

}  // namespace steer
