#pragma once
// Base64 of RFC 4648 with padding, as JSON and PEM write bytes. Thread rule: pure functions.
#include <optional>
#include <string>
#include <string_view>

namespace steer {

std::string toBase64(std::string_view bytes);
/// White space between the letters is skipped. Nothing when the text is no base64.
std::optional<std::string> fromBase64(std::string_view text);

}  // namespace steer
