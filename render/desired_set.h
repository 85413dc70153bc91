#pragma once
// DesiredSet: what a rendered tree asks the cluster to be. Every object has its kind, its namespace
// and its place; everything wrong in any file is a finding. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/diagnostics.h"
#include "core/object.h"
#include "render/rendered_tree.h"
#include "schemas/schema.h"

namespace steer {

struct DesiredObject {
  ObjectPtr object;  ///< with its namespace filled in
  ObjectRef ref;
  const KindSchema* kind = nullptr;
  Manifest source;  ///< points into the tree that the set keeps
  /// Findings about it. named: none of them is about which object it is; a copy whose name was not
  /// changed, or a namespace that does not exist, may be meant for another one.
  std::size_t errors = 0;
  bool named = true;

  SourcePos placeOf(std::string_view pointer) const { return source.placeOf(pointer); }
};

struct DesiredSet {
  std::vector<DesiredObject> objects;  ///< without those whose kind is unknown or that are declared twice
  Diagnostics findings;                ///< of all files, sorted; an object with an error must not be applied
  /// Every finding is about an object that is known by name. Otherwise an object that is not here may
  /// stand in what could not be read, so that nothing may be deleted.
  bool complete = true;
  RenderedTree tree;  ///< keeps the sources alive
};

struct DesiredOptions {
  std::string defaultNamespace = "default";
  /// Namespaces that exist in the cluster already; those every cluster has need not be named.
  std::set<std::string> existingNamespaces{};
  /// How the asker says that a namespace exists: "--existing-namespace"; empty = it asks a cluster.
  std::string existingFlag{};
};

/// One manifest with its kind, namespace and place; nothing when it has no known kind or no name.
std::optional<DesiredObject> desiredObject(const Manifest& manifest, const DesiredOptions& options);
/// The namespaces that every cluster has.
const std::set<std::string>& standingNamespaces();

/// The tree must have been rendered with a registry.
DesiredSet makeDesiredSet(const RenderedTree& tree, const DesiredOptions& options = {});

}  // namespace steer
