#pragma once
// ApplicationRemoval: deletes what an application owns, in reverse order, before its object goes; hooks of its deletion
// run before and after. Thread rule: one owner. Failure rule: what cannot be deleted now is tried again, without end:
// the object stays until everything was deleted, and tells what it waits for. A hook that failed is run again when a
// person has deleted its object; one whose namespace is gone can never run, and is passed over.
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/loop/deletion_hooks.h"

namespace steer {

class ApplicationRemoval {
 public:
  struct Options {
    std::string application;  ///< its label
    std::string account{};    ///< Plan::account
    std::string run{};        ///< what the hooks run for: another one for each deletion
    Duration healthTimeout = minutes(10);
  };
  /// kept: must outlive this.
  ApplicationRemoval(Client& client, const DeletionHooks& kept, Options options)
      : client_(client), kept_(kept), options_(std::move(options)) {}

  /// claimed: what other applications ask for stays.
  std::optional<Time> step(Time now, const std::function<std::set<ObjectRef>()>& claimed);
  bool finished() const { return phase_ == Phase::finished; }
  const std::string& message() const { return message_; }

 private:
  enum class Phase { before, objects, after, finished };
  std::optional<Time> runHooks(Hook when, Phase next, Time now);
  /// When to look again; nothing = it is passed over.
  std::optional<Time> afterFailure(const HookRun& failed, Time now);
  std::optional<Time> removeObjects(Time now, const std::function<std::set<ObjectRef>()>& claimed);

  Client& client_;
  const DeletionHooks& kept_;
  Options options_;
  std::optional<std::vector<PlannedHook>> hooks_;
  Phase phase_ = Phase::before;
  std::size_t hook_ = 0;
  std::optional<HookRun> hookRun_;
  std::optional<Time> hookFailed_;
  std::optional<ApplyRun> run_;
  std::string message_ = "its objects are being deleted";
};

}  // namespace steer
