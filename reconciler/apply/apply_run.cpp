#include "reconciler/apply/apply_run.h"

#include <algorithm>

namespace steer {
namespace {

constexpr Duration kLookAgain = milliseconds(100);

/// Workloads take their pods along before they are made anew, or two generations would run at once.
Propagation propagationOf(const PlannedChange& c) {
  if (c.action == PlanAction::remove) return Propagation::background;
  return c.wave == Wave::workloads && c.gvk.kind != "Pod" ? Propagation::foreground : Propagation::background;
}

Write removalOf(const PlannedChange& c) {
  DeleteOptions options;
  options.propagation = propagationOf(c);
  options.uid = c.live->uid();  // never another object of the same name
  return Write::remove(c.ref, options);
}

}  // namespace

ApplyRun::ApplyRun(Client& client, Plan plan, ApplyOptions options)
    : client_(client), plan_(std::move(plan)), options_(options) {
  for (std::size_t i = 0; i < plan_.changes.size(); ++i) {
    const auto& c = plan_.changes[i];
    if (c.action == PlanAction::none) continue;
    const bool removal = c.action == PlanAction::remove;
    if (stages_.empty() || stages_.back().wave != c.wave || stages_.back().removal != removal)
      stages_.push_back({c.wave, removal, {}});
    rows_.push_back({i});
    stages_.back().pending.push_back({rows_.size() - 1});
  }
}

Write ApplyRun::writeFor(const Pending& pending) const {
  const auto& c = plan_.changes[rows_[pending.row].change];
  const bool gone = pending.phase == Pending::Phase::await;
  if (c.action == PlanAction::remove || (c.action == PlanAction::replace && !gone)) return removalOf(c);
  return Write::apply(c.ref.resource, c.wanted, kFieldManager, c.conflicts == OwnershipPolicy::Conflicts::take);
}

void ApplyRun::settle(Pending& pending, const Result<ObjectPtr>& answer, Time now, std::vector<Pending>& left) {
  Row& row = rows_[pending.row];
  const auto action = plan_.changes[row.change].action;
  const bool removing =
      action == PlanAction::remove || (action == PlanAction::replace && pending.phase == Pending::Phase::write);
  const bool already = removing && !answer.ok() && answer.error().code == Errc::notFound;
  if (answer.ok() || already) {
    row.error.reset();
    if (action == PlanAction::replace && pending.phase == Pending::Phase::write) {
      left.push_back({pending.row, Pending::Phase::await, 0, now + options_.removalTimeout});
      return;
    }
    row.done = true;
    if (answer.ok()) row.result = *answer;
    return;
  }
  row.error = answer.error();
  if (factsOf(answer.error().code).retryable && ++pending.attempts < options_.attempts) left.push_back(pending);
}

void ApplyRun::await(Pending& pending, Time now, std::vector<Pending>& left) {
  Row& row = rows_[pending.row];
  const auto& c = plan_.changes[row.change];
  const auto there = client_.get(c.ref);
  const bool gone = !there.ok() && there.error().code == Errc::notFound;
  if (!gone && !(there.ok() && (*there)->uid() != c.live->uid())) {
    if (now < pending.until) left.push_back(pending);
    else row.error = makeError(Errc::timeout, "the old object did not go away in time, so it was not made anew");
    return;
  }
  settle(pending, client_.write(writeFor(pending)), now, left);
}

std::optional<Time> ApplyRun::step(Time now) {
  if (finished()) return std::nullopt;
  Stage& stage = stages_[stage_];
  std::vector<Pending> left;
  std::vector<Pending> writing;
  for (auto& pending : stage.pending) {
    if (pending.phase == Pending::Phase::await) await(pending, now, left);
    else writing.push_back(pending);
  }
  std::vector<Write> writes;
  for (const auto& pending : writing) writes.push_back(writeFor(pending));
  if (!writes.empty()) {
    const auto answers = client_.batch(std::move(writes), {OnError::proceed, false, Answer::brief});
    const Result<ObjectPtr> missing = makeError(Errc::internal, "the server gave no answer for this object");
    for (std::size_t i = 0; i < writing.size(); ++i)
      settle(writing[i], i < answers.size() ? answers[i] : missing, now, left);
  }
  // Something replaced may be gone by now: look at once, then again after a pause.
  const bool retry =
      std::any_of(left.begin(), left.end(), [](const Pending& p) { return p.phase == Pending::Phase::write; });
  stage.pending = std::move(left);
  if (!stage.pending.empty()) return now + (retry ? options_.retryAfter : kLookAgain);
  ++stage_;
  return finished() ? std::nullopt : std::optional(now);
}

std::string ApplyRun::stageName() const {
  if (finished()) return "";
  const auto& stage = stages_[stage_];
  return (stage.removal ? "delete " : "") + std::string(waveName(stage.wave));
}

std::size_t ApplyRun::failures() const {
  return static_cast<std::size_t>(
      std::count_if(rows_.begin(), rows_.end(), [](const Row& r) { return r.error.has_value() && !r.done; }));
}

std::size_t ApplyRun::completed() const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Row& r) { return r.done; }));
}

}  // namespace steer
