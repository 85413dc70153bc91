// The loop against a real API server and real Git repositories, in virtual time.
#include <catch2/catch.hpp>

#include "loop/world.h"

using namespace steer;

TEST_CASE("what is applied and not healthy yet names the pod in trouble, also when that comes later") {
  World w;
  w.settings("1");
  w.deployment(1);
  w.repo.push("First");
  const auto available = [&w](int replicas) {
    auto body = parseJson(R"({"status":{"observedGeneration":1,"replicas":1,"updatedReplicas":1,"availableReplicas":)" +
                          std::to_string(replicas) + "}}")
                    ->as_object();
    REQUIRE(w.cluster.client
                ->write(Write::patch({"deployments.apps", "shop", "web"}, PatchType::merge, std::move(body), "status"))
                .ok());
  };
  w.run(seconds(20));
  available(1);
  w.run(seconds(10));
  REQUIRE(w.phase() == "Synced");
  CHECK(w.message().empty());
  available(0);
  w.run(seconds(2));
  CHECK(w.phase() == "Synced");
  CHECK(w.message().find("deployments.apps shop/web") != std::string::npos);
  auto pod = parseJson(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop",
    "labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"web:1"}]}})")
                 ->as_object();
  REQUIRE(w.cluster.client->write(Write::create("pods", std::move(pod))).ok());
  auto status = parseJson(R"({"status":{"phase":"Running","containerStatuses":[{"name":"c","image":"web:1","imageID":"",
    "ready":false,"restartCount":3,"state":{"waiting":{"reason":"CrashLoopBackOff"}}}]}})")
                    ->as_object();
  REQUIRE(
      w.cluster.client->write(Write::patch({"pods", "shop", "web-1"}, PatchType::merge, std::move(status), "status"))
          .ok());
  w.run(seconds(15));
  CHECK(w.phase() == "Synced");
  CHECK(w.message().find("pod web-1: container c: CrashLoopBackOff") != std::string::npos);
}

TEST_CASE("a push is applied, reported in Git, and visible in the API") {
  World w;
  w.settings("1");
  const auto id = w.repo.push("First");
  w.run();
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Synced");
  CHECK(stringAt(w.application(), {"status", "commit"}) == id);
  CHECK(arrayAt(w.application(), {"status", "history"}).size() == 1);
  CHECK(w.statusCommits() == 1);
  CHECK(w.note(id).starts_with("healthy: 2 created"));
  CHECK(w.newest().commit == id);
  CHECK(w.repo.remoteGit("rev-parse main") == id);
  CHECK(w.loop->settled());
}

TEST_CASE("a second push changes, and a file that left is pruned") {
  World w;
  w.settings("1");
  w.repo.write("extra.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: shop}\n");
  w.repo.push("First");
  w.run();
  REQUIRE(w.cluster.client->get({"configmaps", "shop", "extra"}).ok());
  w.settings("2");
  w.repo.git("rm -qf extra.yaml");
  const auto id = w.repo.push("Second");
  w.run();
  CHECK(w.value() == "2");
  CHECK_FALSE(w.cluster.client->get({"configmaps", "shop", "extra"}).ok());
  CHECK(w.statusCommits() == 2);
  CHECK(w.note(id).starts_with("healthy: 1 updated, 1 deleted"));
  CHECK(w.phase() == "Synced");
  CHECK(stringAt(w.application(), {"status", "health"}) == "healthy");
}

TEST_CASE("a file that cannot be read stops deletions, not the rest, and the report names file and line") {
  World w;
  w.settings("1");
  w.repo.write("extra.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: extra, namespace: shop}\n");
  w.repo.push("First");
  w.run();
  w.settings("2");
  w.repo.git("rm -qf extra.yaml");
  w.repo.write("broken.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: [\n");
  const auto id = w.repo.push("Broken");
  w.run();
  CHECK(w.value() == "2");
  CHECK(w.cluster.client->get({"configmaps", "shop", "extra"}).ok());
  CHECK(w.phase() == "Degraded");
  CHECK(w.newest().result == ApplyRecord::Result::degraded);
  REQUIRE_FALSE(w.newest().findings.empty());
  CHECK(w.newest().findings[0].starts_with("broken.yaml:"));
  CHECK(
      w.note(id).starts_with("degraded: 1 updated; not everything could be read, so nothing is deleted: broken.yaml"));
}

TEST_CASE("a remote that vanishes or is emptied deletes nothing") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  std::filesystem::rename(w.repo.url(), w.dir.at("away"));
  w.run(minutes(6));
  CHECK(w.value() == "1");
  CHECK(w.condition("SourceReady") == "RemoteGone");
  sh("git init -q --bare -b main " + w.repo.url());
  w.run(minutes(6));
  CHECK(w.value() == "1");
  CHECK(w.condition("SourceReady") == "EmptyRepository");
  std::filesystem::remove_all(w.repo.url());
  std::filesystem::rename(w.dir.at("away"), w.repo.url());
  w.settings("2");
  w.repo.push("Second");
  w.run(minutes(2));
  CHECK(w.value() == "2");
}

TEST_CASE("an empty repository is waited for") {
  World w;
  w.run();
  CHECK(w.condition("SourceReady") == "EmptyRepository");
  w.settings("1");
  w.repo.push("First");
  w.run();
  CHECK(w.value() == "1");
}

TEST_CASE("a force-push is applied and reported as a rewrite") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.settings("2");
  w.repo.push("Second");
  w.run();
  w.repo.git("reset -q --hard HEAD~1");
  w.settings("3");
  w.repo.push("Other", "--force");
  w.run();
  CHECK(w.value() == "3");
  CHECK(w.condition("HistoryKept") == "HistoryRewritten");
}

TEST_CASE("a live edit and a live deletion are healed within a second and recorded") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  Write edit = Write::patch({"configmaps", "shop", "settings"}, PatchType::merge,
                            json::object{{"data", json::object{{"k", "by hand"}}}});
  edit.fieldManager = "kubectl-edit";
  REQUIRE(w.cluster.client->write(edit).ok());
  w.run(milliseconds(500));
  CHECK(w.value() == "1");
  w.run();
  CHECK(w.newest().trigger == "drift");
  REQUIRE_FALSE(w.newest().drift.empty());
  CHECK(w.newest().drift[0] == "ConfigMap shop/settings: data.k changed by kubectl-edit");
  const auto events = w.cluster.client->list("events", {"shop", "", "", 0, ""});
  REQUIRE(events.ok());
  REQUIRE(events->items.size() == 1);
  CHECK(stringAt(events->items[0]->json(), {"reason"}) == "DriftHealed");

  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "settings"})).ok());
  w.run(milliseconds(500));
  CHECK(w.value() == "1");
}

TEST_CASE("status changes of an applied object are no drift") {
  World w;
  w.settings("1");
  w.deployment(0);
  w.repo.push("First");
  w.run();
  const auto report = [&](int generation, int replicas) {
    auto body = (*w.cluster.client->get({"deployments.apps", "shop", "web"}))->json();
    auto& status = ensureObject(body, "status");
    status["observedGeneration"] = generation;
    status["replicas"] = replicas;
    REQUIRE(w.cluster.client->write(Write::updateStatus("deployments.apps", body)).ok());
    w.run(seconds(20));
  };
  report(1, 0);
  const int before = w.statusCommits();
  report(1, 1);
  CHECK(w.statusCommits() == before);
}

TEST_CASE("an object that someone keeps changing is healed ever more slowly") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  int healings = 0;
  for (int i = 0; i < 60; ++i) {
    if (w.value() == "1") {
      ++healings;
      (void)w.cluster.client->write(Write::patch({"configmaps", "shop", "settings"}, PatchType::merge,
                                                 json::object{{"data", json::object{{"k", std::to_string(i)}}}}));
    }
    w.run(milliseconds(500));
  }
  CHECK(healings > 3);
  CHECK(healings < 15);
}

TEST_CASE("a newer commit ends the waiting for an older one") {
  World w;
  w.settings("1");
  w.deployment(2);
  const auto first = w.repo.push("First");  // never healthy: no controller runs here
  w.run(seconds(3));
  CHECK(w.phase() == "Progressing");
  w.repo.git("rm -qf web.yaml");
  const auto second = w.repo.push("Second");
  w.run(seconds(5));
  CHECK(w.phase() == "Synced");
  CHECK(w.note(first).starts_with("superseded"));
  CHECK(w.note(second).starts_with("healthy"));
}

TEST_CASE("what never becomes healthy is reported as timed out, with what it waits for") {
  World w;
  w.settings("1");
  w.deployment(2);
  w.repo.push("First");
  w.run(minutes(3));
  CHECK(w.newest().result == ApplyRecord::Result::timedOut);
  CHECK(w.newest().message.find("Deployment shop/web") != std::string::npos);
  CHECK(w.phase() == "Degraded");
}

TEST_CASE("a server killed at any moment reports each commit exactly once") {
  for (int steps = 1; steps < 24; ++steps) {
    World w;
    w.settings("1");
    const auto id = w.repo.push("First");
    for (int i = 0; i < steps; ++i) {
      (void)w.loop->step(w.cluster.clock.now());
      w.cluster.clock.advance(milliseconds(2));
    }
    w.restart();
    w.run(seconds(3));
    INFO("killed after " << steps << " steps");
    REQUIRE(w.statusCommits() == 1);
    CHECK(w.note(id).starts_with("healthy: 2 created"));
    w.restart();
    w.run(seconds(3));
    REQUIRE(w.statusCommits() == 1);
  }
}

TEST_CASE("drift while the server was down is healed after the restart") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  w.loop.reset();
  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "settings"})).ok());
  std::filesystem::rename(w.repo.url(), w.dir.at("away"));
  w.restart();
  w.run();
  CHECK(w.value() == "1");
}

TEST_CASE("a remote that cannot be written keeps its records local, and the status says so") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.repo.remoteGit("update-ref refs/heads/steersman main");
  w.run();
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Synced");
  CHECK(w.condition("Reported") == "KeptLocal");
  CHECK(w.condition("Reported", "root", "message").find("; next try at 2026-03-02T10:0") != std::string::npos);
  // Access comes: what had stayed local is pushed, although nobody pushes anything.
  w.repo.remoteGit("update-ref -d refs/heads/steersman");
  w.run(minutes(1));
  CHECK(w.condition("Reported") == "Pushed");
  CHECK(w.statusCommits() == 1);
}
