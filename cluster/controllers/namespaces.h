#pragma once
// Namespaces: what each one is born with, and how one ends. Pure.
#include <memory>
#include <string>
#include <vector>

#include "core/controller.h"

namespace steer {

/// Empties a Terminating namespace (pods first), says what holds it, and finalizes it.
/// `resources`: every namespaced collection that can be deleted.
std::unique_ptr<Controller> makeNamespaceController(std::vector<std::string> resources);

struct NamespaceGifts {
  std::string rootCaPem;         ///< for ConfigMap kube-root-ca.crt; empty = no such map
  bool serviceAccounts = false;  ///< the kind is served: each namespace has the account `default`
};
std::unique_ptr<Controller> makeNamespaceGiftsController(NamespaceGifts gifts);

}  // namespace steer
