#include "reconciler/apply/planner.h"

#include <algorithm>
#include <tuple>

#include "reconciler/apply/way_making.h"
#include "reconciler/plan/controller_fields.h"
#include "reconciler/plan/hooks.h"
#include "schemas/ownership_proof.h"
#include "schemas/sync_policy.h"

namespace steer {
namespace {

void label(json::object& body, const std::string& application) {
  ensureObject(ensureObject(body, "metadata"), "labels")[kApplicationLabel] = application;
}

/// Settings of a rolling update that defaulting filled in belong to nobody and would stay beside another type, which
/// the server refuses. Who asks for the other type asks for their absence.
void leaveRollingUpdate(json::object& body) {
  auto* spec = body.if_contains("spec");
  if (spec == nullptr || !spec->is_object()) return;
  for (const char* name : {"strategy", "updateStrategy"}) {
    auto* strategy = spec->get_object().if_contains(name);
    if (strategy == nullptr || !strategy->is_object()) continue;
    const auto type = stringAt(*strategy, {"type"});
    if (type == "Recreate" || type == "OnDelete") strategy->get_object().emplace("rollingUpdate", nullptr);
  }
}

/// The other application that owns the object and still asks for it; empty when there is none.
std::string keeperOf(const Object& live, const ObjectRef& ref, const PlanOptions& options) {
  const auto contest = options.contested.find(ref);
  if (contest == options.contested.end()) return "";
  auto owner = provenOwner(live.json());
  return owner != options.application && contest->second.contains(owner) ? owner : "";
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
  request.actAs = options.account;
  auto answer = client.observe(request);
  if (!answer.ok() && answer.error().code == Errc::forbidden && !request.actAs.empty()) {
    // Who may not act as the account reads as themselves, and hears of each write that it is refused.
    request.actAs.clear();
    answer = client.observe(request);
  }
  STEER_TRY(auto seen, std::move(answer));
  for (std::size_t i = 0; i < seen.items.size(); ++i) {
    auto& item = seen.items[i];
    const auto& w = input.wanted[i];
    if (item.hidden) input.hidden.insert(w.ref);
    if (item.unchanged && !item.refused.empty()) input.refused.emplace(w.ref, std::move(item.refused));
    if (item.hidden && options.policy.concerns(w.body))
      input.refused.emplace(w.ref, "the account may not read it, and only who reads it knows what is left to others");
    if (item.live)
      if (const auto owner = keeperOf(*item.live, w.ref, options); !owner.empty())
        input.refused.insert_or_assign(
            w.ref, "is kept by application " + owner + ", which asks for it, too: let one of them leave it out");
    if (item.unchanged) input.unchanged.insert(w.ref);
    else if (item.live) input.live.emplace(w.ref, std::move(item.live));
  }
  for (auto& other : seen.others)
    if (ownedBy(*other.object, input.application) && options.selection.contains(other.object->gvk(), other.ref))
      input.owned.emplace(std::move(other.ref), std::move(other.object));
  return {};
}

/// What says itself that it is to be left alone, or only to be made, and what is made once and was.
void leaveObjects(const RanOnce& ran, PlanInput& input) {
  for (const auto& w : input.wanted) {
    const auto live = input.live.find(w.ref);
    const bool goes = live == input.live.end() || live->second->deleting();
    if (goes && ranAsWritten(ran, w.ref, w.body)) {
      input.unchanged.insert(w.ref);
      if (live != input.live.end()) input.live.erase(live);
      continue;
    }
    if (live == input.live.end() || live->second->deleting()) continue;
    if (!syncPolicyOf(w.body).onlyCreate && !syncPolicyOf(live->second->json()).leaveAlone) continue;
    input.unchanged.insert(w.ref);
    input.live.erase(live);
  }
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
  Write out = Write::apply(w.ref.resource, w.body, kFieldManager, input.conflicts == OwnershipPolicy::Conflicts::take);
  out.actAs = input.account;
  return out;
}

Gvk gvkOf(const WantedObject& w) { return Gvk::from(stringAt(w.body, {"apiVersion"}), stringAt(w.body, {"kind"})); }

/// The server's own refusal apart, a dry run fails only when the server cannot be asked.
bool serverGone(const Error& e) {
  return e.code == Errc::unavailable || e.code == Errc::timeout || e.code == Errc::unauthorized ||
         e.code == Errc::cancelled;
}

/// Runs the writes of all applications in one dry run, and hands each answer to whom it belongs.
class Prediction {
 public:
  explicit Prediction(std::vector<PlanInput>& inputs) : inputs_(inputs) {}

  Result<void> run(Client& client) {
    std::vector<Write> writes;
    for (std::size_t k = 0; k < inputs_.size(); ++k) collect(k, writes);
    STEER_TRY(auto answers, ask(client, std::move(writes)));
    for (std::size_t i = 0; i < open_.size(); ++i) inputOf(open_[i]).predicted[open_[i].index] = std::move(answers[i]);
    STEER_CHECK(renew(client));
    for (auto& input : inputs_) STEER_CHECK(WayMaking(client, input).run());
    return removeAll(client);
  }

 private:
  struct Open {
    std::size_t application;
    std::size_t index;
  };
  PlanInput& inputOf(const Open& open) { return inputs_[open.application]; }
  const WantedObject& wantedOf(const Open& open) { return inputOf(open).wanted[open.index]; }

  void collect(std::size_t k, std::vector<Write>& writes) {
    auto& input = inputs_[k];
    input.predicted.assign(input.wanted.size(), Result<ObjectPtr>(ObjectPtr{}));
    for (std::size_t i = 0; i < input.wanted.size(); ++i) {
      if (input.unchanged.contains(input.wanted[i].ref)) continue;
      open_.push_back({k, i});
      writes.push_back(applyOf(input.wanted[i], input));
    }
  }

  static Result<std::vector<Result<ObjectPtr>>> ask(Client& client, std::vector<Write> writes) {
    const auto count = writes.size();
    std::vector<Result<ObjectPtr>> answers;
    if (!writes.empty()) answers = client.batch(std::move(writes), {OnError::proceed, true});
    if (answers.size() != count)
      return makeError(Errc::internal, "the server answered a dry run with another number of results");
    return answers;
  }

  /// What is refused as immutable is tried once more as a new object.
  Result<void> renew(Client& client) {
    std::vector<Write> writes;
    std::vector<Open> renewed;
    for (const auto& open : open_) {
      const auto& predicted = inputOf(open).predicted[open.index];
      if (predicted.ok()) continue;
      if (serverGone(predicted.error())) return predicted.error();
      const auto& w = wantedOf(open);
      if (!immutableField(predicted.error()) || !inputOf(open).live.contains(w.ref)) continue;
      DeleteOptions now;
      now.propagation = Propagation::background;
      now.gracePeriodSeconds = 0;
      writes.push_back(Write::remove(w.ref, now));
      writes.back().actAs = inputOf(open).account;
      writes.push_back(applyOf(w, inputOf(open)));
      renewed.push_back(open);
    }
    STEER_TRY(auto answers, ask(client, std::move(writes)));
    for (std::size_t i = 0; i < renewed.size(); ++i)
      inputOf(renewed[i]).renewed.emplace(wantedOf(renewed[i]).ref, std::move(answers[2 * i + 1]));
    return {};
  }

  /// What may not be deleted is said before anything is done.
  Result<void> removeAll(Client& client) {
    std::vector<Write> writes;
    std::vector<std::pair<PlanInput*, ObjectRef>> of;
    for (auto& input : inputs_)
      for (const auto& c : removalsOf(input)) {
        DeleteOptions options;
        options.uid = c.live->uid();
        writes.push_back(Write::remove(c.ref, options));
        writes.back().actAs = input.account;
        of.emplace_back(&input, c.ref);
      }
    STEER_TRY(auto answers, ask(client, std::move(writes)));
    for (std::size_t i = 0; i < answers.size(); ++i) {
      if (answers[i].ok()) continue;
      const auto& error = answers[i].error();
      if (serverGone(error)) return error;
      // Gone, or another one by now: not what would be deleted.
      if (error.code != Errc::notFound && error.code != Errc::conflict)
        of[i].first->undeletable.emplace(of[i].second, error);
    }
    return {};
  }

  std::vector<PlanInput>& inputs_;
  std::vector<Open> open_;
};

/// The last run of each hook. Hooks are no state: they are neither compared nor pruned while they are wanted.
Result<void> findRuns(Client& client, PlanInput& input) {
  for (auto& hook : input.hooks) {
    const auto owned = input.owned.find(hook.ref);
    if (owned != input.owned.end()) {
      hook.last = std::move(owned->second);
      input.owned.erase(owned);
      continue;
    }
    const auto there = client.get(hook.ref);
    // A Job of this name that somebody else made is no run of ours.
    if (there.ok()) hook.last = ownedBy(**there, input.application) ? *there : nullptr;
    else if (there.error().code != Errc::notFound) return there.error();
  }
  return {};
}

Result<PlanInput> prepare(Client& client, std::vector<WantedObject> wanted, const PlanOptions& options) {
  PlanInput input;
  input.application = options.application;
  input.source = options.source;
  input.account = options.account;
  input.ending = options.ending;
  for (auto& w : wanted) {
    label(w.body, options.application);
    leaveToControllers(w.body);
    leaveRollingUpdate(w.body);
  }
  input.hooks = takeHooks(wanted);
  std::erase_if(input.hooks, [&](const PlannedHook& h) { return !options.selection.contains(h.gvk(), h.ref); });
  for (auto& hook : input.hooks) {
    if (options.hookRuns == PlanOptions::HookRuns::forgotten) break;
    const auto known = options.ranOnce.find(hook.ref);
    hook.gone = std::make_shared<const std::set<std::string>>(
        known == options.ranOnce.end() ? std::set<std::string>{} : runMarksIn(known->second));
  }
  // The batch runs in order: what others stand in (namespaces) comes first, as in the real thing.
  std::stable_sort(wanted.begin(), wanted.end(), [](const WantedObject& a, const WantedObject& b) {
    const auto wave = [](const WantedObject& w) { return std::tuple(syncOrderOf(w.body).wave, waveOf(gvkOf(w))); };
    return wave(a) < wave(b);
  });
  input.kept = options.elsewhere;
  input.kept.insert(options.keep.begin(), options.keep.end());
  for (auto& w : wanted) {
    const bool applied = !syncPolicyOf(w.body).leaveAlone && options.selection.contains(gvkOf(w), w.ref);
    if (applied) input.wanted.push_back(std::move(w));
    else input.kept.insert(w.ref);
  }
  STEER_CHECK(observe(client, options, input));
  leaveObjects(options.ranOnce, input);
  leaveFields(options.policy, input);
  STEER_CHECK(findRuns(client, input));
  if (options.prune == PlanOptions::Prune::no) input.owned.clear();
  return input;
}

}  // namespace

Result<PlanSet> makePlans(Client& client, std::vector<ApplicationWish> wishes) {
  for (auto& wish : wishes)
    for (const auto& other : wishes)
      if (&other != &wish)
        for (const auto& w : other.wanted) wish.options.elsewhere.insert(w.ref);
  std::vector<PlanInput> inputs;
  std::vector<DeleteBudget> budgets;
  for (auto& wish : wishes) {
    budgets.push_back(wish.options.deleteBudget);
    STEER_TRY(auto input, prepare(client, std::move(wish.wanted), wish.options));
    inputs.push_back(std::move(input));
  }
  STEER_CHECK(Prediction(inputs).run(client));
  PlanSet out;
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    out.plans.push_back(buildPlan(std::move(inputs[i])));
    out.plans.back().deleteBudget = budgets[i];
  }
  return out;
}

Result<Plan> makePlan(Client& client, std::vector<WantedObject> wanted, const PlanOptions& options) {
  std::vector<ApplicationWish> one;
  one.push_back({std::move(wanted), options});
  STEER_TRY(auto plans, makePlans(client, std::move(one)));
  return std::move(plans.plans.front());
}

}  // namespace steer
