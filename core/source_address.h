#pragma once
// Where the address of a repository leads, as far as its text says: to this machine (a path, file://, loopback,
// link-local), or into the network. Pure.
#include <string>
#include <string_view>
#include <vector>

namespace steer {

/// A directory, file://, localhost, or an address of this machine or its link in any way of writing it (127.1,
/// 2130706433, [::ffff:127.0.0.1]). What cannot be understood counts as this machine.
bool namesThisMachine(std::string_view url);

/// The same address without user and password, and a path without "..": what patterns are compared with.
std::string comparableSource(std::string_view url);

/// Whether one of the patterns (`*` and `?`, where `*` also crosses slashes) covers the address as a whole.
bool anyCovers(const std::vector<std::string>& patterns, std::string_view url);

}  // namespace steer
