#include "reconciler/loop/application_removal.h"

#include <algorithm>

#include "reconciler/apply/planner.h"

namespace steer {
namespace {

constexpr Duration kAgain = seconds(1);

}  // namespace

std::optional<Time> ApplicationRemoval::step(Time now, const std::function<std::set<ObjectRef>()>& claimed) {
  if (finished_) return std::nullopt;
  if (run_) {
    if (const auto next = run_->step(now)) return next;
    for (const auto& row : run_->rows())
      if (row.error) message_ = run_->plan().changes[row.change].text() + ": " + row.error->message;
    const bool failed = run_->failures() != 0;
    run_.reset();
    return failed ? now + kAgain : now;
  }
  PlanOptions options;
  options.application = application_;
  options.account = account_;
  options.source = "deletion of the application";
  options.ending = PlanInput::Ending::yes;
  options.elsewhere = claimed();
  auto plan = makePlan(client_, {}, options);
  if (!plan.ok()) {
    message_ = "the cluster cannot be read: " + plan.error().message;
    return now + kAgain;
  }
  if (plan->empty()) {
    finished_ = true;
    return std::nullopt;
  }
  run_.emplace(client_, std::move(*plan));
  return now;
}

}  // namespace steer
