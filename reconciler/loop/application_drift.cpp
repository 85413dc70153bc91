// What an application does about drift: heal, report or ignore it; and break glass.
#include <algorithm>

#include "core/log.h"
#include "core/rfc3339.h"
#include "reconciler/apply/planner.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/plan/drift.h"

namespace steer {
namespace {

constexpr Duration kGather = milliseconds(200);  ///< changes that come together are reported together

json::object referenceTo(const Object& object) {
  return {{"kind", object.kind()},
          {"apiVersion", object.gvk().apiVersion()},
          {"name", object.name()},
          {"namespace", object.ns()},
          {"uid", object.uid()}};
}

/// "data.k changed by kubectl-edit".
std::string driftWords(const ObjectDrift& drift) {
  if (drift.missing) return "deleted";
  std::string out;
  for (const auto& field : drift.fields) {
    if (field.kind != DriftedField::Kind::lost) continue;
    out += (out.empty() ? "" : ", ") + field.path + (field.after ? " changed" : " removed") +
           (field.manager.empty() ? "" : " by " + field.manager);
  }
  return out;
}

}  // namespace

json::object ApplicationLoop::applicationReference() const {
  return {{"kind", "Application"},
          {"apiVersion", "steersman.dev/v1"},
          {"name", options_.objectName},
          {"namespace", options_.ns}};
}

void ApplicationLoop::emitEvent(json::object involved, const std::string& ns, const std::string& type,
                                const std::string& reason, const std::string& message, Time now) {
  const auto name = std::string(stringAt(involved, {"name"}));
  const auto stamp = std::to_string(now.time_since_epoch().count()) + "-" + std::to_string(++events_);
  json::object event{{"apiVersion", "v1"},
                     {"kind", "Event"},
                     {"metadata", {{"name", name + "." + stamp}, {"namespace", ns.empty() ? "default" : ns}}},
                     {"involvedObject", std::move(involved)},
                     {"type", type},
                     {"reason", reason},
                     {"message", message},
                     {"source", {{"component", kFieldManager}}},
                     {"firstTimestamp", formatTime(now)},
                     {"lastTimestamp", formatTime(now)},
                     {"count", 1}};
  (void)client_.write(Write::create("events", std::move(event)));
}

void ApplicationLoop::noteDrift(const DriftWatch::Suspect& suspect, Time now) {
  json::object involved{{"name", suspect.ref.name}, {"namespace", suspect.ref.ns}};
  for (const auto& w : *wanted_)
    if (w.ref == suspect.ref) {
      involved["kind"] = stringAt(w.body, {"kind"});
      involved["apiVersion"] = stringAt(w.body, {"apiVersion"});
    }
  emitEvent(
      std::move(involved), suspect.ref.ns, "Warning", "DriftHealed",
      suspect.how + "; put back to commit " + (isKept(suspect.ref) ? kept_.commit() : wantedCommit_).substr(0, 12),
      now);
}

/// The time until which a live object is left alone; nothing when it is not.
std::optional<Time> ApplicationLoop::glassOf(const Object& live, const ObjectRef& ref, Time now) {
  const std::string text(live.annotation(kBreakGlass));
  if (text.empty()) return std::nullopt;
  const auto until = parseTime(text);
  if (until) return *until > now ? until : std::nullopt;
  if (badGlass_[ref] != text) {
    badGlass_[ref] = text;
    emitEvent(referenceTo(live), live.ns(), "Warning", "BreakGlassInvalid",
              std::string("annotation ") + kBreakGlass +
                  " is no RFC 3339 time such as 2026-01-31T18:00:00Z; it is not honoured",
              now);
  }
  return std::nullopt;
}

/// Brings glass_ in line with what lives: all wanted objects, or the suspects alone.
void ApplicationLoop::lookForGlass(Time now) {
  std::map<ObjectRef, Glass> found;
  for (const auto& ref : drift_.marked()) {
    const auto live = drift_.wanted().contains(ref) ? drift_.live().get(ref) : nullptr;
    if (!live) continue;
    if (const auto until = glassOf(*live, ref, now)) {
      const auto before = glass_.find(ref);
      found[ref] = {live->text(), live->kind(), before == glass_.end() ? "" : before->second.how, *until};
    }
  }
  glass_ = std::move(found);
  showGlass();
}

void ApplicationLoop::showGlass() {
  json::array list;
  for (const auto& [ref, glass] : glass_)
    list.push_back(json::object{{"object", glass.object}, {"until", formatTime(glass.until)}});
  if (list.empty()) status_.setDetail("breakGlass", nullptr);
  else status_.setDetail("breakGlass", std::move(list));
}

/// Whose time is over is looked at like any other object that changed.
void ApplicationLoop::releaseGlass(Time now) {
  for (auto it = glass_.begin(); it != glass_.end();) {
    if (it->second.until > now) {
      want(it->second.until);
      ++it;
      continue;
    }
    drift_.suspect(it->first, it->second.how.empty() ? "changed while the glass was broken" : it->second.how);
    it = glass_.erase(it);
    showGlass();
  }
}

/// Takes out of the suspects those that are to be left alone.
void ApplicationLoop::holdGlass(std::vector<DriftWatch::Suspect>& suspects, Time now) {
  const auto kept = [&](const DriftWatch::Suspect& suspect) {
    const auto live = drift_.live().get(suspect.ref);
    const auto until = live ? glassOf(*live, suspect.ref, now) : std::nullopt;
    if (!until) {
      if (glass_.erase(suspect.ref) != 0) showGlass();
      return false;
    }
    glass_[suspect.ref] = {live->text(), live->kind(), suspect.how, *until};
    showGlass();
    want(*until);
    return true;
  };
  std::erase_if(suspects, kept);
}

bool ApplicationLoop::mayHeal() const {
  if (!haveWanted_ || settings_.suspend) return false;
  const bool waits = pending_ || sync_ == Sync::blocked || (operation_ && operation_->held());
  return waits ? keepsOld() : !operation_ || operation_->waiting();
}

void ApplicationLoop::heal(Time now) {
  if (!mayHeal() || mending_) return;
  const bool waits = pending_ || sync_ == Sync::blocked || (operation_ && operation_->held());
  if (waits && settings_.drift != DriftMode::heal) return;
  if (mendDue_ && now < *mendDue_) return want(mendDue_);
  mendDue_.reset();
  releaseGlass(now);
  if (driftDue_ && now >= *driftDue_) reportDrift(now);
  auto suspects = drift_.takeDue(now);
  if (suspects.empty() || settings_.drift == DriftMode::ignore) return;
  if (settings_.drift == DriftMode::report) {
    if (!driftDue_) driftDue_ = now + kGather;
    return want(driftDue_);
  }
  holdGlass(suspects, now);
  const auto kept = std::stable_partition(suspects.begin(), suspects.end(),
                                          [&](const auto& suspect) { return !isKept(suspect.ref); });
  if (kept != suspects.end()) mend({kept, suspects.end()}, now);
  suspects.erase(kept, suspects.end());
  if (suspects.empty() || waits) return;
  std::vector<WantedObject> some;
  for (const auto& suspect : suspects)
    for (const auto& w : *wanted_)
      if (w.ref == suspect.ref) some.push_back(w);
  PlanOptions options = planning();
  options.application = options_.name;
  options.source = "commit " + wantedCommit_.substr(0, 12);
  options.scope = PlanOptions::Scope::theseOnly;
  auto plan = makePlan(client_, std::move(some), options);
  if (!plan.ok()) {
    resyncDue_ = now + seconds(1);  // look at everything again as soon as the cluster answers
    return;
  }
  if (plan->empty()) return;
  healWith(std::move(*plan), suspects, now);
}

/// Tells of what a plan puts back; a line for each object.
std::vector<std::string> ApplicationLoop::noteHealings(const Plan& plan,
                                                       const std::vector<DriftWatch::Suspect>& suspects, Time now) {
  std::vector<std::string> lines;
  for (const auto& suspect : suspects) {
    const auto change = std::find_if(plan.changes.begin(), plan.changes.end(), [&](const PlannedChange& c) {
      return c.ref == suspect.ref && c.action != PlanAction::none;
    });
    if (change == plan.changes.end()) continue;
    lines.push_back(change->text() + ": " + suspect.how);
    noteDrift(suspect, now);
    drift_.noteHealed(suspect.ref, now);
    log::warn("drift is healed", {{"app", options_.name}, {"object", change->text()}, {"how", suspect.how}});
  }
  return lines;
}

void ApplicationLoop::healWith(Plan plan, const std::vector<DriftWatch::Suspect>& suspects, Time now) {
  const auto lines = noteHealings(plan, suspects, now);
  if (!operation_) begin("drift", Operation::WhenEmpty::record, now);
  auto& drift = operation_->record().drift;
  drift.insert(drift.end(), lines.begin(), lines.end());
  if (operation_->phase() == Operation::Phase::watching) operation_->add(std::move(plan));
  else operation_->startOver();
}

/// Compares everything with the source and shows what differs, without touching it.
void ApplicationLoop::reportDrift(Time now) {
  driftDue_.reset();
  PlanOptions options = planning();
  options.application = options_.name;
  options.source = "commit " + wantedCommit_.substr(0, 12);
  options.scope = PlanOptions::Scope::theseOnly;
  options.live = PlanOptions::Live::all;
  const auto plan = makePlan(client_, *wanted_, options);
  if (!plan.ok()) {
    driftDue_ = now + seconds(1);
    return want(driftDue_);
  }
  std::map<std::string, DriftEntry> found;
  for (const auto& drift : driftOf(*plan)) {
    const auto how = driftWords(drift);
    if (how.empty()) continue;
    const auto before = drifted_.find(drift.text());
    const bool news = before == drifted_.end() || before->second.how != how;
    found[drift.text()] = {how, news ? formatTime(now) : before->second.since};
    if (!news) continue;
    emitEvent({{"name", drift.ref.name},
               {"namespace", drift.ref.ns},
               {"kind", drift.gvk.kind},
               {"apiVersion", drift.gvk.apiVersion()}},
              drift.ref.ns, "Warning", "DriftFound", how + "; the application only reports drift", now);
    log::warn("drift is found", {{"app", options_.name}, {"object", drift.text()}, {"how", how}});
  }
  drifted_ = std::move(found);
  showDrift();
}

void ApplicationLoop::showDrift() {
  json::array list;
  for (const auto& [object, entry] : drifted_)
    list.push_back(json::object{{"object", object}, {"how", entry.how}, {"since", entry.since}});
  if (list.empty()) status_.setDetail("drift", nullptr);
  else status_.setDetail("drift", std::move(list));
}

}  // namespace steer
