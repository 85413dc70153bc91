// Waves and hooks: what is written when, and what stops it. Nobody but the test plays the controllers.
#include <catch2/catch.hpp>

#include "cluster.h"
#include "manifests.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "reconciler/plan/host_ports.h"

using namespace steer;

namespace {

WantedObject inWave(WantedObject w, const std::string& wave, const char* key = "steersman.dev/wave") {
  ensureObject(ensureObject(w.body, "metadata"), "annotations")[key] = wave;
  return w;
}

WantedObject hook(const std::string& name, const std::string& when, const std::string& image = "i") {
  const auto body = parseJson(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":")" + name +
                              R"(","namespace":"shop","annotations":{"steersman.dev/hook":")" + when +
                              R"("}},"spec":{"ttlSecondsAfterFinished":5,"template":{"spec":{"restartPolicy":"Never",
      "containers":[{"name":"c","image":")" +
                              image + R"("}]}}}})");
  return {{"jobs.batch", "shop", name}, body->as_object(), {"hooks.yaml", 1, 1}};
}

/// A run that is stepped by the test, in virtual time.
struct Run {
  TestCluster& c;
  ApplyRun run;

  Run(TestCluster& cluster, std::vector<WantedObject> wanted, const std::string& name = "commit-1")
      : c(cluster), run(*cluster.client, planOf(cluster, std::move(wanted)), options(name)) {}
  static Plan planOf(TestCluster& c, std::vector<WantedObject> wanted) {
    auto plan = makePlan(*c.client, std::move(wanted), {});
    REQUIRE(plan.ok());
    return std::move(*plan);
  }
  static ApplyOptions options(const std::string& name) {
    ApplyOptions out;
    out.hookRun = name;
    out.healthTimeout = minutes(5);
    return out;
  }
  /// Until it waits for more than a moment, or is finished.
  Run& go(Duration time = seconds(3)) {
    const Time until = c.clock.now() + time;
    while (!run.finished() && c.clock.now() < until) {
      const auto next = run.step(c.clock.now());
      if (next) c.clock.advanceTo(*next);
    }
    return *this;
  }
};

bool there(TestCluster& c, const std::string& resource, const std::string& name) {
  return c.client->get({resource, "shop", name}).ok();
}

void setStatus(TestCluster& c, const ObjectRef& ref, const std::string& status) {
  const auto done = c.client->write(
      Write::patch(ref, PatchType::merge, json::object{{"status", parseJson(status).value()}}, "status"));
  REQUIRE(done.ok());
}

void makeAvailable(TestCluster& c, const std::string& name) {
  const ObjectRef ref{"deployments.apps", "shop", name};
  const auto live = *c.client->get(ref);
  const auto n = std::to_string(intAt(live->spec(), {"replicas"}));
  setStatus(c, ref,
            R"({"observedGeneration":)" + std::to_string(live->generation()) + R"(,"replicas":)" + n +
                R"(,"updatedReplicas":)" + n + R"(,"availableReplicas":)" + n + "}");
}

void endJob(TestCluster& c, const std::string& name, const std::string& condition) {
  setStatus(c, {"jobs.batch", "shop", name},
            R"({"conditions":[{"type":")" + condition + R"(","status":"True","message":"so it ended"}]})");
}

/// What the garbage collector does when the pods of a job are gone.
void letGo(TestCluster& c, const std::string& name) {
  REQUIRE(c.client
              ->write(Write::patch({"jobs.batch", "shop", name}, PatchType::merge,
                                   json::object{{"metadata", {{"finalizers", nullptr}}}}))
              .ok());
}

}  // namespace

TEST_CASE("the next wave begins when the one before is healthy, and not a moment earlier") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aDeployment("db", 1), inWave(aDeployment("web", 1), "1"),
            inWave(aConfigMap("early", "1"), "-5")});
  r.go();
  CHECK(there(c, "configmaps", "early") == false);  // its namespace is of a later wave: refused, not held up
  CHECK(there(c, "deployments.apps", "db"));
  CHECK_FALSE(there(c, "deployments.apps", "web"));
  CHECK(r.run.stageName() == "health of wave 0");
  CHECK(r.run.waitingFor().starts_with("Deployment shop/db: "));
  CHECK(r.run.interruptible());
  makeAvailable(c, "db");
  r.go();
  CHECK(there(c, "deployments.apps", "web"));
  CHECK(r.run.finished());  // nobody waits for the last wave here
  CHECK_FALSE(r.run.stopped());
  CHECK(r.run.failures() == 1);
}

TEST_CASE("within a wave the order of kinds holds, and Argo CD's annotation counts when ours is not there") {
  TestCluster c;
  auto both = inWave(inWave(aConfigMap("both", "1"), "7", "argocd.argoproj.io/sync-wave"), "-1");
  const Plan plan =
      Run::planOf(c, {inWave(aDeployment("web", 1), "-1"), inWave(aService("web"), "-1"), both, aNamespace("shop"),
                      inWave(aConfigMap("late", "1"), "3", "argocd.argoproj.io/sync-wave")});
  std::vector<std::string> order;
  for (const auto& change : plan.changes) order.push_back(change.text());
  CHECK(order == std::vector<std::string>{"ConfigMap shop/both", "Service shop/web", "Deployment shop/web",
                                          "Namespace shop", "ConfigMap shop/late"});
}

TEST_CASE("one wave alone waits for nothing") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aDeployment("db", 1), aDeployment("web", 1)});
  r.go();
  CHECK(r.run.finished());
  CHECK(r.run.completed() == 3);
}

TEST_CASE("a wave that will not become healthy stops the run, and what comes after is not applied") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aDeployment("db", 1), inWave(aDeployment("web", 1), "1")});
  r.go();
  const auto live = *c.client->get({"deployments.apps", "shop", "db"});
  setStatus(c, {"deployments.apps", "shop", "db"},
            R"({"observedGeneration":)" + std::to_string(live->generation()) +
                R"(,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded",
                    "message":"no progress"}]})");
  r.go();
  REQUIRE(r.run.stopped());
  CHECK(r.run.stopped()->why == ApplyRun::Stop::Why::degraded);
  CHECK(r.run.stopped()->reason == "Deployment shop/db: no progress");
  CHECK_FALSE(there(c, "deployments.apps", "web"));
  CHECK(r.run.failures() == 0);
}

TEST_CASE("a wave that takes too long stops the run") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aDeployment("db", 1), inWave(aDeployment("web", 1), "1")});
  r.go(minutes(4));
  CHECK_FALSE(r.run.finished());
  r.go(minutes(2));
  REQUIRE(r.run.stopped());
  CHECK(r.run.stopped()->why == ApplyRun::Stop::Why::timedOut);
  CHECK(r.run.stopped()->reason.find("wave 0 is not healthy in time") != std::string::npos);
}

TEST_CASE("what was ill before and is left as it is does not hold back a later wave") {
  TestCluster c;
  Run(c, {aNamespace("shop"), aDeployment("db", 1)}).go();
  const auto live = *c.client->get({"deployments.apps", "shop", "db"});
  setStatus(c, {"deployments.apps", "shop", "db"},
            R"({"observedGeneration":)" + std::to_string(live->generation()) +
                R"(,"conditions":[{"type":"Progressing","status":"False","reason":"ProgressDeadlineExceeded"}]})");
  Run r(c, {aNamespace("shop"), aDeployment("db", 1), inWave(aConfigMap("fix", "1"), "1")});
  r.go();
  CHECK(r.run.finished());
  CHECK(there(c, "configmaps", "fix"));
}

TEST_CASE("deletions go the other way round, and a later wave is gone before an earlier one goes") {
  TestCluster c;
  Run(c, {aNamespace("shop"), aConfigMap("first", "1"), inWave(aConfigMap("second", "1"), "2")}).go();
  const auto held =
      c.client->write(Write::patch({"configmaps", "shop", "second"}, PatchType::merge,
                                   parseJson(R"({"metadata":{"finalizers":["example.org/held"]}})").value()));
  REQUIRE(held.ok());
  Run r(c, {aNamespace("shop")});
  r.go();
  CHECK((*c.client->get({"configmaps", "shop", "second"}))->deleting());
  CHECK(there(c, "configmaps", "first"));
  REQUIRE(c.client
              ->write(Write::patch({"configmaps", "shop", "second"}, PatchType::merge,
                                   parseJson(R"({"metadata":{"finalizers":null}})").value()))
              .ok());
  r.go();
  CHECK_FALSE(there(c, "configmaps", "second"));
  CHECK_FALSE(there(c, "configmaps", "first"));
  CHECK(r.run.finished());
}

TEST_CASE("a pre-sync hook comes first, after nothing but its namespace, and the rest waits for its end") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aConfigMap("settings", "1"), hook("migrate", "pre-sync")});
  r.go();
  REQUIRE(there(c, "jobs.batch", "migrate"));
  CHECK_FALSE(there(c, "configmaps", "settings"));
  CHECK(r.run.stageName() == "pre-sync hooks");
  CHECK(r.run.waitingFor() == "Job shop/migrate: running, 0 of 1 completion");
  const auto job = *c.client->get({"jobs.batch", "shop", "migrate"});
  CHECK(job->annotation("steersman.dev/hook-run") == "commit-1");
  CHECK(find(job->spec(), {"ttlSecondsAfterFinished"}) == nullptr);  // the last run stays
  endJob(c, "migrate", "Complete");
  r.go();
  CHECK(there(c, "configmaps", "settings"));
  CHECK(r.run.finished());
  CHECK_FALSE(r.run.stopped());
}

TEST_CASE("a pre-sync hook that fails stops everything") {
  TestCluster c;
  Run(c, {aNamespace("shop")}).go();
  Run r(c, {aNamespace("shop"), aConfigMap("settings", "1"), hook("migrate", "pre-sync")});
  r.go();
  endJob(c, "migrate", "Failed");
  r.go();
  REQUIRE(r.run.stopped());
  CHECK(r.run.stopped()->why == ApplyRun::Stop::Why::hookFailed);
  CHECK(r.run.stopped()->reason == "pre-sync hook Job shop/migrate: so it ended");
  CHECK_FALSE(there(c, "configmaps", "settings"));
  CHECK(r.run.completed() == 0);
}

TEST_CASE("a post-sync hook waits for the health of everything") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aDeployment("web", 1), hook("smoke", "post-sync")});
  r.go();
  CHECK(there(c, "deployments.apps", "web"));
  CHECK_FALSE(there(c, "jobs.batch", "smoke"));
  makeAvailable(c, "web");
  r.go();
  CHECK(there(c, "jobs.batch", "smoke"));
  CHECK_FALSE(r.run.finished());
  endJob(c, "smoke", "Complete");
  r.go();
  CHECK(r.run.finished());
}

TEST_CASE("planning after applying is empty although there are hooks, and no hook is due") {
  TestCluster c;
  const std::vector<WantedObject> all{aNamespace("shop"), aConfigMap("settings", "1"), hook("migrate", "pre-sync")};
  const Plan before = Run::planOf(c, all);
  CHECK(before.hooksDue());
  CHECK(before.counts().create == 2);  // the hook is no change
  Run r(c, all);
  r.go();
  endJob(c, "migrate", "Complete");
  r.go();
  REQUIRE(r.run.finished());
  const Plan after = Run::planOf(c, all);
  CHECK(after.empty());
  CHECK_FALSE(after.hooksDue());
  CHECK(there(c, "jobs.batch", "migrate"));  // wanted, so not pruned
}

TEST_CASE("hooks are due again when something changes, or when the hook itself does") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), aConfigMap("settings", "1"), hook("migrate", "pre-sync")});
  r.go();
  endJob(c, "migrate", "Complete");
  r.go();
  CHECK(Run::planOf(c, {aNamespace("shop"), aConfigMap("settings", "2"), hook("migrate", "pre-sync")}).hooksDue());
  const Plan other =
      Run::planOf(c, {aNamespace("shop"), aConfigMap("settings", "1"), hook("migrate", "pre-sync", "other")});
  CHECK(other.hooksDue());
  CHECK(other.empty());
}

TEST_CASE("a hook that left the source is pruned like anything else") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), hook("migrate", "pre-sync")});
  r.go();
  endJob(c, "migrate", "Complete");
  r.go();
  CHECK(Run::planOf(c, {aNamespace("shop")}).counts().remove == 1);
}

TEST_CASE("a hook runs once for a commit; for the next one its last run is removed first") {
  TestCluster c;
  const std::vector<WantedObject> first{aNamespace("shop"), aConfigMap("s", "1"), hook("migrate", "pre-sync")};
  Run one(c, first);
  one.go();
  const auto uid = (*c.client->get({"jobs.batch", "shop", "migrate"}))->uid();

  // The process ended in the middle; another goes on with the same commit.
  Run again(c, first);
  again.go();
  CHECK((*c.client->get({"jobs.batch", "shop", "migrate"}))->uid() == uid);
  endJob(c, "migrate", "Complete");
  again.go();
  CHECK(again.run.finished());

  Run next(c, {aNamespace("shop"), aConfigMap("s", "2"), hook("migrate", "pre-sync")}, "commit-2");
  next.go();
  CHECK((*c.client->get({"jobs.batch", "shop", "migrate"}))->deleting());
  CHECK(next.run.waitingFor() == "Job shop/migrate: its last run is being removed");
  letGo(c, "migrate");
  next.go();
  const auto made = *c.client->get({"jobs.batch", "shop", "migrate"});
  CHECK(made->uid() != uid);
  CHECK(made->annotation("steersman.dev/hook-run") == "commit-2");
}

TEST_CASE("a hook that someone deletes while it runs has failed; one that takes too long, too") {
  TestCluster c;
  Run r(c, {aNamespace("shop"), hook("migrate", "pre-sync")});
  r.go();
  DeleteOptions options;
  options.propagation = Propagation::background;
  REQUIRE(c.client->write(Write::remove({"jobs.batch", "shop", "migrate"}, options)).ok());
  r.go();
  REQUIRE(r.run.stopped());
  CHECK(r.run.stopped()->reason.ends_with("was deleted before it was complete"));

  Run slow(c, {aNamespace("shop"), hook("migrate", "pre-sync", "slow")}, "commit-2");
  slow.go(minutes(6));
  REQUIRE(slow.run.stopped());
  CHECK(slow.run.stopped()->reason.find("was not complete in time") != std::string::npos);
}

TEST_CASE("what asks to be made anew is deleted and made again when it changes, and only then") {
  TestCluster c;
  const auto map = [](const std::string& value) {
    auto out = aConfigMap("map", value);
    ensureObject(ensureObject(out.body, "metadata"), "annotations")["argocd.argoproj.io/sync-options"] =
        "Force=true, Replace=true";
    return out;
  };
  Run(c, {aNamespace("shop"), map("1")}).go();
  const auto uid = (*c.client->get({"configmaps", "shop", "map"}))->uid();
  CHECK(Run::planOf(c, {aNamespace("shop"), map("1")}).empty());
  Run run(c, {aNamespace("shop"), map("2")});
  CHECK(run.run.plan().counts().replace == 1);
  run.go();
  CHECK(run.run.failures() == 0);
  CHECK((*c.client->get({"configmaps", "shop", "map"}))->uid() != uid);
  CHECK(Run::planOf(c, {aNamespace("shop"), map("2")}).empty());
}

TEST_CASE("a replaced object that is not made anew yet must not be abandoned") {
  TestCluster c;
  Run(c, {aNamespace("shop"), aDeployment("web", 1)}).go();
  auto other = aDeployment("web", 1);
  other.body["spec"].as_object()["selector"] = parseJson(R"({"matchLabels":{"app":"other"}})").value();
  other.body["spec"].as_object()["template"].as_object()["metadata"] =
      parseJson(R"({"labels":{"app":"other"}})").value();
  Run r(c, {aNamespace("shop"), other});
  REQUIRE(r.run.plan().counts().replace == 1);
  r.go(milliseconds(300));
  CHECK_FALSE(r.run.interruptible());  // it waits for its pods to go
}

namespace {

WantedObject onPort(const std::string& name, int port) {
  return wantedOf(
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":")" + name +
      R"(","namespace":"shop"},"spec":{"type":"NodePort","selector":{"app":"web"},"ports":[{"port":80,"nodePort":)" +
      std::to_string(port) + "}]}}");
}

const PlannedChange& changeOf(const Plan& plan, const std::string& name) {
  for (const auto& c : plan.changes)
    if (c.ref.name == name) return c;
  FAIL("no change of " << name);
  return plan.changes.front();
}

}  // namespace

TEST_CASE("what holds a port that another object needs goes first, and the plan says so") {
  TestCluster c;
  Run(c, {aNamespace("shop"), onPort("old", 30080), onPort("other", 30081)}).go();
  const auto plan = Run::planOf(c, {aNamespace("shop"), onPort("new", 30080)});
  CHECK(plan.counts().refused == 0);
  CHECK(changeOf(plan, "new").after == std::vector<std::string>{"Service shop/old"});
  CHECK(changeOf(plan, "old").makesWayFor.name == "new");
  CHECK(changeOf(plan, "other").makesWayFor.name.empty());
  Run run(c, {aNamespace("shop"), onPort("new", 30080)});
  run.go();
  CHECK(run.run.failures() == 0);
  CHECK(there(c, "services", "new"));
  CHECK_FALSE(there(c, "services", "old"));
  CHECK_FALSE(there(c, "services", "other"));
}

namespace {

WantedObject onHostPort(const std::string& kind, const std::string& name, const std::string& more = "") {
  return wantedOf(R"({"apiVersion":"apps/v1","kind":")" + kind + R"(","metadata":{"name":")" + name +
                  R"(","namespace":"shop"},"spec":{"selector":{"matchLabels":{"app":")" + name +
                  R"("}},"template":{"metadata":{"labels":{"app":")" + name + R"("}},"spec":{)" + more +
                  R"("containers":[{"name":"c","image":"x","ports":[{"containerPort":80,"hostPort":8080}]}]}}}})");
}

}  // namespace

TEST_CASE("what has a port of the node that a wave waits for goes before it is waited for, across kinds") {
  TestCluster c;
  Run(c, {aNamespace("shop"), onHostPort("DaemonSet", "old"), aDeployment("other", 1)}).go();
  const std::vector<WantedObject> wanted{aNamespace("shop"), onHostPort("Deployment", "new"),
                                         inWave(aConfigMap("late", "1"), "1")};
  const auto plan = Run::planOf(c, wanted);
  CHECK(changeOf(plan, "old").freesFor.name == "new");
  CHECK(changeOf(plan, "old").freed == "8080/TCP");
  CHECK(changeOf(plan, "other").freed.empty());
  Run run(c, wanted);
  run.go();
  CHECK(run.run.stageName() == "health of wave 0");
  CHECK(there(c, "deployments.apps", "new"));
  CHECK_FALSE(there(c, "daemonsets.apps", "old"));
  CHECK(there(c, "deployments.apps", "other"));
  CHECK_FALSE(there(c, "configmaps", "late"));
  // On other nodes nothing is in the way.
  CHECK(sharedHostPort(onHostPort("DaemonSet", "new", R"("nodeSelector":{"a":"2"},)").body,
                       onHostPort("Deployment", "old", R"("nodeSelector":{"a":"1"},)").body)
            .empty());
}

TEST_CASE("a quota that goes makes way for what it refuses, though it is of another kind") {
  TestCluster c;
  Run(c, {aNamespace("shop"), onPort("old", 30080),
          wantedOf(R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q","namespace":"shop"},
            "spec":{"hard":{"count/secrets":"0"}}})")})
      .go();
  const auto secret = wantedOf(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"new","namespace":"shop"}})");
  const auto plan = Run::planOf(c, {aNamespace("shop"), secret});
  INFO(changeOf(plan, "new").refusal);
  CHECK(changeOf(plan, "new").refusal.empty());
  CHECK(changeOf(plan, "q").makesWayFor.name == "new");
  CHECK(changeOf(plan, "old").makesWayFor.name.empty());
}

TEST_CASE("one deletion makes way for two that need what it holds") {
  TestCluster c;
  auto both = onPort("old", 30080);
  ensureObject(both.body, "spec")["ports"] =
      parseJson(R"([{"name":"a","port":80,"nodePort":30080},{"name":"b","port":81,"nodePort":30081}])").value();
  Run(c, {aNamespace("shop"), both}).go();
  Run run(c, {aNamespace("shop"), onPort("one", 30080), onPort("two", 30081)});
  run.go();
  CHECK(run.run.failures() == 0);
  CHECK(there(c, "services", "one"));
  CHECK(there(c, "services", "two"));
}

TEST_CASE("where something is refused nothing is deleted, and what is kept is named") {
  TestCluster c;
  Run(c, {aNamespace("shop"), aConfigMap("old", "1"), onPort("taken", 30080)}).go();
  const auto made = c.client->write(Write::create(
      "services", parseJson(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"foreign","namespace":"shop"},
        "spec":{"type":"NodePort","ports":[{"port":80,"nodePort":30090}]}})")
                      .value()
                      .as_object()));
  REQUIRE(made.ok());
  Run run(c, {aNamespace("shop"), onPort("new", 30090)});
  run.go();
  CHECK(run.run.failures() == 1);
  CHECK(there(c, "configmaps", "old"));
  CHECK(there(c, "services", "taken"));
  std::size_t kept = 0;
  for (const auto& row : run.run.rows()) kept += row.heldBack ? 1 : 0;
  CHECK(kept == 2);
}
