// Drift: healed, reported or ignored; fields left to others; and broken glass.
#include "loop/world.h"

using namespace steer;

namespace {

const ObjectRef kSettings{"configmaps", "shop", "settings"};

void edit(const World& w, const std::string& value, const std::string& manager = "kubectl-edit") {
  Write change = Write::patch(kSettings, PatchType::merge, json::object{{"data", json::object{{"k", value}}}});
  change.fieldManager = manager;
  REQUIRE(w.cluster.client->write(change).ok());
}

void breakGlass(const World& w, const std::string& until) {
  Write change =
      Write::patch(kSettings, PatchType::merge,
                   json::object{{"metadata", {{"annotations", {{"steersman.dev/break-glass", json::string(until)}}}}}});
  change.fieldManager = "kubectl-annotate";
  REQUIRE(w.cluster.client->write(change).ok());
}

int events(const World& w, std::string_view reason) {
  const auto all = w.cluster.client->list("events", {"shop", "", "", 0, ""});
  int n = 0;
  for (const auto& event : all->items) n += stringAt(event->json(), {"reason"}) == reason ? 1 : 0;
  return n;
}

std::string driftedBy(const World& w) {
  const auto app = w.application();
  const auto& list = arrayAt(app, {"status", "drift"});
  return list.empty() ? ""
                      : std::string(stringAt(list[0], {"object"})) + ": " + std::string(stringAt(list[0], {"how"}));
}

World& started(World& w) {
  w.settings("1");
  w.repo.push("First");
  w.run();
  REQUIRE(w.value() == "1");
  return w;
}

}  // namespace

TEST_CASE("an application that reports drift names field and manager and changes nothing") {
  World w({{"drift", "report"}});
  started(w);
  edit(w, "by hand");
  w.run(seconds(2));
  CHECK(w.value() == "by hand");
  CHECK(driftedBy(w) == "ConfigMap shop/settings: data.k changed by kubectl-edit");
  CHECK(events(w, "DriftFound") == 1);
  w.run(minutes(6));
  CHECK(w.value() == "by hand");
  CHECK(events(w, "DriftFound") == 1);
  // Also after a restart, and it goes when the difference goes.
  w.restart();
  w.run();
  CHECK(w.value() == "by hand");
  CHECK_FALSE(driftedBy(w).empty());
  edit(w, "1");
  w.run();
  CHECK(driftedBy(w).empty());
}

TEST_CASE("an application that ignores drift still applies new commits") {
  World w({{"drift", "ignore"}});
  started(w);
  edit(w, "by hand");
  w.run(minutes(6));
  CHECK(w.value() == "by hand");
  CHECK(driftedBy(w).empty());
  w.settings("2");
  w.repo.push("Second");
  w.run();
  CHECK(w.value() == "2");
}

TEST_CASE("going back to healing heals what was only reported") {
  World w({{"drift", "report"}});
  started(w);
  edit(w, "by hand");
  w.run();
  w.patchSpec("root", {{"drift", "heal"}});
  w.run();
  CHECK(w.value() == "1");
  CHECK(driftedBy(w).empty());
}

TEST_CASE("ignored fields are left to who holds them, everything else is healed") {
  World w({{"ignoreFields", json::array{{{"kind", "ConfigMap"}, {"paths", json::array{"data.k"}}}}}});
  started(w);
  edit(w, "by hand");
  w.run(minutes(6));
  CHECK(w.value() == "by hand");
  REQUIRE(w.cluster.client->write(Write::remove(kSettings)).ok());
  w.run();
  CHECK(w.value() == "1");
}

TEST_CASE("broken glass leaves one object alone until the expiry, and the status says so") {
  World w;
  started(w);
  breakGlass(w, formatTime(w.cluster.clock.now() + minutes(10)));
  edit(w, "emergency");
  w.run(minutes(6));
  CHECK(w.value() == "emergency");
  {
    const auto app = w.application();
    const auto& glass = arrayAt(app, {"status", "breakGlass"});
    REQUIRE(glass.size() == 1);
    CHECK(stringAt(glass[0], {"object"}) == "ConfigMap shop/settings");
  }
  // Another commit does not touch it either, nor does a restart.
  w.repo.write("more.yaml", configMap("more"));
  w.repo.push("More");
  w.run();
  CHECK(w.exists({"configmaps", "shop", "more"}));
  w.restart();
  w.run();
  CHECK(w.value() == "emergency");
  w.run(minutes(5));
  CHECK(w.value() == "1");
  CHECK(arrayAt(w.application(), {"status", "breakGlass"}).empty());
}

TEST_CASE("a bad expiry is told once and not honoured") {
  World w;
  started(w);
  breakGlass(w, "tomorrow");
  edit(w, "emergency");
  w.run();
  CHECK(w.value() == "1");
  CHECK(events(w, "BreakGlassInvalid") == 1);
  breakGlass(w, "2020-01-01T00:00:00Z");
  edit(w, "emergency");
  w.run();
  CHECK(w.value() == "1");
  CHECK(events(w, "BreakGlassInvalid") == 1);
}

TEST_CASE("what a machine changes back at once is left alone after a few times, and said") {
  World w;
  started(w);
  int healings = 0;
  for (int i = 0; i < 400 && w.condition("Fighting").empty(); ++i) {
    if (w.value() == "1") {
      ++healings;
      edit(w, "other", "machine");
    }
    w.run(milliseconds(500));
  }
  CHECK(w.condition("Fighting") == "ChangedBack");
  CHECK(w.condition("Fighting", "root", "message").find("machine") != std::string::npos);
  CHECK(healings < 20);
  CHECK(events(w, "FightStopped") == 1);
  w.run(minutes(3));
  CHECK(w.value() == "other");
  CHECK(w.phase() == "Degraded");
  // Another manifest is another question.
  w.settings("2");
  w.repo.push("Second");
  w.run();
  CHECK(w.value() == "2");
  CHECK(w.condition("Fighting").empty());
}

TEST_CASE("a person who edits now and then is no fight") {
  World w;
  started(w);
  for (int i = 0; i < 12; ++i) {
    w.run(seconds(70));
    CHECK(w.value() == "1");
    edit(w, "by hand");
  }
  w.run(minutes(2));
  CHECK(w.value() == "1");
  CHECK(w.condition("Fighting").empty());
}

TEST_CASE("a job that goes by itself runs once for each manifest, also after a restart") {
  World w;
  const ObjectRef job{"jobs.batch", "shop", "migrate"};
  const auto write = [&](const std::string& image) {
    w.repo.write(
        "job.yaml",
        "apiVersion: batch/v1\nkind: Job\nmetadata: {name: migrate, namespace: shop}\nspec:\n"
        "  ttlSecondsAfterFinished: 1\n  template: {spec: {restartPolicy: Never, containers: [{name: c, image: '" +
            image + "'}]}}\n");
  };
  const auto goes = [&] {
    REQUIRE(w.exists(job));
    DeleteOptions now;
    now.propagation = Propagation::background;
    REQUIRE(w.cluster.client->write(Write::remove(job, now)).ok());
  };
  write("i:1");
  w.settings("1");
  w.repo.push("First");
  w.run();
  goes();
  w.run(minutes(1));
  CHECK_FALSE(w.exists(job));
  CHECK(w.phase() == "Synced");
  w.restart();
  w.run(minutes(6));
  CHECK_FALSE(w.exists(job));
  write("i:2");
  w.repo.push("Second");
  w.run();
  CHECK(w.exists(job));
}
