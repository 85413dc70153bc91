#pragma once
// Structured merge: how apply sees an object through its schema. A place is a leaf (changed as a whole), an
// object or map of members, a set, or a list whose items have keys. Pure.
#include <string>

#include "core/json.h"
#include "schemas/field_set.h"
#include "schemas/schema.h"

namespace steer {

/// One place of an object, as the schema sees it.
struct Place {
  enum class Kind { leaf, object, map, set, keyedList };
  Kind kind = Kind::leaf;
  const TypeSchema* type = nullptr;    ///< of an object
  const FieldSchema* field = nullptr;  ///< of a map, a set or a keyed list

  static Place ofObject(const TypeSchema& type) { return {Kind::object, &type, nullptr}; }
  static Place ofField(const FieldSchema& field);
  /// The place of a member of an object or map; unknown members are leaves.
  Place member(std::string_view name) const;
  /// The place of an item of a keyed list or a value of a map.
  Place element() const;
};

/// The step to an item: "k:{…}" or "v:…".
std::string stepOf(const Place& list, const json::value& item);

/// Every field that the value says something about.
FieldSet fieldsOf(const Place& place, const json::value& value);

/// What differs: `changed` exists afterwards, `removed` does not.
struct FieldChanges {
  FieldSet changed;
  FieldSet removed;
};
FieldChanges compareFields(const Place& place, const json::value& before, const json::value& after);

/// `live` with what `applied` says; places that `applied` leaves out stay.
json::value mergeApplied(const Place& place, json::value live, const json::value& applied);

/// Removes the places of `gone` from the value, except those that `kept` or something under them needs.
/// Containers that become empty by it go too. Returns whether the value itself is left without content.
bool removeFields(const Place& place, json::value& value, const FieldSet& gone, const FieldSet& kept);

}  // namespace steer
