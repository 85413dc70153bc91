#pragma once
// SharedRepositories: the repositories that applications follow, one object and one bare clone for each remote and way
// of reaching it. Thread rule: one owner. Failure rule: none of its own; a repository tells its followers.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/executor.h"
#include "core/loop.h"
#include "reconciler/loop/application_spec.h"
#include "reconciler/loop/repository.h"

namespace steer {

/// Names what may be shared: applications with the same key read one clone. base: what the application is reached with
/// where it names no Secret.
std::string repositoryKey(const ApplicationSpec& spec, const RemoteCredentials& base);

class SharedRepositories {
 public:
  /// dir: clones are made below it.
  /// transfers: for conversations with remotes; executor: for what is on this machine.
  SharedRepositories(std::string dir, Executor& executor, TransferExecutor& transfers, Waker waker)
      : dir_(std::move(dir)), executor_(executor), transfers_(transfers), waker_(std::move(waker)) {}

  /// The one with this key; made when nobody follows it yet.
  std::shared_ptr<Repository> open(const std::string& key, const SourceOptions& source);
  /// Steps all of them; when to call again.
  std::optional<Time> step(Time now);
  /// Somebody asked one of them for something since the last step.
  bool asked() const;
  /// Lets those go that nobody follows and nothing works on: their keys.
  std::vector<std::string> dropUnused();

 private:
  std::string dir_;
  Executor& executor_;
  TransferExecutor& transfers_;
  Waker waker_;
  std::map<std::string, std::shared_ptr<Repository>> all_;
};

}  // namespace steer
