#pragma once
// FieldSet: which fields of an object, as the tree that metadata.managedFields[].fieldsV1 holds. A step is
// spelled as there: "f:spec" (member), "k:{\"name\":\"web\"}" (item of a keyed list), "v:\"x\"" (item of a set).
// Thread rule: a plain value. Source of the encoding: the Kubernetes documentation, "Server-Side Apply".
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/json.h"

namespace steer {

/// A step as it stands in a path: ".spec", "[name=\"web\"]", "[=\"x\"]".
std::string pathTextOf(const std::string& step);

class FieldSet {
 public:
  /// Members of `tree` that are not understood read as plain steps.
  static FieldSet fromFieldsV1(const json::object& tree);
  json::object toFieldsV1() const;

  bool empty() const { return !self_ && children_.empty(); }
  /// The place itself is in the set, not only something under it.
  bool self() const { return self_; }
  void addSelf() { self_ = true; }
  /// The node one step down, made when missing.
  FieldSet& child(std::string step);
  /// nullptr when nothing at or under the step is in the set.
  const FieldSet* find(std::string_view step) const;
  void erase(std::string_view step);
  using Children = std::vector<std::pair<std::string, FieldSet>>;
  const Children& children() const { return children_; }
  /// A node from its children in any order; those of one step are united, empty ones left out.
  static FieldSet ofChildren(Children children);
  std::size_t size() const;

  FieldSet unionWith(const FieldSet& other) const;
  FieldSet intersect(const FieldSet& other) const;
  FieldSet minus(const FieldSet& other) const;
  bool operator==(const FieldSet&) const = default;

  /// ".spec.containers[name=\"web\"].image", sorted.
  std::vector<std::string> paths() const;

 private:
  void collectPaths(const std::string& prefix, std::vector<std::string>& out) const;

  bool self_ = false;
  Children children_;  // sorted by step, none empty after set operations
};

}  // namespace steer
