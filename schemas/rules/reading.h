#pragma once
// How rules read an object: a member that is missing, null or of another type reads as Go's zero value. Pure.
#include <algorithm>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "schemas/field_path.h"
#include "schemas/rules.h"

namespace steer {

/// The member unless it is missing or null: what a Go pointer holds.
inline const json::value* given(const json::object& o, std::string_view name) {
  const auto* value = o.if_contains(jkey(name));
  return value == nullptr || value->is_null() ? nullptr : value;
}
inline const json::object* part(const json::object& o, std::string_view name) {
  const auto* value = given(o, name);
  return value == nullptr ? nullptr : value->if_object();
}
inline std::string_view text(const json::object& o, std::string_view name) { return stringAt(o, {name}); }
inline std::int64_t number(const json::object& o, std::string_view name, std::int64_t fallback = 0) {
  return intAt(o, {name}, fallback);
}
inline bool flag(const json::object& o, std::string_view name) { return boolAt(o, {name}); }
inline const json::object& members(const json::object& o, std::string_view name) { return objectAt(o, {name}); }
inline const json::array& items(const json::object& o, std::string_view name) { return arrayAt(o, {name}); }
inline json::value quoted(std::string_view value) { return json::value(jkey(value)); }

/// visit(path, object) for each item of a list of objects; an item of another type reads as an empty object.
template <class Visit>
void eachObject(const FieldPath& at, const json::object& o, std::string_view name, Visit visit) {
  static const json::object kNothing;
  const auto list = at.field(name);
  std::size_t i = 0;
  for (const auto& item : items(o, name)) {
    const auto here = list.item(i++);
    const auto* body = item.if_object();
    visit(here, body == nullptr ? kNothing : *body);
  }
}

/// visit(path, text) for each item of a list of texts.
template <class Visit>
void eachText(const FieldPath& at, const json::object& o, std::string_view name, Visit visit) {
  const auto list = at.field(name);
  std::size_t i = 0;
  for (const auto& item : items(o, name)) {
    const auto here = list.item(i++);
    visit(here, item.is_string() ? view(item.get_string()) : std::string_view());
  }
}

inline bool isOneOf(std::string_view value, std::initializer_list<std::string_view> known) {
  return std::find(known.begin(), known.end(), value) != known.end();
}

enum class Empty { allowed, required, unsupported };

/// NotSupported unless the value is known; what an empty one is, the caller says.
inline void checkEnum(const FieldPath& at, std::string_view value, const std::vector<std::string>& known,
                      RuleReport& report, Empty empty = Empty::allowed) {
  if (value.empty() && empty == Empty::allowed) return;
  if (value.empty() && empty == Empty::required) return report.required(at);
  if (std::find(known.begin(), known.end(), value) == known.end()) report.unsupported(at, quoted(value), known);
}

/// Required when the text is empty.
inline bool checkPresent(const FieldPath& at, const json::object& o, std::string_view name, RuleReport& report) {
  if (!text(o, name).empty()) return true;
  report.required(at.field(name));
  return false;
}

inline void checkNotNegative(const FieldPath& at, const json::object& o, std::string_view name, RuleReport& report) {
  const auto n = number(o, name);
  if (n < 0) report.invalid(at.field(name), n, "must be greater than or equal to 0");
}

}  // namespace steer
