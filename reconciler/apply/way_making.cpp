#include "reconciler/apply/way_making.h"

namespace steer {
namespace {

/// More than this, and they all go first rather than that each is asked about.
constexpr std::size_t kMostAsked = 32;

bool mayBeInTheWay(const Error& error) {
  return error.code == Errc::invalid || error.code == Errc::conflict || error.code == Errc::alreadyExists ||
         error.code == Errc::forbidden || error.code == Errc::internal;
}

}  // namespace

/// What the change would become with these objects gone.
Result<Result<ObjectPtr>> WayMaking::without(const std::vector<const PlannedChange*>& gone, std::size_t index) {
  const bool take = input_.conflicts == OwnershipPolicy::Conflicts::take;
  std::vector<Write> writes;
  const auto apply = [&](const WantedObject& w) {
    writes.push_back(Write::apply(w.ref.resource, w.body, kFieldManager, take));
    writes.back().actAs = input_.account;
  };
  for (const auto* c : gone) {
    DeleteOptions now;
    now.uid = c->live->uid();
    now.gracePeriodSeconds = 0;
    now.propagation = Propagation::background;
    writes.push_back(Write::remove(c->ref, now));
    writes.back().actAs = input_.account;
  }
  // It may stand in a namespace that this very plan makes.
  for (const auto& w : input_.wanted)
    if (w.ref.resource == "namespaces" && w.ref.name == input_.wanted[index].ref.ns) apply(w);
  apply(input_.wanted[index]);
  const auto count = writes.size();
  auto answers = client_.batch(std::move(writes), {OnError::proceed, true});
  if (answers.size() != count) return makeError(Errc::internal, "the server answered a dry run with too few results");
  return std::move(answers.back());
}

Result<void> WayMaking::makeWayFor(std::size_t index, const std::vector<PlannedChange>& removals) {
  const auto& ref = input_.wanted[index].ref;
  std::vector<const PlannedChange*> same, any;
  for (const auto& c : removals) {
    if (!c.refusal.empty()) continue;
    any.push_back(&c);
    if (c.ref.resource == ref.resource) same.push_back(&c);
  }
  // Most often it is one of its own kind; a quota may be used up by another one.
  const bool others = any.size() != same.size();
  STEER_TRY(const bool done, makeWayBy(std::move(same), index));
  if (done || !others) return {};
  STEER_TRY(const bool byOthers, makeWayBy(std::move(any), index));
  (void)byOthers;
  return {};
}

/// Whether the change is possible without these; of them those are noted without which it is not.
Result<bool> WayMaking::makeWayBy(std::vector<const PlannedChange*> gone, std::size_t index) {
  if (gone.empty()) return false;
  STEER_TRY(auto all, without(gone, index));
  if (!all.ok()) return false;
  if (gone.size() > 1 && gone.size() <= kMostAsked) {
    for (const auto* c : gone) {
      STEER_TRY(auto alone, without({c}, index));
      if (!alone.ok()) continue;
      gone = {c};
      break;
    }
  }
  for (const auto* c : gone) input_.makesWay.emplace_back(c->ref, input_.wanted[index].ref);
  input_.predicted[index] = std::move(all);
  return true;
}

Result<void> WayMaking::run() {
  const auto removals = removalsOf(input_);
  if (removals.empty()) return {};
  for (std::size_t i = 0; i < input_.wanted.size(); ++i) {
    const auto& predicted = input_.predicted[i];
    if (predicted.ok() || !mayBeInTheWay(predicted.error())) continue;
    if (const auto renewed = input_.renewed.find(input_.wanted[i].ref);
        renewed != input_.renewed.end() && renewed->second.ok())
      continue;
    STEER_CHECK(makeWayFor(i, removals));
  }
  return {};
}

}  // namespace steer
