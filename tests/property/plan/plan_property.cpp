// Properties of planning and applying, over a corpus of manifests and what people do to them. A failure
// prints the seed and the last changes; the same seed gives the same run.
#include <catch2/catch.hpp>
#include <cstdlib>

#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "schemas/managed_fields.h"
#include "tests/property/plan/mutation.h"
#include "tests/unit/apply/cluster.h"

using namespace steer;

namespace {

constexpr int kRounds = 8;

std::uint64_t seeds() {
  const char* given = std::getenv("PLAN_SEEDS");
  return given == nullptr ? 40 : std::strtoull(given, nullptr, 10);
}

/// What the server chooses by chance, where the manifest leaves it open.
json::object comparable(const Object& object, const json::object& wanted) {
  json::object out = object.json();
  auto& meta = out["metadata"].as_object();
  for (const auto* key : {"uid", "resourceVersion", "creationTimestamp"}) meta.erase(key);
  out.erase("status");
  json::array owners;
  for (auto owner : readOwners(object.json()))
    owners.push_back(json::object{{"manager", owner.manager},
                                  {"operation", owner.operation},
                                  {"subresource", owner.subresource},
                                  {"fields", owner.fields.toFieldsV1()}});
  meta["managedFields"] = std::move(owners);
  if (object.kind() == "Service") {
    auto& spec = out["spec"].as_object();
    if (stringAt(wanted, {"spec", "clusterIP"}).empty()) {
      spec.erase("clusterIP");
      spec.erase("clusterIPs");
    }
    spec.erase("healthCheckNodePort");
    if (auto* ports = spec.if_contains("ports"); ports != nullptr && ports->is_array())
      for (auto& port : ports->get_array()) port.as_object().erase("nodePort");
  }
  if (object.kind() == "Job") {  // its selector is made of its uid
    auto& spec = out["spec"].as_object();
    spec.erase("selector");
    spec["template"].as_object().erase("metadata");
  }
  return out;
}

class World {
 public:
  explicit World(std::uint64_t seed) : random_(seed), wanted_(readCorpus()), healthy_(wanted_) {}

  void round() {
    story_.clear();
    if (first_) first_ = false;
    else change();
    others();
    const auto before = inventory();
    PlanSet plans = plan(wanted_);
    INFO(story_);
    sameInAnyOrder(plans);
    std::map<ObjectRef, std::pair<ObjectPtr, json::object>> predicted;
    std::set<ObjectRef> asked;
    for (const auto& w : wanted_) asked.insert(w.ref);
    for (const auto& p : plans.plans)
      for (const auto& c : p.changes) {
        INFO(p.application << " " << actionName(c.action) << " " << c.text());
        if (c.action == PlanAction::remove) {
          CHECK(before.contains(c.ref));
          CHECK_FALSE(asked.contains(c.ref));
          CHECK(c.live->label(kApplicationLabel) == p.application);
        } else if (c.refusal.empty() && c.action != PlanAction::none) {
          REQUIRE(c.predicted);
          predicted[c.ref] = {c.predicted, c.wanted};
        }
      }
    apply(std::move(plans));
    for (const auto& [ref, expected] : predicted) {
      const auto live = cluster_.client->get(ref);
      INFO(ref.text());
      REQUIRE(live.ok());
      const auto now = comparable(**live, expected.second);
      const auto then = comparable(*expected.first, expected.second);
      if (now != then) FAIL_CHECK("predicted " << jsonCanonical(then) << "\nand got " << jsonCanonical(now));
    }
    again();
    strangersStand();
  }

 private:
  /// Two applications; who owns what may change from round to round.
  PlanSet plan(const std::vector<WantedObject>& wanted) {
    std::vector<ApplicationWish> wishes(2);
    wishes[0].options.application = "root";
    wishes[1].options.application = "other";
    for (const auto& w : wanted) wishes[moved_.contains(w.ref) ? 1 : 0].wanted.push_back(w);
    auto plans = makePlans(*cluster_.client, std::move(wishes));
    REQUIRE(plans.ok());
    return std::move(*plans);
  }

  void sameInAnyOrder(const PlanSet& plans) {
    const auto other = plan(shuffled(wanted_, random_));
    CHECK(other.digest() == plans.digest());
    REQUIRE(other.plans.size() == plans.plans.size());
    for (std::size_t k = 0; k < plans.plans.size(); ++k) {
      REQUIRE(other.plans[k].changes.size() == plans.plans[k].changes.size());
      for (std::size_t i = 0; i < plans.plans[k].changes.size(); ++i) {
        CHECK(other.plans[k].changes[i].ref == plans.plans[k].changes[i].ref);
        CHECK(other.plans[k].changes[i].fields.size() == plans.plans[k].changes[i].fields.size());
      }
    }
  }

  void change() {
    const auto n = 1 + random_.below(6);
    for (std::uint64_t i = 0; i < n; ++i) {
      const auto at = random_.below(wanted_.size());
      auto& w = wanted_[at];
      const bool keep = w.ref.resource == "namespaces";
      switch (random_.below(8)) {
        case 0:
          if (keep) break;
          story_ += "left out " + w.ref.text() + "\n";
          wanted_.erase(wanted_.begin() + static_cast<std::ptrdiff_t>(at));
          break;
        case 1:
          bringBack();
          break;
        case 2:
          story_ += "moved " + w.ref.text() + "\n";
          if (!keep && !moved_.insert(w.ref).second) moved_.erase(w.ref);
          break;
        default:
          story_ += mutate(w, random_) + "\n";
      }
    }
  }

  void bringBack() {
    const auto& w = healthy_[random_.below(healthy_.size())];
    std::erase_if(wanted_, [&](const WantedObject& other) { return other.ref == w.ref; });
    story_ += "as at first: " + w.ref.text() + "\n";
    wanted_.push_back(w);
  }

  /// Other people edit, delete, and make objects of their own, also ones that look like ours.
  void others() {
    if (random_.below(2) == 0) {
      json::object body{{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"data", json::object{{"k", "v"}}}};
      const std::string name = "stranger-" + std::to_string(strangers_.size());
      body["metadata"] =
          json::object{{"name", name},
                       {"namespace", "default"},
                       {"labels", json::object{{kApplicationLabel, random_.below(2) == 0 ? "root" : "x"}}}};
      Write write = Write::create("configmaps", body);
      write.fieldManager = "kubectl-create";
      REQUIRE(cluster_.client->write(write).ok());
      strangers_.push_back(name);
    }
    const auto& w = wanted_[random_.below(wanted_.size())];
    if (w.ref.resource == "namespaces") return;
    json::value patch = json::object{{"metadata", json::object{{"annotations", json::object{{"touched", story_}}}}}};
    if (w.ref.resource == "deployments.apps")
      patch.as_object()["spec"] = json::object{{"replicas", static_cast<int>(random_.below(9))}};
    Write write = random_.below(4) == 0 ? Write::remove(w.ref) : Write::patch(w.ref, PatchType::merge, patch);
    write.fieldManager = "kubectl-edit";
    if (write.verb == Write::Verb::remove) write.deleteOptions.gracePeriodSeconds = 0;
    story_ += "someone touched " + w.ref.text() + (write.verb == Write::Verb::remove ? " (deleted)\n" : "\n");
    static_cast<void>(cluster_.client->write(write));  // it need not be there
    collectGarbage();
  }

  std::set<ObjectRef> inventory() {
    std::set<ObjectRef> out;
    for (const auto& resource : ownableResources()) {
      const auto list = cluster_.client->list(resource, {});
      if (!list.ok()) continue;  // a kind that is not served
      for (const auto& object : list->items)
        for (const auto* application : {"root", "other"})
          if (ownedBy(*object, application)) out.insert({resource, object->ns(), object->name()});
    }
    return out;
  }

  void apply(PlanSet plans) {
    for (auto& plan : plans.plans) {
      ApplyRun run(*cluster_.client, std::move(plan));
      for (int i = 0; i < 2000 && !run.finished(); ++i) {
        if (const auto next = run.step(cluster_.clock.now())) cluster_.clock.advanceTo(*next);
        collectGarbage();
      }
      REQUIRE(run.finished());
      for (const auto& row : run.rows()) {
        const auto& change = run.plan().changes[row.change];
        INFO(change.text() << ": " << (row.error ? row.error->message : ""));
        // A plan that promises is kept; nothing is deleted in a run in which something was refused.
        const bool waits = change.action == PlanAction::remove && refusesSome(run.plan());
        CHECK((row.done == change.refusal.empty() || (waits && !row.done)));
      }
    }
  }

  static bool refusesSome(const Plan& plan) {
    return std::any_of(plan.changes.begin(), plan.changes.end(), [](const auto& c) { return !c.refusal.empty(); });
  }

  /// The collector's part: what waits for its dependents goes, and a pod's node lets it go.
  void collectGarbage() {
    for (const auto& resource : ownableResources()) {
      const auto list = cluster_.client->list(resource, {});
      if (!list.ok()) continue;
      for (const auto& object : list->items) {
        if (!object->deleting() || resource == "namespaces") continue;
        const ObjectRef ref{resource, object->ns(), object->name()};
        if (!object->finalizers().empty())
          static_cast<void>(cluster_.client->write(
              Write::patch(ref, PatchType::merge, json::object{{"metadata", json::object{{"finalizers", nullptr}}}})));
        DeleteOptions now;
        now.gracePeriodSeconds = 0;
        static_cast<void>(cluster_.client->write(Write::remove(ref, now)));
      }
    }
  }

  void again() {
    const auto plans = plan(wanted_);
    for (const auto& p : plans.plans)
      for (const auto& c : p.changes) {
        if (!c.refusal.empty() || (c.action == PlanAction::remove && refusesSome(p))) continue;
        INFO("planned after applying: " << p.application << " " << actionName(c.action) << " " << c.text()
                                        << (c.fields.empty() ? "" : " " + c.fields[0].path));
        CHECK(c.action == PlanAction::none);
      }
    // What the server refuses is repaired before the next round, or it would stay for ever.
    for (const auto& p : plans.plans)
      for (const auto& c : p.changes)
        if (!c.refusal.empty())
          for (const auto& w : healthy_)
            if (w.ref == c.ref)
              *std::find_if(wanted_.begin(), wanted_.end(), [&](const auto& x) { return x.ref == c.ref; }) = w;
  }

  void strangersStand() {
    for (const auto& name : strangers_) CHECK(cluster_.client->get({"configmaps", "default", name}).ok());
  }

  TestCluster cluster_;
  Random random_;
  std::vector<WantedObject> wanted_;
  const std::vector<WantedObject> healthy_;
  std::set<ObjectRef> moved_;
  std::vector<std::string> strangers_;
  std::string story_;
  bool first_ = true;
};

}  // namespace

TEST_CASE(
    "whatever people do to manifests and to the cluster, a plan says what applying does, and then there is no more") {
  for (std::uint64_t seed = 1; seed <= seeds(); ++seed) {
    INFO("seed " << seed);
    World world(seed);
    for (int round = 0; round < kRounds; ++round) {
      INFO("round " << round);
      world.round();
    }
  }
}

TEST_CASE("the corpus is accepted as it stands, and holds every kind that people declare") {
  TestCluster cluster;
  const auto corpus = readCorpus();
  const auto plan = makePlan(*cluster.client, corpus, {});
  REQUIRE(plan.ok());
  std::set<std::string> kinds;
  for (const auto& c : plan->changes) {
    INFO(c.text() << ": " << c.refusal);
    CHECK(c.refusal.empty());
    CHECK(c.action == PlanAction::create);
    kinds.insert(c.ref.resource);
  }
  for (const auto* kind : SchemaRegistry::builtin().kinds())
    if (kind->served && kind->plural != "events" && kind->plural != "nodes" &&
        kind->plural != "certificatesigningrequests" && !kind->verbs.empty()) {
      const auto& verbs = kind->verbs;
      if (std::find(verbs.begin(), verbs.end(), "delete") == verbs.end()) continue;
      INFO(kind->resource());
      CHECK(kinds.contains(kind->resource()));
    }
}
