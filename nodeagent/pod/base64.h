#pragma once
// RFC 4648 base64, as the data of Secrets is written. Pure.
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

/// Errors: invalid; never quotes the content.
Result<std::string> decodeBase64(std::string_view text);

}  // namespace steer
