// What an application may delete: only what nobody else asks for, and within the delete budget or with a
// person's yes.
#include <algorithm>

#include "core/log.h"
#include "core/rfc3339.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/plan/delete_budget.h"

namespace steer {
namespace {

constexpr Duration kLookAgain = milliseconds(200);
constexpr Duration kAskAgain = seconds(30);
constexpr std::size_t kListed = 500;

}  // namespace

/// Who said yes to these deletions, and how; nothing when nobody did. Empty text: it was said before.
std::optional<std::string> ApplicationLoop::approvalOf(const Plan& plan, const DeleteVerdict& verdict) const {
  // A run that a crash cut short had been let through: its record tells what it was about to delete.
  const auto& rows = operation_->record().objects;
  const auto known = [&](const std::string& object) {
    return approvedDeletions_.contains(object) || std::any_of(rows.begin(), rows.end(), [&](const auto& row) {
             return row.object == object && row.action == actionName(PlanAction::remove);
           });
  };
  if (std::all_of(verdict.deletions.begin(), verdict.deletions.end(), known)) return "";
  const auto digest = plan.digest();
  if (trailerOf(plan, verdict) == TrailerSays::yes) return "the commit's trailer, by " + commit_->author;
  const auto& a = requests_.approval;
  if (a && a->commit == wantedCommit_ && (a->digest == digest || a->deletions == verdict.deletionsDigest))
    return "steer approve, by " + a->by + " at " + a->at;
  return std::nullopt;
}

TrailerSays ApplicationLoop::trailerOf(const Plan& plan, const DeleteVerdict& verdict) const {
  if (!commit_ || commit_->id != wantedCommit_) return TrailerSays::nothing;
  return trailerSays(confirmedDigests(commit_->message), plan, verdict);
}

std::optional<Operation::Hold> ApplicationLoop::whyHeld(const Plan& plan, Time now) {
  status_.setDetail("confirmation", nullptr);
  if (!leftToOthers_.empty() && options_.neighbours != nullptr)
    // Who keeps it may give it up with the very commit that asks for it here.
    if (const auto why = options_.neighbours->sourceUnread(options_.name); !why.empty())
      return Operation::Hold{"Waiting", why, kLookAgain};
  const auto verdict = checkDeletions(plan, settings_.deleteBudget);
  if (verdict.deletions.empty()) return std::nullopt;
  if (options_.neighbours != nullptr)
    if (const auto why = options_.neighbours->claimsUnsettled(options_.name); !why.empty())
      return Operation::Hold{"Waiting", why, kLookAgain};
  return weighDeletions(plan, verdict, now);
}

/// The plan makes or changes applications that may take over what it deletes, so its deletions come last and are
/// planned again then. A person is asked before anything of it lands: what the new owners will ask for is read from
/// the commit itself.
std::optional<Operation::Hold> ApplicationLoop::whyHeldWhole(Plan plan, Time now) {
  status_.setDetail("confirmation", nullptr);
  if (!checkDeletions(plan, settings_.deleteBudget).needsConfirmation) return std::nullopt;
  if (options_.neighbours != nullptr)
    if (const auto why = options_.neighbours->sourceUnread(options_.name); !why.empty())
      return Operation::Hold{"Waiting", why, kLookAgain};
  const auto declared = declaredClaims();
  if (!declared)
    return Operation::Hold{"Waiting", "reading what the applications that this commit declares ask for", kLookAgain};
  std::erase_if(plan.changes, [&](const PlannedChange& c) {
    return c.action == PlanAction::remove && declared->claims.contains(c.ref);
  });
  auto held = weighDeletions(plan, checkDeletions(plan, settings_.deleteBudget), now);
  if (held && !declared->unknown.empty()) held->why += "; it is not known what takes over " + declared->unknown.front();
  return held;
}

/// Read once for a commit, beside everything else.
std::optional<DeclaredClaims> ApplicationLoop::declaredClaims() {
  if (!options_.declaredClaims) return DeclaredClaims{};
  if (!prospect_) {
    prospect_ = std::make_shared<steer::Sync<std::optional<DeclaredClaims>>>();
    std::vector<WantedObject> ours;  // of the kinds that it is about: a copy for the other thread
    for (const auto& w : *wanted_)
      if (w.ref.resource.ends_with(".steersman.dev")) ours.push_back(w);
    keeper_.lookInto([read = options_.declaredClaims, answer = prospect_, wanted = std::move(ours),
                      commit = wantedCommit_](const std::string& cloneDir) {
      auto claims = read(cloneDir, commit, wanted);
      *answer->lock() = std::move(claims);
    });
  }
  return *prospect_->lock();
}

std::optional<Operation::Hold> ApplicationLoop::weighDeletions(const Plan& plan, const DeleteVerdict& verdict,
                                                               Time now) {
  if (!verdict.needsConfirmation) return std::nullopt;
  if (const auto approval = approvalOf(plan, verdict)) {
    approvedDeletions_.insert(verdict.deletions.begin(), verdict.deletions.end());
    if (approval->empty()) return std::nullopt;
    operation_->record().approval = *approval;
    emitEvent(applicationReference(), options_.ns, "Normal", "DeletionConfirmed",
              verdict.reason + "; confirmed by " + *approval, now);
    log::info("deletion is confirmed", {{"app", options_.name}, {"commit", wantedCommit_}, {"by", *approval}});
    return std::nullopt;
  }
  const auto digest = plan.digest();
  json::array listed;
  for (std::size_t i = 0; i < verdict.deletions.size() && i < kListed; ++i) listed.emplace_back(verdict.deletions[i]);
  status_.setDetail("confirmation", json::object{{"commit", wantedCommit_},
                                                 {"digest", digest},
                                                 {"deletionsDigest", verdict.deletionsDigest},
                                                 {"reason", verdict.reason},
                                                 {"total", verdict.deletions.size()},
                                                 {"deletions", std::move(listed)}});
  return Operation::Hold{"NeedsConfirmation", confirmationText(verdict, wantedCommit_, trailerOf(plan, verdict)),
                         kAskAgain};
}

}  // namespace steer
