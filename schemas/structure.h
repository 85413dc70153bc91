#pragma once
// Structured merge: how apply sees an object through its schema. A place is a leaf (changed as a whole), an
// object or map of members, a set, or a list whose items have keys. Pure.
// The rules are those of sigs.k8s.io/structured-merge-diff, which decides field ownership in Kubernetes.
#include <string>
#include <vector>

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
  bool isList() const { return kind == Kind::set || kind == Kind::keyedList; }
  bool isMap() const { return kind == Kind::object || kind == Kind::map; }
  /// Whether the value has the JSON shape that the place stands for, or is null; else it is treated as a leaf.
  bool fits(const json::value& value) const;
};

/// The step to an item: "k:{…}" or "v:…".
std::string stepOf(const Place& list, const json::value& item);

/// Every field that the value says something about. Objects and lists count by what is in them; an item of a list
/// and an empty or null member count themselves.
FieldSet fieldsOf(const Place& place, const json::value& value);

/// What differs: `changed` exists afterwards (added or modified), `removed` does not. What comes or goes as a whole is
/// in the set itself, with all that is in it. Items of one key are compared together, as one value.
struct FieldChanges {
  FieldSet changed;
  FieldSet removed;
};
FieldChanges compareFields(const Place& place, const json::value& before, const json::value& after);

/// `live` with what `applied` says; places that `applied` leaves out stay. Items of a list stand in the order of
/// `applied`, those of others where they stood between them.
json::value mergeApplied(const Place& place, json::value live, const json::value& applied);

/// What a manager drops: the members of `merged` that its last set named and that neither its new word nor another
/// manager needs. `last` is what the manager owned; `owned` all that anybody owns now.
json::value pruneDropped(const Place& place, json::value merged, const FieldSet& last, const FieldSet& owned);

/// Keyed lists and sets with two items of one key: an apply cannot say which is meant.
struct RepeatedItem {
  std::string path;     ///< ".spec.template.spec.containers[name=\"c\"].env"
  std::string pointer;  ///< "/spec/template/spec/containers/0/env/1": the item that comes too much
  std::string key;      ///< "[name=\"A\"]"
  const FieldSchema* list = nullptr;
};
std::vector<RepeatedItem> repeatedItems(const Place& place, const json::value& value);

}  // namespace steer
