// Objects that several applications ask for: the first keeps it, and all of them say so.
#include <algorithm>
#include <atomic>

#include "reconciler/loop/application_loop.h"

namespace steer {
namespace {

std::string othersText(const std::set<std::string>& labels) {
  std::string out;
  for (const auto& label : labels) out += (out.empty() ? "" : ", ") + label;
  return (labels.size() == 1 ? "application " : "applications ") + out;
}

}  // namespace

std::uint64_t ApplicationLoop::nextClaimsVersion() {
  static std::atomic<std::uint64_t> last{0};
  return ++last;
}

std::string ApplicationLoop::contestText() const {
  const auto& known = leftToOthers_.empty() ? contested_ : plannedContests_;
  const auto first = std::find_if(known.begin(), known.end(), [this](const auto& entry) {
    return leftToOthers_.empty() || leftToOthers_.contains(entry.first);
  });
  if (first == known.end()) return "another application keeps what is asked for here";
  const auto count = leftToOthers_.empty() ? known.size() : leftToOthers_.size();
  return first->first.text() + " is asked for by " + othersText(first->second) + ", too, and " +
         (leftToOthers_.empty() ? "kept here" : "left to whoever had it first") +
         (count == 1 ? "" : " (and " + std::to_string(count - 1) + " more)");
}

bool ApplicationLoop::setContested(ContestedObjects contested, Time now) {
  const bool same = contested == contested_;
  contested_ = std::move(contested);
  const auto over = std::erase_if(leftToOthers_, [this](const ObjectRef& ref) { return !contested_.contains(ref); });
  if (same && over == 0) return false;
  if (contested_.empty()) status_.dropCondition("SoleOwner");
  else status_.setCondition("SoleOwner", false, "Contested", contestText(), now);
  if (over != 0) {
    attempts_ = 0;
    retryDue_ = now;  // what was left to another one may be taken now
  }
  return true;
}

/// What of a plan another application keeps.
void ApplicationLoop::noteContested(const Plan& plan) {
  for (const auto& change : plan.changes) {
    const auto contest = plannedContests_.find(change.ref);
    if (contest != plannedContests_.end() && !change.refusal.empty() && change.action == PlanAction::none)
      leftToOthers_.insert(change.ref);
    else leftToOthers_.erase(change.ref);
  }
}

}  // namespace steer
