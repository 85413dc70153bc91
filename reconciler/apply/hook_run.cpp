#include "reconciler/apply/hook_run.h"

#include "reconciler/health/health.h"

namespace steer {
namespace {

constexpr Duration kLookAgain = milliseconds(250);

/// A Job or a Pod has run when it is complete, anything else when it is healthy.
bool complete(const Object& job) {
  if (job.kind() == "Pod") return stringAt(job.status(), {"phase"}) == "Succeeded";
  if (job.kind() != "Job") return assessHealth(job).state == HealthState::healthy;
  for (const auto& condition : arrayAt(job.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Complete" && stringAt(condition, {"status"}) == "True") return true;
  return false;
}

}  // namespace

void HookRun::fail(Errc code, std::string message) {
  error_ = makeError(code, std::move(message));
  phase_ = Phase::over;
  if (hook_.end.removedOnFailure) removeRun();
}

/// As its delete policy says. What cannot be removed now goes before the next run.
void HookRun::removeRun() {
  DeleteOptions options;
  options.propagation = Propagation::background;
  (void)client_.write(asAccount(Write::remove(hook_.ref, options)));
}

Write HookRun::asAccount(Write write) const {
  write.actAs = account_;
  return write;
}

void HookRun::look() {
  const auto there = client_.get(hook_.ref);
  if (!there.ok() && there.error().code != Errc::notFound) {
    state_ = "the cluster cannot be read: " + there.error().message;
    return;
  }
  if (!there.ok()) {
    if (phase_ == Phase::running) return fail(Errc::notFound, "was deleted before it was complete");
    if (phase_ == Phase::begin && hook_.gone && hook_.gone->contains(mark())) {
      state_ = "has run already";
      phase_ = Phase::over;
      return;
    }
    phase_ = Phase::creating;
    return;
  }
  const Object& job = **there;
  // A Job that somebody else made is no run of ours, whatever it says.
  const bool ours = ownedBy(job, stringAt(hook_.wanted, {"metadata", "labels", kApplicationLabel}));
  if (phase_ != Phase::running && !run_.empty() && ours && ranAs(job, run_) && !job.deleting()) phase_ = Phase::running;
  if (phase_ == Phase::running) {
    const auto health = assessHealth(job);
    state_ = health.reason;
    if (complete(job)) {
      phase_ = Phase::over;
      if (hook_.end.removedOnSuccess) removeRun();
    } else if (health.state == HealthState::degraded) fail(Errc::internal, health.reason);
    return;
  }
  state_ = "its last run is being removed";
  if (phase_ == Phase::removing && job.deleting()) return;
  DeleteOptions options;
  options.uid = job.uid();
  options.propagation = Propagation::foreground;                      // pods of two runs must not meet
  (void)client_.write(asAccount(Write::remove(hook_.ref, options)));  // asked again as long as it is there
  phase_ = Phase::removing;
}

void HookRun::create() {
  const auto made =
      client_.write(asAccount(Write::apply(hook_.ref.resource, hookJob(hook_, run_), kFieldManager, true)));
  if (made.ok()) phase_ = Phase::running;
  else if (!factsOf(made.error().code).retryable) return fail(made.error().code, made.error().message);
  state_ = made.ok() ? "started" : "cannot be made: " + made.error().message;
}

std::optional<Time> HookRun::step(Time now) {
  if (over()) return std::nullopt;
  if (!until_) until_ = now + timeout_;
  if (phase_ == Phase::creating) create();
  else look();
  if (phase_ == Phase::creating) create();
  if (over()) return std::nullopt;
  if (now >= *until_) {
    fail(Errc::timeout, "was not complete in time; " + state_);
    return std::nullopt;
  }
  return std::min(*until_, now + kLookAgain);
}

}  // namespace steer
