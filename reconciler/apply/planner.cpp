#include "reconciler/apply/planner.h"

#include <algorithm>

namespace steer {
namespace {

void label(json::object& body, const std::string& application) {
  ensureObject(ensureObject(body, "metadata"), "labels")[kApplicationLabel] = application;
}

/// How everything lives that the plan speaks of. What stays as it is comes without its body.
Result<void> observe(Client& client, const PlanOptions& options, PlanInput& input) {
  ObserveRequest request;
  request.items.reserve(input.wanted.size());
  const bool all = options.live == PlanOptions::Live::all;
  for (const auto& w : input.wanted) {
    // What is applied may depend on who holds what: then the live object is asked for.
    const bool told = all || options.policy.concerns(w.body);
    request.items.push_back({w.ref, told ? "" : applyDigest(w.body, kFieldManager)});
  }
  if (options.scope == PlanOptions::Scope::whole)
    request.label = std::string(kApplicationLabel) + "=" + input.application;
  STEER_TRY(auto seen, client.observe(request));
  for (std::size_t i = 0; i < seen.items.size(); ++i) {
    auto& item = seen.items[i];
    if (item.unchanged) input.unchanged.insert(input.wanted[i].ref);
    else if (item.live) input.live.emplace(input.wanted[i].ref, std::move(item.live));
  }
  for (auto& other : seen.others)
    if (ownedBy(*other.object, input.application) && options.selection.contains(other.object->gvk(), other.ref))
      input.owned.emplace(std::move(other.ref), std::move(other.object));
  return {};
}

/// Takes out of what is applied what the policy leaves to others.
void leaveFields(const OwnershipPolicy& policy, PlanInput& input) {
  input.conflicts = policy.conflicts;
  if (policy.empty()) return;
  for (auto& w : input.wanted) {
    const auto live = input.live.find(w.ref);
    if (live == input.live.end()) continue;
    if (auto left = leaveToOthers(w.body, *live->second, policy); !left.empty())
      input.left.emplace(w.ref, std::move(left));
  }
}

Write applyOf(const WantedObject& w, const PlanInput& input) {
  return Write::apply(w.ref.resource, w.body, kFieldManager, input.conflicts == OwnershipPolicy::Conflicts::take);
}

Gvk gvkOf(const WantedObject& w) { return Gvk::from(stringAt(w.body, {"apiVersion"}), stringAt(w.body, {"kind"})); }

/// The server's own refusal apart, a dry run fails only when the server cannot be asked.
bool serverGone(const Error& e) {
  return e.code == Errc::unavailable || e.code == Errc::timeout || e.code == Errc::unauthorized ||
         e.code == Errc::cancelled;
}

Result<void> predict(Client& client, PlanInput& input) {
  std::vector<Write> writes;
  writes.reserve(input.wanted.size() - input.unchanged.size());
  std::vector<std::size_t> open;
  for (std::size_t i = 0; i < input.wanted.size(); ++i) {
    const auto& w = input.wanted[i];
    if (input.unchanged.contains(w.ref)) continue;
    open.push_back(i);
    writes.push_back(applyOf(w, input));
  }
  const BatchOptions dryRun{OnError::proceed, true, Answer::briefCreated};
  std::vector<Result<ObjectPtr>> answers;
  if (!writes.empty()) answers = client.batch(std::move(writes), dryRun);
  if (answers.size() != open.size())
    return makeError(Errc::internal, "the server answered a dry run with another number of results");
  input.predicted.assign(input.wanted.size(), Result<ObjectPtr>(ObjectPtr{}));
  for (std::size_t i = 0; i < open.size(); ++i) input.predicted[open[i]] = std::move(answers[i]);
  std::vector<Write> renewals;
  std::vector<ObjectRef> renewed;
  for (std::size_t i = 0; i < input.wanted.size(); ++i) {
    if (input.predicted[i].ok()) continue;
    const Error& e = input.predicted[i].error();
    if (serverGone(e)) return e;
    const auto& w = input.wanted[i];
    if (!immutableField(e) || !input.live.contains(w.ref)) continue;
    DeleteOptions now;
    now.propagation = Propagation::background;
    now.gracePeriodSeconds = 0;
    renewals.push_back(Write::remove(w.ref, now));
    renewals.push_back(applyOf(w, input));
    renewed.push_back(w.ref);
  }
  if (renewals.empty()) return {};
  answers = client.batch(std::move(renewals), dryRun);
  for (std::size_t i = 0; i < renewed.size() && 2 * i + 1 < answers.size(); ++i)
    input.renewed.emplace(renewed[i], std::move(answers[2 * i + 1]));
  return {};
}

}  // namespace

Result<Plan> makePlan(Client& client, std::vector<WantedObject> wanted, const PlanOptions& options) {
  PlanInput input;
  input.application = options.application;
  input.source = options.source;
  for (auto& w : wanted) label(w.body, options.application);
  // The batch runs in order: what others stand in (namespaces) comes first, as in the real thing.
  std::stable_sort(wanted.begin(), wanted.end(),
                   [](const WantedObject& a, const WantedObject& b) { return waveOf(gvkOf(a)) < waveOf(gvkOf(b)); });
  input.kept = options.elsewhere;
  for (auto& w : wanted) {
    if (options.selection.contains(gvkOf(w), w.ref)) input.wanted.push_back(std::move(w));
    else input.kept.insert(w.ref);
  }
  STEER_CHECK(observe(client, options, input));
  leaveFields(options.policy, input);
  STEER_CHECK(predict(client, input));
  if (options.prune == PlanOptions::Prune::no) input.owned.clear();
  return buildPlan(std::move(input));
}

}  // namespace steer
