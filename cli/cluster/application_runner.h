#pragma once
// ApplicationRunner: the reconciler of all applications on a thread of its own, next to a control
// plane. Thread rule: construct and destroy on one thread.
#include <memory>
#include <optional>
#include <string>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "core/result.h"
#include "reconciler/git/git_source.h"

namespace steer::cli {

class ApplicationRunner {
 public:
  /// root: what the application steersman-system/root follows from now on; nothing = as it is, if it is
  /// there. The client must outlive it. Clones live in dataDir. Errors: those of making the root.
  static Result<std::unique_ptr<ApplicationRunner>> start(std::optional<SourceOptions> root,
                                                          std::vector<std::string> allowedSources,
                                                          const std::string& dataDir, Client& client,
                                                          const Clock& clock);
  ~ApplicationRunner();

 private:
  struct State;
  explicit ApplicationRunner(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer::cli
