#pragma once
// ApplicationRunner: the reconciler of the root application on a thread of its own, next to a
// control plane. Thread rule: construct and destroy on one thread.
#include <memory>
#include <string>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "core/result.h"
#include "reconciler/git/git_source.h"

namespace steer::cli {

class ApplicationRunner {
 public:
  /// The client must outlive it. The clone lives in dataDir.
  ApplicationRunner(SourceOptions source, const std::string& dataDir, Client& client, const Clock& clock);
  ~ApplicationRunner();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace steer::cli
