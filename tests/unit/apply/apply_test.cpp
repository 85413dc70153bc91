#include <catch2/catch.hpp>

#include "cluster.h"
#include "manifests.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "reconciler/plan/staleness.h"

using namespace steer;

namespace {

Plan planOf(TestCluster& c, std::vector<WantedObject> wanted) {
  auto plan = makePlan(*c.client, std::move(wanted), {});
  REQUIRE(plan.ok());
  return std::move(*plan);
}

ApplyRun applied(TestCluster& c, std::vector<WantedObject> wanted) {
  ApplyRun run(*c.client, planOf(c, std::move(wanted)));
  for (int i = 0; i < 1000 && !run.finished(); ++i)
    if (const auto next = run.step(c.clock.now())) c.clock.advanceTo(*next);
  REQUIRE(run.finished());
  return run;
}

std::vector<WantedObject> shop(int replicas = 2) {
  return {aDeployment("web", replicas), aService("web"), aConfigMap("settings", "1"), aNamespace("shop")};
}

}  // namespace

TEST_CASE("planning changes nothing in the cluster") {
  TestCluster c;
  const auto before = c.server.snapshot().revision();
  CHECK(planOf(c, shop()).counts().create == 4);
  CHECK(c.server.snapshot().revision() == before);
}

TEST_CASE("after an apply the objects exist, and planning again finds nothing to do") {
  TestCluster c;
  const auto run = applied(c, shop());
  CHECK(run.failures() == 0);
  CHECK(run.completed() == 4);
  REQUIRE(c.client->get({"deployments.apps", "shop", "web"}).ok());
  const Plan again = planOf(c, shop());
  CHECK(again.empty());
  CHECK(again.counts().none == 4);
}

TEST_CASE("a changed field is the only change of the next plan, and is applied") {
  TestCluster c;
  applied(c, shop(2));
  const Plan plan = planOf(c, shop(3));
  CHECK(plan.counts().update == 1);
  CHECK(plan.counts().none == 3);
  for (const auto& change : plan.changes) {
    if (change.action != PlanAction::update) continue;
    REQUIRE(change.fields.size() == 1);
    CHECK(change.fields[0].path == "spec.replicas");
  }
  applied(c, shop(3));
  CHECK(intAt((*c.client->get({"deployments.apps", "shop", "web"}))->spec(), {"replicas"}) == 3);
}

TEST_CASE("what left the source is deleted, and what a person made stays") {
  TestCluster c;
  applied(c, {aNamespace("shop"), aConfigMap("old", "1"), aConfigMap("kept", "1")});
  auto copy = aConfigMap("by-hand", "1").body;
  copy["metadata"].as_object()["labels"] = json::object{{kApplicationLabel, "root"}};
  REQUIRE(c.client->write(Write::create("configmaps", copy)).ok());
  const auto run = applied(c, {aNamespace("shop"), aConfigMap("kept", "1")});
  CHECK(run.plan().counts().remove == 1);
  CHECK(c.client->get({"configmaps", "shop", "old"}).error().code == Errc::notFound);
  CHECK(c.client->get({"configmaps", "shop", "by-hand"}).ok());
  CHECK(c.client->get({"configmaps", "shop", "kept"}).ok());
}

TEST_CASE("an object that exists is adopted") {
  TestCluster c;
  applied(c, {aNamespace("shop")});
  REQUIRE(c.client->write(Write::create("configmaps", aConfigMap("settings", "by hand").body)).ok());
  const std::vector<WantedObject> wanted{aNamespace("shop"), aConfigMap("settings", "from git")};
  const auto run = applied(c, wanted);
  CHECK(run.plan().changes.back().adopts);
  const auto live = c.client->get({"configmaps", "shop", "settings"});
  CHECK(stringAt((*live)->json(), {"data", "k"}) == "from git");
  CHECK(ownedBy(**live, "root"));
  CHECK(planOf(c, wanted).empty());
}

TEST_CASE("a change of an immutable field replaces the object") {
  TestCluster c;
  applied(c, {aNamespace("shop"), aConfigMap("fixed", "1", R"(,"immutable":true)")});
  const auto before = (*c.client->get({"configmaps", "shop", "fixed"}))->uid();
  const auto run = applied(c, {aNamespace("shop"), aConfigMap("fixed", "2", R"(,"immutable":true)")});
  CHECK(run.plan().counts().replace == 1);
  CHECK(run.failures() == 0);
  const auto after = c.client->get({"configmaps", "shop", "fixed"});
  REQUIRE(after.ok());
  CHECK((*after)->uid() != before);
  CHECK(stringAt((*after)->json(), {"data", "k"}) == "2");
}

TEST_CASE("one object that the server refuses does not hold back the others") {
  TestCluster c;
  auto poison = aDeployment("poison", 1);
  poison.body["spec"].as_object()["selector"] = json::object{{"matchLabels", json::object{{"app", "other"}}}};
  const auto run = applied(c, {aNamespace("shop"), poison, aConfigMap("good", "1"), aDeployment("web", 1)});
  CHECK(run.failures() == 1);
  for (const auto& row : run.rows())
    if (!row.done) CHECK(run.plan().changes[row.change].ref.name == "poison");
  CHECK(c.client->get({"deployments.apps", "shop", "web"}).ok());
  CHECK(c.client->get({"configmaps", "shop", "good"}).ok());
}

TEST_CASE("a field that a person changed is taken back, and the plan says from whom") {
  TestCluster c;
  applied(c, shop(2));
  Write edit = Write::patch({"deployments.apps", "shop", "web"}, PatchType::merge,
                            json::object{{"spec", json::object{{"replicas", 7}}}});
  edit.fieldManager = "kubectl-edit";
  REQUIRE(c.client->write(edit).ok());
  const Plan plan = planOf(c, shop(2));
  REQUIRE(plan.counts().update == 1);
  for (const auto& change : plan.changes)
    if (change.action == PlanAction::update)
      CHECK(change.taken == std::vector<std::string>{"spec.replicas from kubectl-edit"});
  applied(c, shop(2));
  CHECK(intAt((*c.client->get({"deployments.apps", "shop", "web"}))->spec(), {"replicas"}) == 2);
}

namespace {

Result<Plan> planWith(TestCluster& c, std::vector<WantedObject> wanted, PlanOptions options) {
  return makePlan(*c.client, std::move(wanted), options);
}

void run(TestCluster& c, Plan plan) {
  ApplyRun apply(*c.client, std::move(plan));
  while (!apply.finished())
    if (const auto next = apply.step(c.clock.now())) c.clock.advanceTo(*next);
}

void edit(TestCluster& c, const std::string& manager, const std::string& patch) {
  Write write = Write::patch({"deployments.apps", "shop", "web"}, PatchType::merge, *parseJson(patch));
  write.fieldManager = manager;
  REQUIRE(c.client->write(write).ok());
}

const PlannedChange& webOf(const Plan& plan) {
  for (const auto& change : plan.changes)
    if (change.ref.name == "web" && change.gvk.kind == "Deployment") return change;
  throw std::runtime_error("no web in the plan");
}

}  // namespace

TEST_CASE("what an autoscaler holds is not fought over, and everything else is still applied") {
  TestCluster c;
  applied(c, shop(2));
  edit(c, "autoscaler", R"({"spec":{"replicas":7}})");
  PlanOptions options;
  options.policy.ignored.push_back({"", "Deployment", "", "", {}, {"spec.replicas"}});
  auto plan = planWith(c, shop(2), options);
  REQUIRE(plan.ok());
  CHECK(plan->empty());
  CHECK(webOf(*plan).fields.empty());
  CHECK(webOf(*plan).left == std::vector<std::string>{"spec.replicas to autoscaler"});
  run(c, std::move(*plan));
  CHECK(intAt((*c.client->get({"deployments.apps", "shop", "web"}))->spec(), {"replicas"}) == 7);
  CHECK(planWith(c, shop(2), options)->empty());
  auto paused = shop(2);
  paused[0].body["spec"].as_object()["paused"] = true;
  run(c, *planWith(c, paused, options));
  const auto live = c.client->get({"deployments.apps", "shop", "web"});
  CHECK(intAt((*live)->spec(), {"replicas"}) == 7);
  CHECK(boolAt((*live)->spec(), {"paused"}));
}

TEST_CASE("with conflicts refused, an object that another manager holds is refused by name and the others go on") {
  TestCluster c;
  applied(c, shop(2));
  edit(c, "kubectl-edit", R"({"spec":{"replicas":7}})");
  auto wanted = shop(2);
  wanted[2] = aConfigMap("settings", "2");
  PlanOptions options;
  options.policy.conflicts = OwnershipPolicy::Conflicts::refuse;
  auto plan = planWith(c, wanted, options);
  REQUIRE(plan.ok());
  CHECK(webOf(*plan).refusal == "spec.replicas is held by kubectl-edit");
  CHECK(plan->counts().refused == 1);
  CHECK(plan->counts().update == 1);
  run(c, std::move(*plan));
  CHECK(intAt((*c.client->get({"deployments.apps", "shop", "web"}))->spec(), {"replicas"}) == 7);
  CHECK(stringAt((*c.client->get({"configmaps", "shop", "settings"}))->json(), {"data", "k"}) == "2");
}

TEST_CASE("with targets, nothing else is applied and nothing else is deleted") {
  TestCluster c;
  applied(c, {aNamespace("shop"), aConfigMap("old", "1"), aConfigMap("gone", "1"), aDeployment("web", 2)});
  PlanOptions options;
  options.selection.targets.push_back(*ObjectPattern::parse("cm/o*"));
  auto plan = planWith(c, {aNamespace("shop"), aDeployment("web", 5)}, options);
  REQUIRE(plan.ok());
  REQUIRE(plan->changes.size() == 1);
  CHECK(plan->changes[0].ref.name == "old");
  options.selection = {};
  options.selection.excludes.push_back(*ObjectPattern::parse("configmap/shop/*"));
  plan = planWith(c, {aNamespace("shop"), aDeployment("web", 5)}, options);
  CHECK(plan->counts().remove == 0);
  CHECK(plan->counts().update == 1);
}

TEST_CASE("an object that another application asks for changes its owner and is never deleted") {
  TestCluster c;
  applied(c, {aNamespace("shop"), aConfigMap("settings", "1")});
  const auto uid = (*c.client->get({"configmaps", "shop", "settings"}))->uid();
  PlanOptions root;
  root.elsewhere = {{"configmaps", "shop", "settings"}};
  CHECK(planWith(c, {aNamespace("shop")}, root)->empty());
  PlanOptions other;
  other.application = "other";
  auto plan = planWith(c, {aConfigMap("settings", "1")}, other);
  REQUIRE(plan->counts().update == 1);
  CHECK(plan->changes[0].movedFrom == "root");
  run(c, std::move(*plan));
  CHECK((*c.client->get({"configmaps", "shop", "settings"}))->uid() == uid);
  CHECK(planWith(c, {aNamespace("shop")}, {})->empty());
  CHECK(planWith(c, {aConfigMap("settings", "1")}, other)->empty());
}

namespace {

/// Something that happens between the look of a plan and its first write.
class Interference final : public Client {
 public:
  Interference(Client& inner, std::function<void()> once) : inner_(inner), once_(std::move(once)) {}
  Result<ObjectPtr> get(const ObjectRef& ref) override { return inner_.get(ref); }
  Result<ObjectList> list(const std::string& resource, const ListOptions& options) override {
    return inner_.list(resource, options);
  }
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options, std::uint64_t from,
                                       Waker waker) override {
    return inner_.watch(resource, options, from, std::move(waker));
  }
  Result<ObjectPtr> write(const Write& write) override { return inner_.write(write); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) override {
    if (!options.dryRun && once_) std::exchange(once_, nullptr)();
    return inner_.batch(std::move(writes), options);
  }
  Result<Observation> observe(const ObserveRequest& request) override { return inner_.observe(request); }

 private:
  Client& inner_;
  std::function<void()> once_;
};

/// Carries out a plan that is bound to what it was made from, while `meanwhile` happens.
ApplyRun bound(TestCluster& c, const std::vector<WantedObject>& wanted, std::function<void()> meanwhile) {
  PlanOptions all;
  all.live = PlanOptions::Live::all;
  auto plan = makePlan(*c.client, wanted, all);
  REQUIRE(plan.ok());
  const auto saved = savePlan({{*plan}}, wanted, {"steer", "cluster", "", {}, "salt"});
  Interference client(*c.client, std::move(meanwhile));
  ApplyOptions options;
  options.lookAgain = [&](const PlannedChange& change) -> Result<ObjectPtr> {
    STEER_TRY(const auto now, makePlan(*c.client, wanted, all));
    if (const auto moves = liveMoves(saved, {{now}}); !moves.empty()) return makeError(Errc::conflict, moves.front());
    for (const auto& fresh : now.changes)
      if (fresh.ref == change.ref) return fresh.live;
    return makeError(Errc::conflict, "gone");
  };
  ApplyRun run(client, std::move(*plan), options);
  for (int i = 0; i < 1000 && !run.finished(); ++i)
    if (const auto next = run.step(c.clock.now())) c.clock.advanceTo(*next);
  REQUIRE(run.finished());
  return run;
}

void change(const TestCluster& c, const ObjectRef& ref, const json::object& patch) {
  REQUIRE(c.client->write(Write::patch(ref, PatchType::merge, patch)).ok());
}

}  // namespace

TEST_CASE(
    "a change between the look of a bound plan and its write is refused by the field's name, and nothing is written") {
  TestCluster c;
  auto wanted = shop();
  wanted.push_back(aConfigMap("other", "1"));
  applied(c, wanted);
  auto next = shop();
  next[2] = aConfigMap("settings", "2");
  next.push_back(aConfigMap("other", "2"));
  const auto run = bound(c, next, [&] { change(c, {"configmaps", "shop", "settings"}, {{"data", {{"k", "mine"}}}}); });
  REQUIRE(run.stopped());
  CHECK(run.stopped()->why == ApplyRun::Stop::Why::stale);
  CHECK(run.stopped()->reason == "ConfigMap shop/settings: data.k was \"1\", is \"mine\"");
  const auto value = [&](const char* name) {
    return std::string(stringAt((*c.client->get({"configmaps", "shop", name}))->json(), {"data", "k"}));
  };
  CHECK(value("settings") == "mine");
  CHECK(value("other") == "1");  // of the same step
  CHECK(run.completed() == 0);
}

TEST_CASE("a change that a bound plan does not rest on only makes it look once more") {
  TestCluster c;
  applied(c, shop());
  auto next = shop();
  next[2] = aConfigMap("settings", "2");
  const auto run = bound(c, next, [&] {
    change(c, {"configmaps", "shop", "settings"}, {{"metadata", {{"annotations", {{"note", "elsewhere"}}}}}});
  });
  CHECK_FALSE(run.stopped());
  CHECK(run.failures() == 0);
  const auto settings = *c.client->get({"configmaps", "shop", "settings"});
  CHECK(stringAt(settings->json(), {"data", "k"}) == "2");
  CHECK(settings->annotation("note") == "elsewhere");
  CHECK(jsonText(settings->metadata()).find("f:uid") == std::string::npos);
  CHECK(jsonText(settings->metadata()).find("f:resourceVersion") == std::string::npos);
  CHECK(planOf(c, next).empty());
}

TEST_CASE("what a bound plan creates must not exist, and what it changes must not be gone, when it is written") {
  TestCluster c;
  applied(c, shop());
  auto next = shop();
  next.push_back(aConfigMap("fresh", "1"));
  const auto made = bound(
      c, next, [&] { REQUIRE(c.client->write(Write::create("configmaps", aConfigMap("fresh", "theirs").body)).ok()); });
  REQUIRE(made.stopped());
  CHECK(made.stopped()->reason == "ConfigMap shop/fresh: did not exist, exists now");
  next.pop_back();
  next[2] = aConfigMap("settings", "2");
  const auto gone = bound(c, next, [&] {
    REQUIRE(c.client->write(Write::remove({"configmaps", "shop", "settings"})).ok());
  });
  REQUIRE(gone.stopped());
  CHECK(gone.stopped()->reason == "ConfigMap shop/settings: existed, is gone");
  CHECK_FALSE(c.client->get({"configmaps", "shop", "settings"}).ok());
}
