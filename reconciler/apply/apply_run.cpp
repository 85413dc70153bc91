#include "reconciler/apply/apply_run.h"

#include <algorithm>

#include "core/rfc3339.h"
#include "reconciler/apply/apply_stages.h"

namespace steer {
namespace {

constexpr Duration kLookAgain = milliseconds(100);
constexpr Duration kWatchAgain = milliseconds(500);
constexpr const char* kNobody = "00000000-0000-0000-0000-000000000000";  ///< no object has this uid

/// Workloads take their pods along before they are made anew, or two generations would run at once.
Propagation propagationOf(const PlannedChange& c, bool awaited) {
  const bool workload = c.wave == Wave::workloads && c.gvk.kind != "Pod";
  return workload && (c.action == PlanAction::replace || awaited) ? Propagation::foreground : Propagation::background;
}

}  // namespace

ApplyRun::ApplyRun(Client& client, Plan plan, ApplyOptions options)
    : client_(client), plan_(std::move(plan)), options_(std::move(options)) {
  StageBuilder(*this).build();
}

Write ApplyRun::removalOf(const PlannedChange& c, bool awaited) const {
  DeleteOptions options;
  options.propagation = propagationOf(c, awaited);
  options.uid = c.live->uid();  // never another object of the same name
  Write out = Write::remove(c.ref, options);
  out.actAs = plan_.account;
  return out;
}

Write ApplyRun::writeFor(const Pending& pending) const {
  const auto& c = plan_.changes[rows_[pending.row].change];
  const bool gone = pending.phase == Pending::Phase::await;
  if (c.action == PlanAction::remove || (c.action == PlanAction::replace && !gone))
    return removalOf(c, stages_[stage_].awaitGone);
  Write out = Write::apply(c.ref.resource, options_.lookAgain ? boundBody(c, gone) : c.wanted, kFieldManager,
                           c.conflicts == OwnershipPolicy::Conflicts::take);
  out.actAs = plan_.account;
  return out;
}

/// The object as it is wanted, on the condition that it lives as it did when it was looked at, or not at all.
json::object ApplyRun::boundBody(const PlannedChange& c, bool anew) const {
  json::object body = c.wanted;
  auto& metadata = ensureObject(body, "metadata");
  if (c.live && !anew) metadata["resourceVersion"] = std::to_string(c.live->revision());
  metadata["uid"] = c.live && !anew ? c.live->uid() : kNobody;
  return body;
}

/// All of a step or nothing of it.
std::optional<Time> ApplyRun::writeBound(Stage& stage, const std::vector<Pending>& writing, std::vector<Write> writes,
                                         std::vector<Pending> left, Time now) {
  const auto answers = client_.batch(std::move(writes), {OnError::undo, false, Answer::brief});
  const bool refused = std::any_of(answers.begin(), answers.end(), [](const auto& a) { return !a.ok(); });
  for (std::size_t i = 0; i < writing.size() && i < answers.size(); ++i) {
    Pending pending = writing[i];
    Row& row = rows_[pending.row];
    auto& change = plan_.changes[row.change];
    if (!refused) {
      settle(pending, answers[i], now, left);
      continue;
    }
    const auto code = answers[i].ok() ? Errc::cancelled : answers[i].error().code;
    if (code == Errc::notFound && change.action == PlanAction::remove) {
      row.done = true;
    } else if (code == Errc::cancelled) {
      left.push_back(pending);
    } else if (code == Errc::conflict && change.action != PlanAction::remove &&
               ++pending.attempts < options_.attempts) {
      const auto fresh = options_.lookAgain(change);
      if (!fresh.ok()) {
        row.error = fresh.error();
        stop_ = {Stop::Why::stale, fresh.error().message};
        break;
      }
      change.live = *fresh;
      left.push_back(pending);
    } else {
      row.error = answers[i].error();
      stop_ = {Stop::Why::stale, change.text() + ": " + row.error->message + "; nothing of this step was written"};
      break;
    }
  }
  stage.pending = std::move(left);
  if (stop_ || stage.pending.empty()) return std::nullopt;
  return refused ? now : now + kLookAgain;
}

void ApplyRun::settle(Pending& pending, const Result<ObjectPtr>& answer, Time now, std::vector<Pending>& left) {
  Row& row = rows_[pending.row];
  const auto action = plan_.changes[row.change].action;
  const bool writing = pending.phase == Pending::Phase::write;
  const bool removing = action == PlanAction::remove || (action == PlanAction::replace && writing);
  const bool already = removing && !answer.ok() && answer.error().code == Errc::notFound;
  if (answer.ok() || already) {
    row.error.reset();
    if (answer.ok()) row.result = *answer;
    row.done = action != PlanAction::replace || !writing;
    const bool awaits = action == PlanAction::replace || stages_[stage_].awaitGone;
    if (removing && writing && awaits && !(already && action == PlanAction::remove))
      left.push_back({pending.row, Pending::Phase::await, 0, now + options_.removalTimeout});
    return;
  }
  row.error = answer.error();
  if (factsOf(answer.error().code).retryable && ++pending.attempts < options_.attempts) left.push_back(pending);
}

void ApplyRun::await(Pending& pending, Time now, std::vector<Pending>& left) {
  Row& row = rows_[pending.row];
  const auto& c = plan_.changes[row.change];
  if (pending.until == Time{}) pending.until = now + options_.removalTimeout;
  const auto there = client_.get(c.ref);
  const bool gone = !there.ok() && there.error().code == Errc::notFound;
  if (!gone && !(there.ok() && (*there)->uid() != c.live->uid())) {
    waitingFor_ = c.text() + ": is being deleted";
    if (now < pending.until) left.push_back(pending);
    else if (c.action == PlanAction::replace)
      row.error = makeError(Errc::timeout, "the old object did not go away in time, so it was not made anew");
    return;
  }
  if (c.action == PlanAction::replace) settle(pending, client_.write(writeFor(pending)), now, left);
}

std::optional<Time> ApplyRun::write(Stage& stage, Time now) {
  std::vector<Pending> left;
  std::vector<Pending> writing;
  for (auto& pending : stage.pending) {
    if (pending.phase == Pending::Phase::await) await(pending, now, left);
    else writing.push_back(pending);
  }
  std::vector<Write> writes;
  for (const auto& pending : writing) writes.push_back(writeFor(pending));
  if (!writes.empty() && options_.lookAgain) return writeBound(stage, writing, std::move(writes), std::move(left), now);
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
  if (stage.pending.empty()) return std::nullopt;
  return now + (retry ? options_.retryAfter : kLookAgain);
}

/// What makes way is asked for by what comes next; everything else waits for a run in which nothing fails.
bool ApplyRun::holdsBack(const Stage& stage) const {
  const auto& first = plan_.changes[rows_[stage.rows.front()].change];
  if (!first.makesWayFor.name.empty()) return false;
  const bool failed = std::any_of(rows_.begin(), rows_.end(), [&](const Row& r) {
    return r.error && !r.done && plan_.changes[r.change].action != PlanAction::remove;
  });
  return failed || std::any_of(plan_.changes.begin(), plan_.changes.end(), [](const PlannedChange& c) {
           return c.action == PlanAction::none && !c.refusal.empty();
         });
}

std::optional<Time> ApplyRun::remove(Stage& stage, Time now) {
  if (!holdsBack(stage)) return write(stage, now);
  for (const auto index : stage.rows)
    if (!rows_[index].done) rows_[index].heldBack = true;
  stage.pending.clear();
  return std::nullopt;
}

std::optional<Time> ApplyRun::watch(Stage& stage, Time now, const LookUp& lookUp) {
  if (!stage.watch) {
    stage.watch.emplace();
    stage.until = now + options_.healthTimeout;
    std::vector<const Row*> rowOf(plan_.changes.size(), nullptr);
    for (const auto& row : rows_) rowOf[row.change] = &row;
    for (const auto index : stage.watched) {
      const auto* row = rowOf[index];
      if (row != nullptr && !row->done) continue;  // it was refused, and is reported as that
      stage.watch->add(plan_.changes[index], row == nullptr ? nullptr : row->result);
    }
  }
  const LookUp ask = [this](const ObjectRef& ref) {
    auto there = client_.get(ref);
    return there.ok() ? *there : ObjectPtr{};
  };
  const auto gone = [this](const ObjectRef& ref) {
    const auto there = client_.get(ref);
    return !there.ok() && there.error().code == Errc::notFound;
  };
  const auto worst = stage.watch->look(lookUp ? lookUp : ask, gone);
  if (worst.state == HealthState::healthy) return std::nullopt;
  waitingFor_ = worst.reason;
  if (worst.state == HealthState::degraded) stop_ = {Stop::Why::degraded, worst.reason};
  else if (now >= *stage.until)
    stop_ = {Stop::Why::timedOut,
             "wave " + std::to_string(stage.syncWave) + " is not healthy in time; still waiting for " + worst.reason};
  return std::min(*stage.until, now + kWatchAgain);
}

std::optional<Time> ApplyRun::runHooks(Stage& stage, Time now) {
  std::optional<Time> again;
  for (auto& hook : stage.hooks) {
    const auto next = hook.step(now);
    if (next) waitingFor_ = hook.state();
    if (next && (!again || *next < *again)) again = next;
  }
  if (again) return again;
  for (const auto& hook : stage.hooks)
    if (hook.error() && !stop_)
      stop_ = {Stop::Why::hookFailed,
               std::string(hookName(hook.hook().when)) + " hook " + hook.hook().text() + ": " + hook.error()->message};
  return std::nullopt;
}

/// What stops the run leads to the hooks that run when it failed; without a failure they are passed over.
void ApplyRun::advance(bool stageOver) {
  const bool failing = stages_[stage_].kind == Stage::Kind::failHooks;
  if (stop_ && !failing) {
    while (stage_ < stages_.size() && stages_[stage_].kind != Stage::Kind::failHooks) ++stage_;
  } else if (stageOver) {
    ++stage_;
  }
  if (!stop_ && failures() == 0)
    while (stage_ < stages_.size() && stages_[stage_].kind == Stage::Kind::failHooks) ++stage_;
}

std::optional<Time> ApplyRun::step(Time now, const LookUp& lookUp) {
  if (finished()) return std::nullopt;
  Stage& stage = stages_[stage_];
  waitingFor_.clear();
  std::optional<Time> again;
  switch (stage.kind) {
    case Stage::Kind::changes:
      again = write(stage, now);
      break;
    case Stage::Kind::removals:
      again = remove(stage, now);
      break;
    case Stage::Kind::health:
      again = watch(stage, now, lookUp);
      break;
    case Stage::Kind::hooks:
    case Stage::Kind::failHooks:
      again = runHooks(stage, now);
      break;
  }
  advance(!again);
  if (finished()) return std::nullopt;
  return again ? again : std::optional(now);
}

bool ApplyRun::interruptible() const {
  if (finished()) return true;
  const auto& pending = stages_[stage_].pending;
  return std::none_of(pending.begin(), pending.end(), [&](const Pending& p) {
    return p.phase == Pending::Phase::await && plan_.changes[rows_[p.row].change].action == PlanAction::replace;
  });
}

std::string ApplyRun::stageName() const { return finished() ? "" : nameOf(stages_[stage_]); }

std::vector<ApplyRun::Step> ApplyRun::steps() const {
  std::vector<Step> out;
  for (const auto& stage : stages_) {
    if (stage.rows.empty()) continue;
    const auto done = std::count_if(stage.rows.begin(), stage.rows.end(), [&](std::size_t i) { return rows_[i].done; });
    out.push_back({nameOf(stage), stage.rows.size(), static_cast<std::size_t>(done)});
  }
  return out;
}

std::string ApplyRun::nameOf(const Stage& stage) const {
  const std::string wave = "wave " + std::to_string(stage.syncWave);
  switch (stage.kind) {
    case Stage::Kind::health:
      return "health of " + (manyWaves_ ? wave : "what was applied");
    case Stage::Kind::hooks:
    case Stage::Kind::failHooks:
      return std::string(hookName(stage.hooks.front().hook().when)) + " hooks";
    case Stage::Kind::removals:
    case Stage::Kind::changes:
      break;
  }
  return (manyWaves_ ? wave + ": " : "") + (stage.kind == Stage::Kind::removals ? "delete " : "") +
         waveName(stage.wave);
}

std::vector<const HookRun*> ApplyRun::hooks() const {
  std::vector<const HookRun*> out;
  for (const auto& stage : stages_)
    for (const auto& hook : stage.hooks)
      if (stage.kind != Stage::Kind::failHooks || hook.begun()) out.push_back(&hook);
  return out;
}

std::size_t ApplyRun::failures() const {
  return static_cast<std::size_t>(
      std::count_if(rows_.begin(), rows_.end(), [](const Row& r) { return r.error.has_value() && !r.done; }));
}

std::size_t ApplyRun::completed() const {
  return static_cast<std::size_t>(std::count_if(rows_.begin(), rows_.end(), [](const Row& r) { return r.done; }));
}

}  // namespace steer
