#pragma once
// HookRun: one hook on its way: its last run removed, the Job made, its end awaited. It never blocks:
// step() does what can be done and says when to call again. Thread rule: one owner.
// Failure rule: a Job that fails, vanishes or takes too long is an error of the hook; a server that
// cannot be reached is asked again until the time is over.
#include <optional>
#include <string>

#include "cluster/client/client.h"
#include "reconciler/plan/hooks.h"

namespace steer {

class HookRun {
 public:
  /// account: Plan::account.
  HookRun(Client& client, PlannedHook hook, std::string run, Duration timeout, std::string account)
      : client_(client),
        hook_(std::move(hook)),
        run_(hook_.repeated && !run.empty() ? run + "/" + hookName(hook_.when) : std::move(run)),
        timeout_(timeout),
        account_(std::move(account)) {}

  /// Nothing = over; a time = call again then.
  std::optional<Time> step(Time now);
  bool begun() const { return phase_ != Phase::begin; }
  bool over() const { return phase_ == Phase::over; }
  bool succeeded() const { return over() && !error_; }
  const std::optional<Error>& error() const { return error_; }
  const PlannedHook& hook() const { return hook_; }
  /// runMark of this run.
  std::string mark() const { return runMark(hook_, run_); }
  /// "Job shop/migrate: running, 0 of 1 completion".
  std::string state() const { return hook_.text() + ": " + state_; }

 private:
  enum class Phase { begin, removing, creating, running, over };
  void look();
  Write asAccount(Write write) const;
  void create();
  void fail(Errc code, std::string message);
  void removeRun();

  Client& client_;
  PlannedHook hook_;
  std::string run_;
  Duration timeout_;
  std::string account_;
  Phase phase_ = Phase::begin;
  std::optional<Time> until_;
  std::optional<Error> error_;
  std::string state_ = "not started";
};

}  // namespace steer
