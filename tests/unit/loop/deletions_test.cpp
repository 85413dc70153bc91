// What may be deleted: within the budget, or with a person's yes; and never what another application
// asks for.
#include <algorithm>

#include "loop/world.h"

using namespace steer;

namespace {

/// A namespace and config maps m0 … m<n-1>, each in a file of its own.
void writeMaps(const World& w, int from, int to) {
  w.repo.write("ns.yaml", namespaceShop());
  for (int i = from; i < to; ++i) w.repo.write("m" + std::to_string(i) + ".yaml", configMap("m" + std::to_string(i)));
}

int maps(const World& w) {
  const auto all = w.cluster.client->list("configmaps", {"shop", kApplicationLabel, "", 0, ""});
  return all.ok() ? static_cast<int>(all->items.size()) : -1;
}

void removeMaps(const World& w, int from, int to) {
  for (int i = from; i < to; ++i) w.repo.git("rm -qf m" + std::to_string(i) + ".yaml");
}

std::string confirmation(const World& w, const char* field) {
  return std::string(stringAt(w.application(), {"status", "confirmation", field}));
}

void approve(const World& w, const std::string& commit) {
  w.annotate("root", kApprovalAnnotation,
             textOf(DeleteApproval{commit, confirmation(w, "digest"), "", "ada", "2026-03-02T10:00:00Z"}));
}

/// Ten config maps, applied.
void startWithMaps(World& w) {
  writeMaps(w, 0, 10);
  w.repo.push("First");
  w.run();
}

/// Eight of the ten leave the repository; the commit, taken in.
std::string cleanUp(World& w, const std::string& message = "Clean up") {
  removeMaps(w, 0, 8);
  const auto id = w.repo.push(message);
  w.run();
  return id;
}

/// An application of the same repository, declared in the root's directory.
void declare(const World& w, const std::string& name, const std::string& path) {
  w.repo.write(name + "-app.yaml", "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: " + name +
                                       ", namespace: steersman-system}\nspec: {source: {url: '" + w.repo.url() +
                                       "', branch: main, path: " + path + "}, healthTimeout: 2m}\n");
}

std::string ownerOf(const World& w, const std::string& name) {
  const auto object = w.cluster.client->get({"configmaps", "shop", name});
  return object.ok() ? (*object)->uid() + " of " + std::string((*object)->label(kApplicationLabel)) : "gone";
}

/// Looks at every object of `names` many times while the cluster takes the newest commit in.
void staysItself(World& w, const std::vector<std::string>& names, Duration time = seconds(8)) {
  std::map<std::string, std::string> before;
  for (const auto& name : names) before[name] = ownerOf(w, name).substr(0, 36);
  for (Duration passed{}; passed < time; passed += milliseconds(50)) {
    w.run(milliseconds(50));
    for (const auto& name : names) REQUIRE(ownerOf(w, name).substr(0, 36) == before[name]);
  }
}

}  // namespace

TEST_CASE("a mass deletion waits for a confirmation, with everything else of its commit") {
  World w;
  writeMaps(w, 0, 10);
  w.repo.write("settings.yaml", configMap("settings", "1"));
  w.repo.push("First");
  w.run();
  REQUIRE(maps(w) == 11);
  removeMaps(w, 0, 8);
  w.repo.write("settings.yaml", configMap("settings", "2"));
  const auto id = w.repo.push("Clean up");
  w.run(minutes(6));
  CHECK(maps(w) == 11);
  CHECK(w.value() == "1");
  CHECK(w.phase() == "NeedsConfirmation");
  CHECK(w.message().find("needs confirmation: 8 of 12 objects (66 %) would be deleted") == 0);
  CHECK(confirmation(w, "commit") == id);
  CHECK(arrayAt(w.application(), {"status", "confirmation", "deletions"}).size() == 8);

  approve(w, id);
  w.run();
  CHECK(maps(w) == 3);
  CHECK(w.value() == "2");
  CHECK(w.phase() == "Synced");
  CHECK(confirmation(w, "digest").empty());
  CHECK(w.newest().approval.starts_with("steer approve, by system:steersman at 2026-03-02T10:06:"));
}

TEST_CASE("an approval of another commit or of another plan is none") {
  World w;
  startWithMaps(w);
  const auto id = cleanUp(w);
  REQUIRE(w.phase() == "NeedsConfirmation");
  w.annotate("root", kApprovalAnnotation,
             textOf(DeleteApproval{std::string(40, '0'), confirmation(w, "digest"), "", "eve", ""}));
  w.run();
  CHECK(maps(w) == 10);
  w.annotate("root", kApprovalAnnotation, textOf(DeleteApproval{id, std::string(64, '0'), "", "eve", ""}));
  w.run();
  CHECK(maps(w) == 10);
  w.annotate("root", kApprovalAnnotation, "{broken");
  w.run();
  CHECK(maps(w) == 10);
  CHECK(w.phase() == "NeedsConfirmation");
}

TEST_CASE("a trailer that names the plan confirms it, and a restart changes nothing about that") {
  World w;
  startWithMaps(w);
  cleanUp(w);
  const auto digest = confirmation(w, "digest");
  REQUIRE_FALSE(digest.empty());
  w.restart();
  w.run();
  CHECK(maps(w) == 10);
  w.repo.git("commit -q --amend -m 'Clean up' -m 'Steersman-Confirm-Delete: " + digest + "'");
  w.repo.git("push -q --force origin HEAD");
  w.run();
  CHECK(maps(w) == 2);
  CHECK(w.newest().approval == "the commit's trailer, by Ada");
}

TEST_CASE("a newer commit ends the waiting for a confirmation") {
  World w;
  startWithMaps(w);
  const auto bad = cleanUp(w, "By mistake");
  REQUIRE(w.phase() == "NeedsConfirmation");
  writeMaps(w, 0, 10);
  w.repo.write("settings.yaml", configMap("settings", "2"));
  w.repo.push("Back again");
  w.run();
  CHECK(w.phase() == "Synced");
  CHECK(w.value() == "2");
  CHECK(maps(w) == 11);
  CHECK(w.note(bad).starts_with("superseded"));
}

TEST_CASE("a namespace is never deleted without a confirmation") {
  World w;
  w.settings("1");
  w.repo.write("other.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: other}\n");
  w.repo.push("First");
  w.run();
  w.repo.git("rm -qf other.yaml");
  w.repo.push("One namespace less");
  w.run();
  CHECK(w.phase() == "NeedsConfirmation");
  const auto ns = w.cluster.client->get({"namespaces", "", "other"});
  REQUIRE(ns.ok());
  CHECK_FALSE((*ns)->deleting());
}

TEST_CASE("the budget of the spec counts") {
  World w({{"deleteBudget", {{"percent", 100}}}});
  startWithMaps(w);
  cleanUp(w);
  CHECK(maps(w) == 2);
}

TEST_CASE("what moves to another application changes its owner and is never deleted") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("a/map.yaml", configMap("moving"));
  w.repo.write("b/other.yaml", configMap("other"));
  w.repo.push("First");
  w.run(seconds(2));
  // The receiver reads its source much later than the giver.
  w.makeApplication("a", "a");
  w.makeApplication("b", "b", {{"suspend", false}});
  w.run();
  REQUIRE(ownerOf(w, "moving").ends_with(" of a"));
  w.repo.git("mv a/map.yaml b/map.yaml");
  w.repo.write("a/rest.yaml", configMap("rest"));
  w.repo.push("Move");
  staysItself(w, {"moving"}, seconds(4));
  CHECK(ownerOf(w, "moving").ends_with(" of b"));
  CHECK(w.phase("a") == "Synced");
  CHECK(w.phase("b") == "Synced");
}

TEST_CASE("what moves to an application that must wait is kept until it is taken over") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("a/map.yaml", configMap("moving"));
  w.repo.write("b/other.yaml", configMap("other"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("a", "a");
  w.makeApplication("b", "b", {{"suspend", true}});
  w.run();
  w.repo.git("mv a/map.yaml b/map.yaml");
  w.repo.write("a/rest.yaml", configMap("rest"));
  w.repo.push("Move");
  w.run(minutes(1));
  CHECK(w.exists({"configmaps", "shop", "moving"}));
  w.patchSpec("b", {{"suspend", false}});
  w.run();
  CHECK(w.exists({"configmaps", "shop", "moving"}));
  CHECK(w.phase("b") == "Synced");
}

TEST_CASE("what moves to an application that the same commit makes is taken over, never deleted") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  declare(w, "a", "a");
  w.repo.write("a/map.yaml", configMap("moving"));
  w.repo.write("a/rest.yaml", configMap("rest"));
  w.repo.push("First");
  w.run();
  REQUIRE(ownerOf(w, "moving").ends_with(" of a"));
  w.repo.write("b/other.yaml", configMap("other"));
  w.repo.git("mv a/map.yaml b/map.yaml");
  declare(w, "b", "b");
  w.repo.push("Move to a new one");
  staysItself(w, {"moving", "rest"});
  CHECK(ownerOf(w, "moving").ends_with(" of b"));
  for (const char* app : {"root", "a", "b"}) CHECK(w.phase(app) == "Synced");
}

TEST_CASE("what moves from the very application that declares the new owner is neither deleted nor confirmed") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  startWithMaps(w);
  REQUIRE(ownerOf(w, "m0").ends_with(" of root"));
  w.repo.git("rm -qf m9.yaml");
  for (int i = 0; i < 9; ++i) {
    const auto file = "m" + std::to_string(i) + ".yaml";
    w.repo.write("b/" + file, configMap("m" + std::to_string(i)));
    w.repo.git("rm -qf " + file);
  }
  declare(w, "b", "b");
  const auto id = w.repo.push("Most of it becomes an application of its own, and one goes");
  staysItself(w, {"m0", "m4", "m8"});
  CHECK(ownerOf(w, "m0").ends_with(" of b"));
  CHECK(ownerOf(w, "m8").ends_with(" of b"));
  CHECK(ownerOf(w, "m9") == "gone");
  CHECK(w.phase() == "Synced");
  CHECK(w.note(id).find("1 deleted") != std::string::npos);
}

TEST_CASE("a commit that makes an application and deletes too much is held as a whole") {
  World w;
  startWithMaps(w);
  w.repo.write("settings.yaml", configMap("settings", "1"));
  w.repo.push("Settings");
  w.run();
  for (int i = 0; i < 2; ++i) {
    const auto file = "m" + std::to_string(i) + ".yaml";
    w.repo.write("b/" + file, configMap("m" + std::to_string(i)));
    w.repo.git("rm -qf " + file);
  }
  declare(w, "b", "b");
  w.repo.write("settings.yaml", configMap("settings", "2"));
  removeMaps(w, 2, 9);
  const auto id = w.repo.push("Two move to an application of their own, and seven go");
  staysItself(w, {"m0", "m1", "m2", "m8", "m9"});
  CHECK(w.phase() == "NeedsConfirmation");
  CHECK(w.value() == "1");
  CHECK_FALSE(w.exists({"applications.steersman.dev", kSystemNamespace, "b"}));
  CHECK(w.message().find("needs confirmation: 7 of 10 objects (70 %) would be deleted") == 0);
  CHECK(arrayAt(w.application(), {"status", "confirmation", "deletions"}).size() == 7);

  approve(w, id);
  staysItself(w, {"m0", "m1", "m9"});
  CHECK(ownerOf(w, "m0").ends_with(" of b"));
  CHECK(ownerOf(w, "m2") == "gone");
  CHECK(ownerOf(w, "m8") == "gone");
  CHECK(w.value() == "2");
  CHECK(w.phase() == "Synced");
  const auto events = w.cluster.client->list("events", {kSystemNamespace, "", "", 0, ""});
  REQUIRE(events.ok());
  const auto confirmed = [](const ObjectPtr& event) {
    return stringAt(event->json(), {"reason"}) == "DeletionConfirmed";
  };
  CHECK(std::count_if(events->items.begin(), events->items.end(), confirmed) == 1);
}

TEST_CASE("what moves down to an application of an application that the commit makes is no deletion") {
  World w;
  startWithMaps(w);
  for (int i = 0; i < 9; ++i) {
    const auto file = "m" + std::to_string(i) + ".yaml";
    w.repo.write("deep/" + file, configMap("m" + std::to_string(i)));
    w.repo.git("rm -qf " + file);
  }
  // Without an address: in the repository of the one that declares it.
  w.repo.write("b/c.yaml",
               "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: c, namespace: steersman-system}\n"
               "spec: {source: {path: deep}}\n");
  declare(w, "b", "b");
  w.repo.push("Two floors down");
  staysItself(w, {"m0", "m8", "m9"});
  CHECK(ownerOf(w, "m0").ends_with(" of c"));
  CHECK(w.phase() == "Synced");
}

TEST_CASE("a new application that reads another source takes nothing over unasked") {
  World w;
  startWithMaps(w);
  w.repo.write("x-app.yaml",
               "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: x, namespace: steersman-system}\n"
               "spec: {source: {url: '" +
                   w.dir.at("elsewhere.git") + "', branch: main}}\n");
  removeMaps(w, 0, 9);
  w.repo.push("Nine go, perhaps elsewhere");
  w.run();
  CHECK(w.phase() == "NeedsConfirmation");
  CHECK(maps(w) == 10);
  CHECK(w.message().find("application x, which reads another source") != std::string::npos);
  CHECK_FALSE(w.exists({"applications.steersman.dev", kSystemNamespace, "x"}));
}

TEST_CASE("a trailer that names other deletions is told, and does not confirm") {
  World w;
  startWithMaps(w);
  cleanUp(w, "Clean up\n\nSteersman-Confirm-Delete: 0123456789abcdef");
  CHECK(maps(w) == 10);
  CHECK(w.phase() == "NeedsConfirmation");
  CHECK(w.message().find("the commit's trailer names other deletions than these") != std::string::npos);
}

TEST_CASE("what moves to an application that the same commit points elsewhere is never deleted") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  declare(w, "a", "a");
  declare(w, "b", "b");
  w.repo.write("a/map.yaml", configMap("moving"));
  w.repo.write("a/rest.yaml", configMap("rest"));
  w.repo.write("b/own.yaml", configMap("own"));
  w.repo.push("First");
  w.run();
  REQUIRE(ownerOf(w, "moving").ends_with(" of a"));
  w.repo.write("c/map.yaml", configMap("moving"));
  w.repo.write("c/own.yaml", configMap("own"));
  w.repo.git("rm -qf a/map.yaml b/own.yaml");
  declare(w, "b", "c");
  w.repo.push("Another directory for b");
  staysItself(w, {"moving", "rest", "own"});
  CHECK(ownerOf(w, "moving").ends_with(" of b"));
  CHECK(ownerOf(w, "own").ends_with(" of b"));
}

TEST_CASE("while the new owner cannot be made, what moves to it stays, and a later commit goes on") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  declare(w, "a", "a");
  w.repo.write("a/map.yaml", configMap("moving"));
  w.repo.write("a/rest.yaml", configMap("rest"));
  w.repo.push("First");
  w.run();
  w.repo.git("rm -qf a/map.yaml");
  w.repo.write("b/map.yaml", configMap("moving"));
  declare(w, "b", "b");
  w.patchSpec("root", {{"suspend", true}});
  w.run(seconds(1));
  w.repo.push("Move, while the root is suspended");
  staysItself(w, {"moving"});
  CHECK(ownerOf(w, "moving").ends_with(" of a"));
  CHECK(w.message("a").find("application b, which root declares, does not exist yet") != std::string::npos);
  w.patchSpec("root", {{"suspend", false}});
  staysItself(w, {"moving"});
  CHECK(ownerOf(w, "moving").ends_with(" of b"));
}
