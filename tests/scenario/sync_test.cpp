// From a push to running pods, in order: waves, hooks, quarantine, and a newer commit that pre-empts every wait.
#include <catch2/catch.hpp>

#include "tests/scenario/repository.h"

using namespace steer;
using namespace steer::scenario;

namespace {

std::string configMap(const std::string& name, const std::string& value, const std::string& annotation = "") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\n  annotations: {" + annotation +
         "}\ndata: {k: '" + value + "'}\n";
}

std::string wave(const std::string& n) { return "steersman.dev/wave: '" + n + "'"; }

std::string hook(const std::string& name, const std::string& when, const std::string& life,
                 const std::string& more = "") {
  return "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: " + name +
         "\n  annotations: {steersman.dev/hook: " + when + "}\nspec:\n  backoffLimit: 0\n" + more +
         "  template:\n    metadata: {annotations: {" + life +
         "}}\n    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n";
}

const std::string kShort = "simulator.steersman.dev/exit-after: 5s";
const std::string kFails = "simulator.steersman.dev/exit-after: 2s, simulator.steersman.dev/exit-code: '1'";
const std::string kForEver = "steersman.dev/sim-exit: never";
const std::string kNeverReady = "simulator.steersman.dev/ready-delay: never";

}  // namespace

TEST_CASE("while the remote cannot be reached everything stays as it is, and what was pushed meanwhile comes after") {
  Followed f(70);
  const auto first = f.push({{"web.yaml", deployment("web", 2, "v1")}, {"map.yaml", configMap("map", "1")}});
  REQUIRE(f.until([&] { return f.noted(first, "healthy"); }));
  f.cutRemote();
  const auto second = f.push({{"map.yaml", configMap("map", "2")}});
  REQUIRE(f.cluster.advance(minutes(3)));
  CHECK(stringAt(get(f.cluster, "configmaps", "map")->json(), {"data", "k"}) == "1");
  CHECK(f.cluster.ready("default", "app=web") == 2);
  CHECK(serialize(f.status()).find("next try at") != std::string::npos);
  (void)f.cluster.client().write(Write::remove({"configmaps", "default", "map"}));
  REQUIRE(f.until([&] { return f.exists("configmaps", "map"); }));  // healed from the last good state
  f.connectRemote();
  REQUIRE(f.until([&] { return f.noted(second, "healthy"); }, minutes(10)));
  CHECK(stringAt(get(f.cluster, "configmaps", "map")->json(), {"data", "k"}) == "2");
}

TEST_CASE("a report that the remote refuses is kept and given when it can be, each commit's once") {
  Followed f(69);
  f.refuseReports();
  const auto first = f.push({{"map.yaml", configMap("map", "1")}});
  REQUIRE(f.until([&] { return f.exists("configmaps", "map"); }));
  REQUIRE(f.cluster.advance(minutes(1)));
  const auto second = f.push({{"map.yaml", configMap("map", "2")}});
  REQUIRE(f.cluster.advance(minutes(1)));
  CHECK_FALSE(f.noted(first, "healthy"));
  CHECK(stringAt(get(f.cluster, "configmaps", "map")->json(), {"data", "k"}) == "2");
  f.restartReconciler();
  f.acceptReports();
  REQUIRE(f.until([&] { return f.noted(first, "healthy") && f.noted(second, "healthy"); }, minutes(10)));
  CHECK(f.repo.remoteGit("log --format=%s steersman/status | sort | uniq -d").empty());
}

TEST_CASE("nodes that are cut off lose their pods to others, and a push goes on meanwhile") {
  Followed f(68, minutes(15));
  const auto first = f.push({{"web.yaml", deployment("web", 2, "v1")}});
  REQUIRE(f.until([&] { return f.noted(first, "healthy"); }));
  f.cluster.fleet().partitionNode("node-1");
  const auto second = f.push({{"web.yaml", deployment("web", 2, "v2")}});
  REQUIRE(f.until([&] { return f.noted(second, "healthy"); }, minutes(15)));
  for (const auto& pod : f.cluster.pods("default", "app=web"))
    if (!pod->deleting()) CHECK(stringAt(pod->spec(), {"nodeName"}) == "node-2");
  f.cluster.fleet().healNode("node-1");
  REQUIRE(f.until([&] { return f.cluster.pods("default", "app=web").size() == 2; }, minutes(15)));
}

TEST_CASE("a later wave begins when the pods of the earlier one are ready") {
  Followed f(71);
  const auto slow = "simulator.steersman.dev/ready-delay: 20s";
  const auto commit =
      f.push({{"db.yaml", deployment("db", 1, "v1", "", "", slow)}, {"web.yaml", configMap("web", "1", wave("1"))}});
  REQUIRE(f.until([&] { return f.exists("deployments.apps", "db"); }));
  REQUIRE(f.cluster.advance(seconds(10)));
  CHECK_FALSE(f.exists("configmaps", "web"));
  CHECK(std::string(stringAt(f.status(), {"message"})).find("Deployment default/db") != std::string::npos);
  REQUIRE(f.until([&] { return f.noted(commit, "healthy: 2 created"); }));
  CHECK(f.exists("configmaps", "web"));
}

TEST_CASE("a wave that never becomes healthy is pre-empted by the commit that repairs it") {
  Followed f(72);
  const auto bad = f.push(
      {{"db.yaml", deployment("db", 1, "v1", "", "", kNeverReady)}, {"web.yaml", configMap("web", "1", wave("1"))}});
  REQUIRE(f.until([&] { return f.exists("deployments.apps", "db"); }));
  REQUIRE(f.cluster.advance(seconds(20)));
  const auto good = f.push({{"db.yaml", deployment("db", 1, "v2")}});
  REQUIRE(f.until([&] { return f.noted(good, "healthy"); }, seconds(60)));
  CHECK(f.noted(bad, "superseded"));
  CHECK(f.exists("configmaps", "web"));
}

TEST_CASE("a pre-sync hook runs before anything else, once for a commit, and not for drift") {
  Followed f(73);
  const auto first = f.push({{"a.yaml", configMap("a", "1")}, {"hook.yaml", hook("migrate", "pre-sync", kShort)}});
  REQUIRE(f.until([&] { return f.exists("jobs.batch", "migrate"); }));
  CHECK_FALSE(f.exists("configmaps", "a"));
  REQUIRE(f.until([&] { return f.noted(first, "healthy: 1 created"); }));
  const auto uid = get(f.cluster, "jobs.batch", "migrate")->uid();

  // Drift is healed without it.
  REQUIRE(f.cluster.client().write(Write::remove({"configmaps", "default", "a"})).ok());
  REQUIRE(f.until([&] { return f.exists("configmaps", "a"); }));
  REQUIRE(f.cluster.advance(minutes(11)));
  CHECK(get(f.cluster, "jobs.batch", "migrate")->uid() == uid);

  // A commit that changes nothing does not run it; one that does, does.
  const auto idle = f.push({{"README.md", "words"}});
  REQUIRE(f.until([&] { return f.noted(idle, "healthy"); }));
  CHECK(get(f.cluster, "jobs.batch", "migrate")->uid() == uid);
  const auto second = f.push({{"a.yaml", configMap("a", "2")}});
  REQUIRE(f.until([&] { return f.noted(second, "healthy: 1 updated"); }));
  CHECK(get(f.cluster, "jobs.batch", "migrate")->uid() != uid);
  CHECK(f.cluster.pods("default", "job-name=migrate").size() == 1);  // the last run stays, the one before went
}

TEST_CASE("a pre-sync hook that fails stops its commit for good, also after a restart; the next commit goes on") {
  Followed f(74);
  f.push({{"a.yaml", configMap("a", "1")}});
  REQUIRE(f.until([&] { return f.exists("configmaps", "a"); }));
  const auto bad = f.push({{"a.yaml", configMap("a", "2")}, {"hook.yaml", hook("migrate", "pre-sync", kFails)}});
  REQUIRE(f.until([&] { return f.noted(bad, "failed: no changes; pre-sync hook Job default/migrate: "); }));
  CHECK(stringAt(f.status(), {"phase"}) == "Failed");
  REQUIRE(f.cluster.advance(minutes(12)));
  f.restartReconciler();
  REQUIRE(f.cluster.advance(minutes(12)));
  CHECK(stringAt(get(f.cluster, "configmaps", "a")->json(), {"data", "k"}) == "1");
  CHECK(stringAt(f.status(), {"phase"}) == "Failed");
  const auto good = f.push({{"hook.yaml", hook("migrate", "pre-sync", kShort)}});
  REQUIRE(f.until([&] { return f.noted(good, "healthy"); }));
  CHECK(stringAt(get(f.cluster, "configmaps", "a")->json(), {"data", "k"}) == "2");
}

TEST_CASE("a hook that is removed when it went well runs once for a commit, however often the commit is tried") {
  Followed f(76, seconds(20));
  std::set<std::string> runs;  // uids
  f.cluster.driver().setBetweenSteps([&] {
    if (const auto job = f.cluster.state().get("jobs.batch", "default", "migrate")) runs.insert(job->uid());
  });
  auto migrate = hook("migrate", "pre-sync", kShort);
  migrate.insert(migrate.find("{steersman.dev/hook") + 1, "argocd.argoproj.io/hook-delete-policy: HookSucceeded, ");
  const auto first = f.push({{"web.yaml", deployment("web", 1, "v1", "", "", kNeverReady)}, {"hook.yaml", migrate}});
  REQUIRE(f.until([&] { return f.exists("deployments.apps", "web"); }));
  // What comes after the hook fails, is tried again, and so does a reconciler that begins anew.
  REQUIRE(f.cluster.advance(minutes(15)));
  f.restartReconciler();
  REQUIRE(f.cluster.advance(minutes(15)));
  CHECK(runs.size() == 1);
  CHECK_FALSE(f.exists("jobs.batch", "migrate"));
  const auto second = f.push({{"web.yaml", deployment("web", 1, "v2")}});
  REQUIRE(f.until([&] { return f.noted(second, "healthy"); }));
  CHECK(runs.size() == 2);
  // Nothing but the hook itself changes.
  migrate.replace(migrate.find("backoffLimit: 0"), 15, "backoffLimit: 1");
  const auto third = f.push({{"hook.yaml", migrate}});
  REQUIRE(f.until([&] { return runs.size() == 3 && f.noted(third, "healthy"); }));
  REQUIRE(f.cluster.advance(minutes(15)));
  CHECK(runs.size() == 3);
  f.cluster.driver().setBetweenSteps(nullptr);
}

TEST_CASE("a job that goes by itself when it is done is made once, until its manifest changes") {
  Followed f(77);
  std::set<std::string> runs;
  f.cluster.driver().setBetweenSteps([&] {
    if (const auto job = f.cluster.state().get("jobs.batch", "default", "ttl")) runs.insert(job->uid());
  });
  const auto job = [](int version) {
    return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: ttl}\nspec:\n  ttlSecondsAfterFinished: 2\n  template: "
           "{spec: "
           "{restartPolicy: Never, containers: [{name: c, image: 'i:" +
           std::to_string(version) + "'}]}}\n";
  };
  const auto first = f.push({{"job.yaml", job(1)}});
  REQUIRE(f.until([&] { return f.noted(first, "healthy"); }));
  REQUIRE(f.cluster.advance(minutes(10)));
  f.restartReconciler();
  REQUIRE(f.cluster.advance(minutes(10)));
  CHECK(runs.size() == 1);
  CHECK(arrayAt(f.status(), {"history"}).size() == 1);
  CHECK(stringAt(f.status(), {"health"}) == "healthy");
  f.push({{"job.yaml", job(2)}});
  REQUIRE(f.cluster.advance(minutes(10)));
  CHECK(runs.size() == 2);
  f.cluster.driver().setBetweenSteps(nullptr);
}

TEST_CASE("a hook that hangs is pre-empted by a newer commit") {
  Followed f(75, minutes(30));
  const auto bad = f.push({{"a.yaml", configMap("a", "1")}, {"hook.yaml", hook("migrate", "pre-sync", kForEver)}});
  REQUIRE(f.until([&] { return f.cluster.running("default", "job-name=migrate") == 1; }));
  REQUIRE(f.cluster.advance(seconds(30)));
  const auto good = f.push({{"hook.yaml", hook("migrate", "pre-sync", kShort)}});
  REQUIRE(f.until([&] { return f.noted(good, "healthy"); }, seconds(90)));
  CHECK(f.noted(bad, "superseded"));
}

TEST_CASE("a post-sync hook runs when everything is healthy, and its failure fails the sync but undoes nothing") {
  Followed f(76);
  const auto slow = "simulator.steersman.dev/ready-delay: 10s";
  const auto commit = f.push(
      {{"web.yaml", deployment("web", 1, "v1", "", "", slow)}, {"hook.yaml", hook("smoke", "post-sync", kFails)}});
  REQUIRE(f.until([&] { return f.exists("jobs.batch", "smoke"); }));
  CHECK(f.cluster.ready("default", "app=web") == 1);
  REQUIRE(f.until([&] { return f.noted(commit, "post-sync hook Job default/smoke"); }));
  CHECK(f.noted(commit, "failed: 1 created"));
  CHECK(f.exists("deployments.apps", "web"));
  // What was applied is still kept as it should be.
  REQUIRE(f.cluster.client().write(Write::remove({"deployments.apps", "default", "web"})).ok());
  REQUIRE(f.until([&] { return f.cluster.ready("default", "app=web") == 1; }));
  // And time alone does not make it well, nor does a restart.
  REQUIRE(f.cluster.advance(minutes(12)));
  f.restartReconciler();
  REQUIRE(f.cluster.advance(minutes(12)));
  CHECK(stringAt(f.status(), {"phase"}) == "Failed");
  CHECK(std::string(stringAt(f.status(), {"message"})).find("smoke") != std::string::npos);
  const auto good = f.push({{"hook.yaml", hook("smoke", "post-sync", kShort)}});
  REQUIRE(f.until([&] { return f.noted(good, "healthy"); }));
  CHECK(stringAt(f.status(), {"phase"}) == "Synced");
}

TEST_CASE("a reconciler that is restarted in the middle of a hook goes on with that very run") {
  Followed f(77);
  const auto commit = f.push({{"a.yaml", configMap("a", "1")},
                              {"hook.yaml", hook("migrate", "pre-sync", "simulator.steersman.dev/exit-after: 30s")}});
  REQUIRE(f.until([&] { return f.cluster.running("default", "job-name=migrate") == 1; }));
  const auto uid = get(f.cluster, "jobs.batch", "migrate")->uid();
  f.restartReconciler();
  REQUIRE(f.cluster.advance(seconds(5)));
  f.cluster.crashServer();
  REQUIRE(f.until([&] { return f.noted(commit, "healthy: 1 created"); }));
  CHECK(get(f.cluster, "jobs.batch", "migrate")->uid() == uid);
}

TEST_CASE("one wrong object is left as it lives, and the rest goes on") {
  Followed f(78);
  f.push({{"a.yaml", configMap("a", "1")},
          {"web.yaml", deployment("web", 1, "v1")},
          {"gone.yaml", configMap("gone", "1")}});
  REQUIRE(f.until([&] { return f.cluster.ready("default", "app=web") == 1; }));
  f.repo.git("rm -qf gone.yaml");
  const auto commit =
      f.push({{"a.yaml", configMap("a", "2")}, {"web.yaml", deployment("web", 2, "v1", "", "  replicsa: 3\n")}});
  REQUIRE(f.until([&] { return f.noted(commit, "degraded: "); }));
  CHECK(f.noted(commit, "1 updated, 1 deleted; 1 object is in quarantine and left as it lives: web.yaml:"));
  CHECK(f.noted(commit, "replicsa"));
  CHECK(stringAt(get(f.cluster, "configmaps", "a")->json(), {"data", "k"}) == "2");
  CHECK_FALSE(f.exists("configmaps", "gone"));  // everything is known by name, so this one really left
  CHECK(f.cluster.ready("default", "app=web") == 1);
  CHECK(stringAt(f.status(), {"phase"}) == "Degraded");
  REQUIRE(f.cluster.advance(minutes(6)));
  CHECK(stringAt(f.status(), {"phase"}) == "Degraded");
  const auto good = f.push({{"web.yaml", deployment("web", 2, "v1")}});
  REQUIRE(f.until([&] { return f.noted(good, "healthy: 1 updated"); }));
  CHECK(stringAt(f.status(), {"phase"}) == "Synced");
}

TEST_CASE("nothing is deleted while it is not certain which object a manifest speaks of") {
  const auto spoilt = [](const std::string& text) {
    Followed f(79);
    f.push({{"a.yaml", configMap("a", "1")}, {"b.yaml", configMap("b", "1")}, {"gone.yaml", configMap("gone", "1")}});
    REQUIRE(f.until([&] { return f.exists("configmaps", "gone"); }));
    f.repo.git("rm -qf gone.yaml");
    const auto commit = f.push({{"a.yaml", configMap("a", "2")}, {"b.yaml", text}});
    REQUIRE(f.until([&] { return f.noted(commit, "degraded: "); }));
    CHECK(f.noted(commit, "so nothing is deleted: b.yaml:"));
    CHECK(stringAt(get(f.cluster, "configmaps", "a")->json(), {"data", "k"}) == "2");
    CHECK(stringAt(get(f.cluster, "configmaps", "b")->json(), {"data", "k"}) == "1");
    CHECK(f.exists("configmaps", "gone"));
  };
  SECTION("the file is no YAML") { spoilt("apiVersion: v1\nkind: [\n"); }
  SECTION("the kind is misspelt") { spoilt("apiVersion: v1\nkind: ConfigMpa\nmetadata: {name: b}\n"); }
  SECTION("the name is missing") { spoilt("apiVersion: v1\nkind: ConfigMap\nmetadata: {}\n"); }
  SECTION("the namespace does not exist") {
    spoilt("apiVersion: v1\nkind: ConfigMap\nmetadata: {name: b, namespace: nowhere}\n");
  }
  SECTION("a copy kept its name") { spoilt(configMap("b", "8") + "---\n" + configMap("b", "9")); }
}

TEST_CASE("an object that the server refuses is told, and holds back neither its wave nor the next") {
  Followed f(80);
  const std::string other =
      "apiVersion: v1\nkind: Service\nmetadata: {name: twice}\nspec:\n  type: NodePort\n"
      "  selector: {app: x}\n  ports: [{port: 80, nodePort: 31234}]\n";
  auto second = other;
  second.replace(second.find("twice"), 5, "third");
  const auto commit = f.push({{"a.yaml", other}, {"b.yaml", second}, {"c.yaml", configMap("c", "1", wave("1"))}});
  REQUIRE(f.until([&] { return f.noted(commit, "degraded: 2 created; some objects could not be applied"); }));
  CHECK(f.exists("configmaps", "c"));
  CHECK(f.noted(commit, "nodePort"));
}

TEST_CASE("a wrong pre-sync hook stops its commit: what must come first did not") {
  Followed f(81);
  f.push({{"a.yaml", configMap("a", "1")}});
  REQUIRE(f.until([&] { return f.exists("configmaps", "a"); }));
  for (const std::string when : {"pre-sync", "before"}) {
    const auto bad =
        f.push({{"a.yaml", configMap("a", "2")}, {"hook.yaml", hook("migrate", when, kShort, "  paralelism: 1\n")}});
    REQUIRE(f.until([&] { return f.noted(bad, "invalid: nothing applied; the pre-sync hook Job default/migrate"); }));
    CHECK(stringAt(get(f.cluster, "configmaps", "a")->json(), {"data", "k"}) == "1");
  }
}

TEST_CASE("what someone deletes while its wave is waited for comes back, and the sync goes on") {
  Followed f(82);
  const auto slow = "simulator.steersman.dev/ready-delay: 20s";
  const auto commit =
      f.push({{"db.yaml", deployment("db", 1, "v1", "", "", slow)}, {"web.yaml", configMap("web", "1", wave("1"))}});
  REQUIRE(f.until([&] { return f.exists("deployments.apps", "db"); }));
  REQUIRE(f.cluster.advance(seconds(10)));
  REQUIRE(f.cluster.client().write(Write::remove({"deployments.apps", "default", "db"})).ok());
  REQUIRE(f.until([&] { return f.noted(commit, "healthy"); }, seconds(60)));
  CHECK(f.exists("configmaps", "web"));
}
