#pragma once
// Which controllers run, as kube-controller-manager's `--controllers` says it. Pure values.
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace steer {

/// A name of Kubernetes' and the short one that older versions had.
struct ControllerName {
  std::string_view name;
  std::string_view shortName;
};

class ControllerSelection {
 public:
  /// "*" = all, "NAME" = this one, "-NAME" = not this one; in the order given, the first word about a controller holds.
  /// Errors: badRequest for a name that no controller has, with those that there are.
  static Result<ControllerSelection> parse(std::string_view list);
  /// All of them.
  ControllerSelection() = default;

  bool runs(const ControllerName& controller) const;
  /// The names of those that do not run, sorted, between commas.
  std::string idle() const;

 private:
  std::vector<std::string> words_{"*"};
};

}  // namespace steer
