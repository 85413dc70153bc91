#pragma once
// Garbage collection through ownerReferences: background, foreground and orphan. Pure. A key is one
// object: ns = "<resource>|<namespace>", name = its name.
// Source of the rules: Kubernetes documentation, "Garbage Collection" and "Owners and Dependents".
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/controller.h"

namespace steer {

struct Collection {
  std::string resource;
  bool namespaced = true;
};

/// The collection of a kind; nothing for kinds that are not served (their dependents are left alone).
using CollectionOf = std::function<std::optional<Collection>(const Gvk&)>;

std::unique_ptr<Controller> makeGarbageController(std::vector<std::string> resources, CollectionOf collectionOf);

}  // namespace steer
