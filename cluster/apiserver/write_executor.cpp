#include "cluster/apiserver/write_executor.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cluster/apiserver/acting_trace.h"

namespace steer {
namespace {

/// Writes per transaction: large enough to share a flush, small enough to let others in between.
constexpr std::size_t kGroup = 500;
constexpr int kAttempts = 8;

Error cancelled() { return makeError(Errc::cancelled, "not tried: an earlier write of the batch failed"); }

std::vector<std::string> turnsOf(std::size_t first, std::size_t last, const std::vector<Write>& writes) {
  std::vector<std::string> keys;
  for (std::size_t i = first; i < last; ++i) {
    const auto& target = writes[i].target;
    if (!target.name.empty()) keys.push_back(target.text());
    if (const auto turn = StrategyRegistry::builtin().of(target.resource).turn();
        !turn.empty() && writes[i].subresource.empty())
      keys.emplace_back(turn);
  }
  return keys;
}

}  // namespace

/// The writes of one transaction, planned.
struct WriteExecutor::Draft {
  std::vector<Mutation> mutations;
  Outcomes outcomes;
  std::vector<std::optional<std::size_t>> answers;  ///< index into mutations, per outcome
  bool stopped = false;
};

WriteExecutor::Draft WriteExecutor::draft(const Snapshot& base, std::size_t first, std::size_t last,
                                          const std::vector<Write>& writes, const WriteSettings& settings,
                                          OnError onError, const Identity& identity) const {
  Draft out;
  Snapshot view = base;
  std::uint64_t next = base.revision();
  std::set<ObjectRef> touched;
  std::vector<std::pair<std::size_t, std::shared_ptr<Object>>> lent;  // bodies that the view has for now
  const bool alone = last - first == 1;
  for (std::size_t i = first; i < last; ++i) {
    if (out.stopped) {
      out.outcomes.emplace_back(cancelled());
      out.answers.emplace_back();
      continue;
    }
    auto planned = planner_.plan(view, writes[i], settings, identity);
    if (!planned.ok()) {
      out.stopped = onError == OnError::stop;
      out.outcomes.emplace_back(std::move(planned).error());
      out.answers.emplace_back();
      continue;
    }
    if (planned->mutations.empty()) noteUnchanged(writes[i], planned->object);
    const std::size_t offset = out.mutations.size();
    for (auto& mutation : planned->mutations) {
      if (!alone) {
        // Later writes of the group see this one; its revision is a guess that only has to differ.
        if (mutation.kind == Mutation::Kind::put) {
          ensureObject(mutation.body, "metadata")["resourceVersion"] = std::to_string(++next);
          lent.emplace_back(out.mutations.size(), std::make_shared<Object>(std::move(mutation.body)));
          view.put(mutation.target.resource, lent.back().second);
        } else {
          view.remove(mutation.target.resource, mutation.target.ns, mutation.target.name);
        }
        if (!touched.insert(mutation.target).second) mutation.ifRevision.reset();
      }
      out.mutations.push_back(std::move(mutation));
    }
    out.answers.push_back(planned->answer ? std::optional(offset + *planned->answer) : std::nullopt);
    out.outcomes.emplace_back(
        WriteOutcome{planned->object, planned->created, planned->removed, std::move(planned->warnings)});
  }
  view = Snapshot();
  for (auto& [at, object] : lent) out.mutations[at].body = Object::bodyOf(std::move(object));
  return out;
}

bool WriteExecutor::undone(Draft& draft) {
  const auto& all = draft.outcomes;
  if (std::all_of(all.begin(), all.end(), [](const auto& outcome) { return outcome.ok(); })) return false;
  for (auto& outcome : draft.outcomes)
    if (outcome.ok()) outcome = makeError(Errc::cancelled, "undone: another write of the batch was refused");
  return true;
}

void WriteExecutor::noteUnchanged(const Write& write, const ObjectPtr& object) const {
  if (write.verb != Write::Verb::patch || write.patchType != PatchType::apply || !write.subresource.empty()) return;
  // On a fork an earlier write may have made it what it is; only what really lives has a revision to name.
  if (object == nullptr || store_.snapshot().get(write.target) != object) return;
  applied_.noteUnchanged(object->revision(), applyDigest(write.body, write.fieldManager));
}

void WriteExecutor::carryStatus(const Snapshot& base, const Write& write, const ObjectPtr& after) const {
  if (write.subresource != "status" || after == nullptr) return;
  if (const auto before = base.get(write.target)) applied_.carry(before->revision(), after->revision());
}

WriteExecutor::Outcomes WriteExecutor::group(Store& store, std::size_t first, std::size_t last,
                                             const std::vector<Write>& writes, const WriteSettings& settings,
                                             OnError onError, const Identity& identity) {
  for (int attempt = 1;; ++attempt) {
    const Snapshot base = store.snapshot();
    Draft plan = draft(base, first, last, writes, settings, onError, identity);
    if (onError == OnError::undo && undone(plan)) return std::move(plan.outcomes);
    if (plan.mutations.empty()) return std::move(plan.outcomes);
    auto committed = store.commit(std::move(plan.mutations));
    if (committed.ok()) {
      for (std::size_t i = 0; i < plan.outcomes.size(); ++i)
        if (plan.answers[i]) {
          plan.outcomes[i]->object = (*committed)[*plan.answers[i]].object;
          if (&store == &store_) carryStatus(base, writes[first + i], plan.outcomes[i]->object);
        }
      return std::move(plan.outcomes);
    }
    const Errc code = committed.error().code;
    // Someone else was faster between snapshot and commit: look again.
    const bool raced = code == Errc::conflict || code == Errc::alreadyExists || code == Errc::notFound;
    if (raced && attempt < kAttempts) continue;
    if (last - first > 1 && code == Errc::tooLarge && onError != OnError::undo) {
      // One of them does not fit; the others are none the worse for it.
      Outcomes out;
      for (std::size_t i = first; i < last; ++i) {
        auto one = group(store, i, i + 1, writes, settings, onError, identity);
        out.push_back(std::move(one.front()));
        if (!out.back().ok() && onError == OnError::stop) break;
      }
      while (out.size() < last - first) out.emplace_back(cancelled());
      return out;
    }
    for (std::size_t i = 0; i < plan.outcomes.size(); ++i)
      if (plan.answers[i]) plan.outcomes[i] = committed.error();
    return std::move(plan.outcomes);
  }
}

WriteExecutor::Outcomes WriteExecutor::onStore(Store& store, const std::vector<Write>& writes,
                                               const WriteSettings& settings, OnError onError,
                                               const Identity& identity) {
  Outcomes out;
  out.reserve(writes.size());
  bool stopped = false;
  const std::size_t most = onError == OnError::undo ? std::max<std::size_t>(writes.size(), 1) : kGroup;
  for (std::size_t first = 0; first < writes.size(); first += most) {
    const std::size_t last = std::min(writes.size(), first + most);
    if (stopped) {
      for (std::size_t i = first; i < last; ++i) out.emplace_back(cancelled());
      continue;
    }
    const auto turn = turns_.take(turnsOf(first, last, writes));
    for (auto& outcome : group(store, first, last, writes, settings, onError, identity)) {
      stopped = stopped || (!outcome.ok() && onError == OnError::stop);
      out.push_back(std::move(outcome));
    }
  }
  return out;
}

std::vector<Result<WriteOutcome>> WriteExecutor::runAll(const std::vector<Write>& writes, const WriteSettings& settings,
                                                        OnError onError, const Identity& identity) {
  if (!settings.dryRun) {
    auto out = onStore(store_, writes, settings, onError, identity);
    ActingTrace trace;
    for (std::size_t i = 0; i < writes.size(); ++i)
      if (!writes[i].actAs.empty()) trace.note(identity, writes[i], out[i].ok());
    return out;
  }
  const auto fork = Store::fork(store_.snapshot());
  return onStore(*fork, writes, settings, onError, identity);
}

Result<WriteOutcome> WriteExecutor::run(const Write& write, const WriteSettings& settings, const Identity& identity) {
  return std::move(runAll({write}, settings, OnError::proceed, identity).front());
}

}  // namespace steer
