#pragma once
// Hooks that run when an application is deleted, before and after its objects go. When that happens nobody may be able
// to read its source any more, so what the last applied commit says of them is kept in a file of the data directory
// (0600: manifests may hold secrets). Thread rule: one owner. Failure rule: a file that cannot be read is an error
// of whoever asks; none at all is no hooks.
#include <string>
#include <vector>

#include "core/result.h"
#include "reconciler/plan/hooks.h"

namespace steer {

class DeletionHooks {
 public:
  explicit DeletionHooks(std::string dir) : dir_(std::move(dir)) {}

  /// Of this application, which is now as these objects say. What cannot be written is logged.
  void keep(const std::string& application, const std::vector<WantedObject>& wanted) const;
  /// In the order in which they run; each carries the application's label. Errors: io.
  Result<std::vector<PlannedHook>> of(const std::string& application) const;
  void forget(const std::string& application) const;

 private:
  std::string fileOf(const std::string& application) const { return dir_ + "/" + application + ".json"; }
  std::string dir_;
};

}  // namespace steer
