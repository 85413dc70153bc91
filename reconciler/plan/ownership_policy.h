#pragma once
// Ownership policy of an application: which fields it leaves to others, and what it does when
// another manager holds a field that it wants. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"

namespace steer {

/// What other managers hold at these places is left to them. Empty texts and lists mean "any"; kind,
/// namespace, name and managers may hold `*` and `?`.
struct IgnoredFields {
  std::string apiVersion{};
  std::string kind{};
  std::string ns{};
  std::string name{};
  std::vector<std::string> managers{};
  /// "spec.replicas", "/spec/replicas", "spec.template.spec.containers[name=web].image",
  /// "metadata.annotations['example.org/x']"; `*` is any one step. What lies below is meant, too.
  std::vector<std::string> paths{};
};

struct OwnershipPolicy {
  enum class Conflicts { take, refuse };
  /// refuse: an object with a field that another manager holds with another value is not applied.
  Conflicts conflicts = Conflicts::take;
  std::vector<IgnoredFields> ignored{};
  /// What these managers hold, anywhere, is left to them.
  std::vector<std::string> respectedManagers{};

  bool empty() const { return ignored.empty() && respectedManagers.empty(); }
  /// Whether any rule may touch this object.
  bool concerns(const json::object& body) const;
};

/// A pattern of IgnoredFields::paths that cannot be read, in words; empty when it can.
std::string pathPatternProblem(std::string_view pattern);

/// Takes out of `body` what the policy leaves to others, given the live object. A field that nobody
/// else holds stays. Returns the fields, as "spec.replicas to kube-autoscaler".
std::vector<std::string> leaveToOthers(json::object& body, const Object& live, const OwnershipPolicy& policy);

/// Whether a text fits a pattern with `*` and `?`.
bool globMatches(std::string_view pattern, std::string_view text);

}  // namespace steer
