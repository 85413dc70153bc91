// An object that two applications ask for: the first keeps it, both say so, and nobody fights.
#include "world.h"

#include "schemas/application_state.h"

using namespace steer;

namespace {

std::string owner(const World& w) {
  const auto object = w.cluster.client->get({"configmaps", "shop", "policy"});
  return object.ok() ? std::string((*object)->label(kApplicationLabel)) : "";
}

std::uint64_t revision(const World& w) {
  return (*w.cluster.client->get({"configmaps", "shop", "policy"}))->revision();
}

/// Application `first` owns the object, `second` asks for it with another value.
void contest(World& w) {
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("first/policy.yaml", configMap("policy", "1"));
  w.repo.push("First");
  w.makeApplication("first", "first");
  w.run(seconds(20));
  REQUIRE(w.value("policy") == "1");
  w.repo.write("second/policy.yaml", configMap("policy", "1000"));
  w.repo.push("Second");
  w.makeApplication("second", "second");
  w.run(seconds(40));
}

}  // namespace

TEST_CASE("an object claimed by two applications stays with the first, and both say that it is claimed") {
  World w;
  contest(w);
  CHECK(w.value("policy") == "1");
  CHECK(owner(w) == "first");
  CHECK(w.condition("SoleOwner", "first") == "Contested");
  CHECK(w.condition("SoleOwner", "second") == "Contested");
  CHECK(w.condition("SoleOwner", "second", "message").find("application first") != std::string::npos);
  CHECK(w.phase("first") == "Synced");
  CHECK(w.message("first") == "configmaps shop/policy is asked for by application second, too, and kept here");
  CHECK(applicationState(**w.cluster.client->get({"applications.steersman.dev", kSystemNamespace, "first"})) ==
        "Synced, contested");
  INFO(w.phase("second") << ": " << w.message("second"));
  CHECK(w.phase("second") == "Degraded");
  const auto before = revision(w);
  w.run(minutes(7));  // more than one resync of each
  CHECK(revision(w) == before);
  CHECK(w.phase("second") == "Degraded");
  w.restart();
  w.run(seconds(30));
  CHECK(owner(w) == "first");
  CHECK(w.condition("SoleOwner", "second") == "Contested");
  CHECK(w.phase("second") != "Synced");
}

TEST_CASE("what the first gives up, the second takes over at once") {
  World w;
  contest(w);
  w.repo.git("rm -q first/policy.yaml");
  w.repo.write("first/other.yaml", configMap("other"));
  w.repo.push("Third");
  w.run(seconds(40));
  CHECK(w.value("policy") == "1000");
  CHECK(owner(w) == "second");
  CHECK(w.condition("SoleOwner", "first").empty());
  CHECK(w.message("first").empty());
  CHECK(w.condition("SoleOwner", "second").empty());
  INFO(w.phase("second") << ": " << w.message("second"));
  CHECK(w.phase("second") == "Synced");
}

TEST_CASE("what the second gives up leaves no word of a contest behind") {
  World w;
  contest(w);
  w.repo.write("second/policy.yaml", configMap("another"));
  w.repo.push("Third");
  w.run(seconds(40));
  CHECK(w.value("policy") == "1");
  CHECK(w.value("another") == "1");
  CHECK(w.condition("SoleOwner", "first").empty());
  CHECK(w.condition("SoleOwner", "second").empty());
  CHECK(w.phase("second") == "Synced");
}

TEST_CASE("a claim on what the account may not apply keeps nothing from being deleted") {
  World w;
  const auto account =
      parseJson(R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"namespace":"steersman-system",
    "name":"nobody"}})");
  REQUIRE(w.cluster.client->write(Write::create("serviceaccounts", account->as_object())).ok());
  w.repo.write("all.yaml", namespaceShop() + "---\n" + configMap("policy") + "---\n" + configMap("other"));
  w.repo.write("theirs/policy.yaml", configMap("policy", "1000"));
  w.repo.push("First");
  w.makeApplication(
      "theirs", "theirs",
      json::object{{"serviceAccountName", "nobody"}, {"dependsOn", json::array{json::object{{"name", "none"}}}}});
  w.run(seconds(40));
  REQUIRE(w.value("policy") == "1");
  w.repo.write("all.yaml", namespaceShop() + "---\n" + configMap("other"));
  w.repo.push("Second");
  w.run(seconds(60));
  CHECK_FALSE(w.exists({"configmaps", "shop", "policy"}));
}

TEST_CASE("after a restart an application that has not read its source yet keeps what it owns") {
  World w;
  const TempRepository slow{w.dir, "slow"};
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("claim/policy.yaml", configMap("policy", "1000"));
  w.repo.push("First");
  slow.write("policy.yaml", configMap("policy", "1"));
  slow.push("Theirs");
  w.makeApplication("zuerst", "", json::object{{"source", json::object{{"url", slow.url()}, {"branch", "main"}}}});
  w.run(seconds(20));
  REQUIRE(owner(w) == "zuerst");
  w.makeApplication("claim", "claim");
  w.run(seconds(40));
  REQUIRE(owner(w) == "zuerst");
  // Its clone and its remote are gone: nothing can be read.
  const auto remote = std::filesystem::path(slow.url());
  std::filesystem::rename(remote, remote.string() + ".away");
  std::filesystem::remove_all(w.dir.at("data"));
  w.restart();
  w.run(minutes(2));
  CHECK(owner(w) == "zuerst");
  CHECK(w.value("policy") == "1");
  INFO(w.phase("claim") << ": " << w.message("claim"));
  CHECK(w.phase("claim") != "Synced");
  std::filesystem::rename(remote.string() + ".away", remote);
  w.run(minutes(2));
  CHECK(owner(w) == "zuerst");
  CHECK(w.condition("SoleOwner", "claim") == "Contested");
}
