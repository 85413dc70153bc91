// While a commit waits, the one that is applied is kept as it is: what people change comes back, what they delete is
// made anew, and nothing of the newer one comes early.
#include <algorithm>

#include "loop/world.h"

using namespace steer;

namespace {

/// keep (in both commits), leaves (gone with the second), changes (1, then 2); `extra` for the second.
void writeFirst(const World& w) {
  w.repo.write("ns.yaml", namespaceShop());
  for (const auto* name : {"keep", "leaves", "changes"}) w.repo.write(std::string(name) + ".yaml", configMap(name));
  for (int i = 0; i < 8; ++i) w.repo.write("m" + std::to_string(i) + ".yaml", configMap("m" + std::to_string(i)));
}

std::string pushSecond(World& w, bool manyLeave = false) {
  w.repo.git("rm -qf leaves.yaml");
  if (manyLeave)
    for (int i = 0; i < 8; ++i) w.repo.git("rm -qf m" + std::to_string(i) + ".yaml");
  w.repo.write("changes.yaml", configMap("changes", "2"));
  w.repo.write("new.yaml", configMap("new", "2"));
  return w.repo.push("Second");
}

void disturb(const World& w) {
  for (const auto* name : {"keep", "leaves"})
    REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", name})).ok());
  REQUIRE(w.cluster.client
              ->write(Write::patch({"configmaps", "shop", "changes"}, PatchType::merge,
                                   json::object{{"data", json::object{{"k", "by hand"}}}}))
              .ok());
}

void checkKept(World& w) {
  CHECK(w.value("keep") == "1");
  CHECK(w.value("leaves") == "1");
  CHECK(w.value("changes") == "1");
  CHECK(!w.exists({"configmaps", "shop", "new"}));
}

void checkSecond(World& w) {
  CHECK(w.value("keep") == "1");
  CHECK(!w.exists({"configmaps", "shop", "leaves"}));
  CHECK(w.value("changes") == "2");
  CHECK(w.value("new") == "2");
}

std::string hookFile(const std::string& name) {
  return "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: " + name +
         "\n  namespace: shop\n  annotations: {steersman.dev/hook: pre-sync}\nspec:\n  template:\n    spec: "
         "{restartPolicy: Never, containers: [{name: c, image: 'm:1'}]}\n";
}

void endJob(const World& w, const std::string& name, const char* condition) {
  const auto job = w.cluster.client->get({"jobs.batch", "shop", name});
  REQUIRE(job.ok());
  json::object body = (*job)->json();
  const bool good = std::string(condition) == "Complete";
  body["status"] = json::object{{"conditions", json::array{json::object{{"type", condition}, {"status", "True"}}}},
                                {good ? "succeeded" : "failed", 1}};
  (void)w.cluster.client->write(
      Write::patch({"jobs.batch", "shop", name}, PatchType::merge, json::object{{"status", body["status"]}}, "status"));
}

}  // namespace

TEST_CASE("a commit that waits for a person's yes leaves the one before healed, also after a restart") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  const auto second = pushSecond(w, true);
  w.run();
  REQUIRE(w.phase() == "NeedsConfirmation");
  disturb(w);
  w.run();
  checkKept(w);
  CHECK(w.phase() == "NeedsConfirmation");
  SECTION("then the process is started anew, and what happened meanwhile is put right") {
    w.loop.reset();
    disturb(w);
    w.restart();
    w.run(seconds(10));
    checkKept(w);
    CHECK(w.phase() == "NeedsConfirmation");
  }
  w.run(seconds(1));
  const json::object waiting = w.application();
  const std::string digest(stringAt(waiting, {"status", "confirmation", "digest"}));
  w.annotate("root", kApprovalAnnotation, textOf(DeleteApproval{second, digest, "", "ada", "2026-03-02T10:00:00Z"}));
  w.run(seconds(40));
  checkSecond(w);
  CHECK(w.phase() == "Synced");
}

TEST_CASE("a commit that waits for its window leaves the one before healed, also after a restart") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  w.patchSpec("root",
              {{"syncWindows", json::array{{{"kind", "allow"}, {"schedule", "30 10 * * *"}, {"duration", "10m"}}}}});
  pushSecond(w);
  w.run();
  REQUIRE(w.phase() == "Waiting");
  disturb(w);
  w.run();
  checkKept(w);
  w.loop.reset();
  disturb(w);
  w.restart();
  w.run(seconds(10));
  checkKept(w);
  CHECK(w.phase() == "Waiting");
  w.run(minutes(31));
  checkSecond(w);
  CHECK(w.phase() == "Synced");
}

TEST_CASE("a commit that waits for another application leaves the one before healed") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  w.patchSpec("root", {{"dependsOn", json::array{json::object{{"name", "missing"}}}}});
  pushSecond(w);
  w.run();
  REQUIRE(w.phase() == "Waiting");
  disturb(w);
  w.run();
  checkKept(w);
  w.patchSpec("root", {{"dependsOn", nullptr}});
  w.run();
  checkSecond(w);
}

TEST_CASE("a commit whose hook runs, or failed, leaves the one before healed") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  w.repo.write("hook.yaml", hookFile("migrate"));
  pushSecond(w);
  w.run();
  REQUIRE(w.exists({"jobs.batch", "shop", "migrate"}));
  disturb(w);
  w.run();
  checkKept(w);
  SECTION("the hook fails: nothing of the commit may be applied") {
    endJob(w, "migrate", "Failed");
    w.run();
    REQUIRE(w.phase() == "Failed");
    disturb(w);
    w.run();
    checkKept(w);
    w.loop.reset();
    disturb(w);
    w.restart();
    w.run(seconds(10));
    checkKept(w);
    CHECK(w.phase() == "Failed");
  }
  SECTION("the hook ends well: the commit is applied") {
    endJob(w, "migrate", "Complete");
    w.run();
    checkSecond(w);
  }
}

TEST_CASE("while a wave is waited for, what comes later is kept as it was, and what came is kept as it is now") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  w.deployment(2);  // nothing makes it healthy here, so that wave 0 lasts
  w.repo.write("first.yaml", configMap("first"));
  const auto late = [&](const std::string& name, const std::string& value) {
    return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name +
           ", namespace: shop, annotations: {steersman.dev/wave: '5'}}\ndata: {k: '" + value + "'}\n";
  };
  w.repo.write("changes.yaml", late("changes", "2"));
  w.repo.write("new.yaml", late("new", "2"));
  w.repo.git("rm -qf leaves.yaml");
  w.repo.push("Second");
  w.run();
  REQUIRE(w.value("first") == "1");
  disturb(w);
  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "first"})).ok());
  w.run(seconds(10));
  checkKept(w);
  CHECK(w.value("first") == "1");
}

TEST_CASE("what leaves with a waiting commit and has a new owner already is left to it") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  w.patchSpec("root", {{"dependsOn", json::array{json::object{{"name", "missing"}}}}});
  w.repo.write("other/leaves.yaml", configMap("leaves", "another"));
  w.repo.git("rm -qf leaves.yaml");
  w.repo.push("Second");
  w.makeApplication("other", "other");
  w.run();
  INFO(w.phase("other") << " " << w.message("other") << " " << w.phase() << " " << w.message());
  REQUIRE(w.value("leaves") == "another");
  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "leaves"})).ok());
  w.run(seconds(20));
  CHECK(w.value("leaves") == "another");
}

TEST_CASE("healings beside a waiting commit are told as what they are") {
  World w;
  writeFirst(w);
  const auto first = w.repo.push("First");
  w.run();
  pushSecond(w, true);
  w.run();
  disturb(w);
  w.run(seconds(90));
  const auto record = w.newest();
  CHECK(record.trigger == "drift");
  CHECK(record.commit == first);
  CHECK(record.result == ApplyRecord::Result::healthy);
  CHECK(record.drift.size() == 3);
  CHECK(stringAt(w.application(), {"status", "lastAppliedCommit"}) == first);
}

TEST_CASE("who asks for a look is answered when the source was read, and waits for no back-off") {
  World w;
  writeFirst(w);
  w.repo.push("First");
  w.run();
  std::filesystem::rename(w.repo.url(), w.repo.url() + ".away");
  w.run(minutes(20));  // the next try by itself is minutes away by now
  std::filesystem::rename(w.repo.url() + ".away", w.repo.url());
  w.repo.write("keep.yaml", configMap("keep", "2"));
  const auto second = w.repo.push("Second");
  w.annotate("root", kReconcileAnnotation, "1");
  w.run(seconds(3));
  CHECK(w.value("keep") == "2");
  CHECK(stringAt(w.application(), {"status", "reconcile", "request"}) == "1");
  CHECK(stringAt(w.application(), {"status", "reconcile", "commit"}) == second);
  CHECK(stringAt(w.application(), {"status", "reconcile", "problem"}).empty());
}

TEST_CASE("what is kept of an object leaves it its name, by which the set finds it") {
  KeptState kept;
  kept.settle("1");
  WantedObject left{{"configmaps", "shop", "left"}, {{"apiVersion", "v1"}, {"kind", "ConfigMap"}}, {"left.yaml", 1, 1}};
  const json::object body = left.body;
  kept.change(left.ref, &left);
  CHECK(left.ref == ObjectRef{"configmaps", "shop", "left"});
  const auto& was = kept.differing().at(left.ref);
  REQUIRE(was);
  CHECK(was->ref == left.ref);
  CHECK(was->body == body);
  CHECK(was->source.file == "left.yaml");
}
