#include "reconciler/loop/application_removal.h"

#include <algorithm>

#include "core/log.h"
#include "reconciler/apply/planner.h"

namespace steer {
namespace {

constexpr Duration kAgain = seconds(1);
constexpr Duration kFailedAgain = minutes(1);  ///< for a failed hook whose object went by its own policy

}  // namespace

std::optional<Time> ApplicationRemoval::step(Time now, const std::function<std::set<ObjectRef>()>& claimed) {
  switch (phase_) {
    case Phase::before:
      return runHooks(Hook::preDelete, Phase::objects, now);
    case Phase::objects:
      return removeObjects(now, claimed);
    case Phase::after:
      return runHooks(Hook::postDelete, Phase::finished, now);
    case Phase::finished:
      break;
  }
  return std::nullopt;
}

std::optional<Time> ApplicationRemoval::runHooks(Hook when, Phase next, Time now) {
  if (!hooks_) {
    auto read = kept_.of(options_.application);
    if (!read.ok()) {
      message_ = read.error().message;
      return now + kFailedAgain;
    }
    hooks_ = std::move(*read);
  }
  const auto& hooks = *hooks_;
  while (hook_ < hooks.size() && hooks[hook_].when != when) ++hook_;
  if (hook_ == hooks.size()) {
    hook_ = 0;
    phase_ = next;
    message_ = "its objects are being deleted";
    return now;
  }
  if (!hookRun_) hookRun_.emplace(client_, hooks[hook_], options_.run, options_.healthTimeout, options_.account);
  const auto again = hookRun_->step(now);
  message_ = std::string(hookName(when)) + " hook " + hookRun_->state();
  if (again) return again;
  if (!hookRun_->succeeded())
    if (const auto later = afterFailure(*hookRun_, now)) return later;
  hookRun_.reset();
  hookFailed_.reset();
  ++hook_;
  return now;
}

std::optional<Time> ApplicationRemoval::afterFailure(const HookRun& failed, Time now) {
  const auto& hook = failed.hook();
  message_ = std::string(hookName(hook.when)) + " hook " + hook.text() + ": " + failed.error()->message;
  const auto home = client_.get({"namespaces", "", hook.ref.ns});
  if (!hook.ref.ns.empty() && !home.ok() && home.error().code == Errc::notFound) {
    log::warn("a hook cannot run", {{"app", options_.application}, {"hook", hook.text()}, {"why", message_}});
    return std::nullopt;
  }
  if (!hookFailed_) hookFailed_ = now;
  const auto left = client_.get(hook.ref);
  const bool gone = !left.ok() && left.error().code == Errc::notFound;
  const bool ending = home.ok() && (*home)->deleting();
  if (ending || (gone && now >= *hookFailed_ + kFailedAgain)) {
    hookRun_.reset();
    hookFailed_.reset();
  }
  return now + kAgain;
}

std::optional<Time> ApplicationRemoval::removeObjects(Time now, const std::function<std::set<ObjectRef>()>& claimed) {
  if (run_) {
    if (const auto next = run_->step(now)) return next;
    for (const auto& row : run_->rows())
      if (row.error) message_ = run_->plan().changes[row.change].text() + ": " + row.error->message;
    const bool failed = run_->failures() != 0;
    run_.reset();
    return failed ? now + kAgain : now;
  }
  PlanOptions options;
  options.application = options_.application;
  options.account = options_.account;
  options.source = "deletion of the application";
  options.ending = PlanInput::Ending::yes;
  options.elsewhere = claimed();
  auto plan = makePlan(client_, {}, options);
  if (!plan.ok()) {
    message_ = "the cluster cannot be read: " + plan.error().message;
    return now + kAgain;
  }
  if (plan->empty()) {
    phase_ = Phase::after;
    return now;
  }
  run_.emplace(client_, std::move(*plan));
  return now;
}

}  // namespace steer
