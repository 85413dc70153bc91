// Rolling back: by a commit on the branch, else by a pin until Git agrees.
#include "loop/world.h"

using namespace steer;

namespace {

void ask(const World& w, const std::string& id, const std::string& to = "") {
  w.annotate("root", kRollbackAnnotation, textOf(RollbackRequest{id, to, "ada"}));
}

std::string shown(const World& w, const char* field) {
  return std::string(stringAt(w.application(), {"status", "rollback", field}));
}

/// Makes the bare repository one that takes no push on main, as a protected branch would.
void protect(const World& w) {
  std::filesystem::create_directories(w.repo.url() + "/refs/heads");
  sh("touch " + w.repo.url() + "/refs/heads/main.lock");
}
void unprotect(const World& w) { sh("rm -f " + w.repo.url() + "/refs/heads/main.lock"); }

}  // namespace

TEST_CASE("a rollback is a new commit on the branch with the content of the last healthy one") {
  World w;
  w.settings("1");
  const auto first = w.repo.push("First");
  w.run();
  w.settings("2");
  w.repo.write("extra.yaml", configMap("extra"));
  const auto second = w.repo.push("Second");
  w.run();
  REQUIRE(w.value() == "2");
  ask(w, "r1");
  w.run();
  CHECK(w.value() == "1");
  CHECK_FALSE(w.exists({"configmaps", "shop", "extra"}));
  CHECK(shown(w, "state") == "Reverted");
  const auto tip = w.repo.remoteGit("rev-parse main");
  CHECK(shown(w, "commit") == tip);
  CHECK(w.repo.remoteGit("rev-parse main~1") == second);
  CHECK(w.repo.remoteGit("rev-parse main^{tree}") == w.repo.remoteGit("rev-parse " + first + "^{tree}"));
  const auto message = w.repo.remoteGit("log -1 --format=%an%n%B main");
  CHECK(message.find("Steersman\nRoll back root to " + first.substr(0, 12)) == 0);
  CHECK(message.find("Requested-by: system:steersman") != std::string::npos);
  // The same request is not carried out twice.
  w.restart();
  w.run();
  CHECK(w.repo.remoteGit("rev-parse main") == tip);
}

TEST_CASE("a rollback takes back the application's own directory only") {
  World w;
  w.repo.write("app/map.yaml", namespaceShop() + "---\n" + configMap("app", "1"));
  w.repo.write("docs/readme", "one");
  const auto first = w.repo.push("First");
  w.patchSpec("root", {{"source", {{"path", "app"}}}});
  w.run();
  w.repo.write("app/map.yaml", namespaceShop() + "---\n" + configMap("app", "2"));
  w.repo.write("docs/readme", "two");
  w.repo.push("Second");
  w.run();
  ask(w, "r1", first.substr(0, 9));
  w.run();
  CHECK(w.value("app") == "1");
  CHECK(w.repo.remoteGit("show main:docs/readme") == "two");
}

TEST_CASE("where the branch cannot be written the good commit is pinned until Git agrees") {
  World w;
  w.settings("1");
  const auto first = w.repo.push("First");
  w.run();
  w.settings("2");
  const auto second = w.repo.push("Second");
  w.run();
  protect(w);
  ask(w, "r1");
  w.run(seconds(30));
  CHECK(w.value() == "1");
  CHECK(shown(w, "state") == "Pinned");
  CHECK(w.condition("Pinned") == "RolledBack");
  CHECK(w.repo.remoteGit("rev-parse main") == second);
  CHECK(stringAt(w.application(), {"status", "commit"}) == first);
  // It outlives a restart, and commits that do not change what was rolled back.
  w.restart();
  w.run(seconds(30));
  CHECK(w.value() == "1");
  unprotect(w);
  w.repo.write("README", "nothing that anybody applies");
  const auto all = sh("cat " + w.repo.work() + "/all.yaml");
  w.repo.write("all.yaml", "# the same in other words\n" + all);
  const auto words = w.repo.push("Only words");
  w.run(seconds(30));
  CHECK(w.value() == "1");
  CHECK(shown(w, "state") == "Pinned");
  CHECK(w.condition("Pinned", "root", "message").find(words.substr(0, 12)) != std::string::npos);
  w.settings("3");
  w.repo.push("The fix");
  w.run(seconds(30));
  CHECK(w.value() == "3");
  CHECK(shown(w, "state") == "Over");
  CHECK(w.condition("Pinned").empty());
}

TEST_CASE("a rollback to what nobody knows is refused in words") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  ask(w, "r1");
  w.run();
  CHECK(shown(w, "state") == "Failed");
  CHECK(shown(w, "message") == "no earlier healthy commit is known; name one with --to");
  ask(w, "r2", "--upload-pack=x");
  w.run();
  CHECK(shown(w, "state") == "Failed");
  CHECK(w.value() == "1");
}

TEST_CASE("a rollout that misses its health timeout goes back by itself, once") {
  World w({{"autoRollback", true}});
  w.settings("1");
  w.repo.push("First");
  w.run();
  w.settings("2");
  w.deployment(2);  // never healthy: no controller runs here
  const auto bad = w.repo.push("Second");
  w.run(minutes(3));
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Synced");
  CHECK(shown(w, "state") == "Reverted");
  CHECK(shown(w, "from") == bad);
  CHECK(w.repo.remoteGit("rev-list --count main") == "3");
  w.run(minutes(6));
  CHECK(w.repo.remoteGit("rev-list --count main") == "3");
}
