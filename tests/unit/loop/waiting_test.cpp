// Windows and retries, in virtual time. It begins on a Monday at 10:00 UTC.
#include "loop/world.h"

using namespace steer;

namespace {

json::object allow(const char* schedule, const char* duration) {
  return {{"syncWindows", json::array{{{"kind", "allow"}, {"schedule", schedule}, {"duration", duration}}}}};
}

}  // namespace

TEST_CASE("a commit waits for its sync window, and healing does not") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  w.patchSpec("root", allow("30 10 * * *", "10m"));
  w.settings("2");
  w.repo.push("Second");
  w.run(minutes(10));
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Waiting");
  CHECK(w.message() == "outside of every sync window; the next one opens at 2026-03-02T10:30:00Z");
  w.run(minutes(21));
  CHECK(w.value() == "2");
  CHECK(w.phase() == "Synced");
  w.run(minutes(20));
  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "settings"})).ok());
  w.run();
  CHECK(w.value() == "2");
}

TEST_CASE("what failed is tried again with back-off, and what changed meanwhile counts") {
  World w({{"retry", {{"limit", 3}, {"initialDelay", "10s"}, {"factor", 2}}}});
  w.repo.write("map.yaml", configMap("early"));  // its namespace is not there
  w.repo.push("First");
  w.run(seconds(2));
  CHECK(w.phase() == "Failed");
  CHECK(w.condition("Retrying") == "BackOff");
  w.run(seconds(12));
  CHECK(w.condition("Retrying", "root", "message").starts_with("attempt 2 of 3"));
  REQUIRE(w.cluster.client
              ->write(Write::create(
                  "namespaces",
                  {{"apiVersion", "v1"}, {"kind", "Namespace"}, {"metadata", json::object{{"name", "shop"}}}}))
              .ok());
  w.run(seconds(25));
  CHECK(w.value("early") == "1");
  CHECK(w.phase() == "Synced");
}

TEST_CASE("attempts have an end, and a new commit starts afresh") {
  World w({{"retry", {{"limit", 2}, {"initialDelay", "1s"}}}});
  w.repo.write("map.yaml", configMap("early"));
  w.repo.push("First");
  w.run(seconds(30));
  CHECK(w.condition("Retrying") == "LimitReached");
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.push("Second");
  w.run();
  CHECK(w.phase() == "Synced");
  CHECK(w.condition("Retrying").empty());
}

TEST_CASE("a newer commit ends the wait for another attempt") {
  World w({{"retry", {{"initialDelay", "1h"}, {"maxDelay", "1h"}}}});
  w.repo.write("map.yaml", configMap("early"));
  w.repo.push("First");
  w.run();
  CHECK(w.phase() == "Failed");
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.push("Second");
  w.run();
  CHECK(w.value("early") == "1");
  CHECK(w.phase() == "Synced");
}
