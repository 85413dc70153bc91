#pragma once
// Passwords and tokens in addresses (https://user:password@host, ?access_token=…), wherever such an address stands in a
// text. Who shows a text to others takes them out first. Pure.
#include <string>
#include <string_view>

#include "core/json.h"

namespace steer {

/// The text with "(sensitive)" for what a Git client or a database would log in with: the user and password of http(s)
/// addresses (a token may stand for the user), the password of all others, and what the query calls a token, password
/// or secret.
std::string withoutCredentials(std::string_view text);

/// The same for every text in a value.
json::value withoutCredentials(const json::value& value);

/// Whether the address itself says as whom it is to be read (http, https) or with which password (all).
bool holdsCredentials(std::string_view url);

}  // namespace steer
