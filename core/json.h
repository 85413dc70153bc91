#pragma once
// JSON as Boost.JSON values, plus the few read-only look-ups that every room needs.
// Integers stay int64/uint64; doubles stay doubles. Thread rule: plain values.
#include <boost/json.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

namespace json = boost::json;

/// Parses one JSON document. Depth is limited to 512; of duplicate keys the last wins
/// (schemas/ reports them where that matters). The message
/// names the byte offset and never quotes the content.
Result<json::value> parseJson(std::string_view text);

/// Compact text with keys in the order they stand in the value.
std::string jsonText(const json::value& v);
std::string jsonText(const json::object& o);
/// The same, added to a text.
void appendJson(std::string& out, const json::value& v);
void appendJson(std::string& out, const json::object& o);
/// Two-space indented text, ends without a new line.
std::string jsonPretty(const json::value& v);
/// Compact text with keys sorted at every level: equal values give equal text.
std::string jsonCanonical(const json::value& v);

/// Walks object members; nullptr when a step is missing or not an object.
const json::value* find(const json::value& v, std::initializer_list<std::string_view> path);
const json::value* find(const json::object& o, std::initializer_list<std::string_view> path);

/// Reads with a fallback for "missing or of another type".
std::string_view stringAt(const json::value& v, std::initializer_list<std::string_view> path,
                          std::string_view fallback = "");
std::string_view stringAt(const json::object& o, std::initializer_list<std::string_view> path,
                          std::string_view fallback = "");
std::int64_t intAt(const json::value& v, std::initializer_list<std::string_view> path, std::int64_t fallback = 0);
std::int64_t intAt(const json::object& o, std::initializer_list<std::string_view> path, std::int64_t fallback = 0);
bool boolAt(const json::value& v, std::initializer_list<std::string_view> path, bool fallback = false);
bool boolAt(const json::object& o, std::initializer_list<std::string_view> path, bool fallback = false);
/// The member as an object or array; a static empty one when missing or of another type.
const json::object& objectAt(const json::value& v, std::initializer_list<std::string_view> path);
const json::object& objectAt(const json::object& o, std::initializer_list<std::string_view> path);
const json::array& arrayAt(const json::value& v, std::initializer_list<std::string_view> path);
const json::array& arrayAt(const json::object& o, std::initializer_list<std::string_view> path);
/// Any JSON number that is an integer, as int64.
std::optional<std::int64_t> asInt(const json::value& v);

/// Makes the member an object if it is missing or null, and returns it; a value of another type
/// is replaced.
json::object& ensureObject(json::object& parent, std::string_view key);
json::array& ensureArray(json::object& parent, std::string_view key);

inline std::string_view view(const json::string& s) { return {s.data(), s.size()}; }
inline json::string_view jkey(std::string_view s) { return {s.data(), s.size()}; }

}  // namespace steer
