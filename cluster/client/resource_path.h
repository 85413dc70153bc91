#pragma once
// Resource keys to URL paths. Pure functions.
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>

#include "core/gvk.h"
#include "core/result.h"

namespace steer {

/// "/api/v1/namespaces/shop/pods/web/status"; the name and subresource parts only when not empty.
/// Errors: notFound for a resource that the schemas do not know.
Result<std::string> resourcePath(const ObjectRef& ref, std::string_view subresource = "");

/// "?a=b&c=d" of the pairs with a value, "" when none has one.
std::string queryText(std::initializer_list<std::pair<std::string_view, std::string>> pairs);

/// Percent-encoding of everything but letters, digits and -._~.
std::string percentEncoded(std::string_view text);

}  // namespace steer
