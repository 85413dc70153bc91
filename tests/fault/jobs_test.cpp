// Jobs under faults drawn from a seed: whatever is killed, cut off or deleted, every job ends and every pod counts
// once. STEER_SEED replays one seed alone.
#include <catch2/catch.hpp>
#include <map>
#include <random>

#include "tests/scenario/scenario.h"

using namespace steer;
using namespace steer::scenario;

namespace {

std::string job(const std::string& name, const std::string& spec) {
  return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + "}\nspec:\n  backoffLimit: 1000\n" + spec +
         "  template:\n    metadata: {annotations: {simulator.steersman.dev/exit-after: 4s}}\n"
         "    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n";
}

bool is(const ObjectPtr& live, std::string_view type) {
  for (const auto& condition : live ? arrayAt(live->status(), {"conditions"}) : json::array())
    if (stringAt(condition, {"type"}) == type) return stringAt(condition, {"status"}) == "True";
  return false;
}

/// One misfortune. Nodes come back by themselves later.
void harm(Simulator& c, std::mt19937_64& chance, std::map<std::string, bool>& hurt) {
  const auto nodes = c.fleet().nodeNames();
  const auto& node = nodes[chance() % nodes.size()];
  switch (chance() % 6) {
    case 0:
      c.crashServer();
      break;
    case 1:
      c.failDisk(chance() % 5, 1);
      break;
    case 2:
      if (hurt.emplace(node, true).second) c.fleet().crashNode(node);
      break;
    case 3:
      if (hurt.emplace(node, false).second) c.fleet().partitionNode(node);
      break;
    default: {
      const auto pods = c.pods("default");
      if (pods.empty()) break;
      const auto& pod = pods[chance() % pods.size()];
      DeleteOptions options;
      if (chance() % 2 == 0) options.gracePeriodSeconds = 0;
      (void)c.client().write(Write::remove({"pods", "default", pod->name()}, options));
    }
  }
}

void recover(Simulator& c, std::map<std::string, bool>& hurt) {
  for (const auto& [node, crashed] : hurt) {
    if (crashed) c.fleet().reviveNode(node);
    else c.fleet().healNode(node);
  }
  hurt.clear();
}

/// Counts only ever rise, and a count stands for that many pods.
struct Counts {
  std::int64_t succeeded = 0;
  std::int64_t failed = 0;

  void look(const ObjectPtr& live) {
    REQUIRE(live);
    const auto now = intAt(live->status(), {"succeeded"});
    const auto lost = intAt(live->status(), {"failed"});
    CHECK(now >= succeeded);
    CHECK(lost >= failed);
    succeeded = now;
    failed = lost;
  }
};

void survive(std::uint64_t seed) {
  INFO("STEER_SEED=" << seed);
  Simulator c({.seed = seed, .fleet = {.nodes = 3}});
  std::mt19937_64 chance(seed);
  REQUIRE(c.apply(job("many", "  completions: 15\n  parallelism: 4\n")).ok());
  REQUIRE(c.apply(job("parts", "  completions: 6\n  parallelism: 3\n  completionMode: Indexed\n")).ok());
  Counts many, parts;
  std::map<std::string, bool> hurt;  // node → crashed, else cut off
  for (int round = 0; round < 12; ++round) {
    REQUIRE(c.advance(milliseconds(500 + chance() % 4000)));
    harm(c, chance, hurt);
    if (round % 4 == 3) recover(c, hurt);
    many.look(get(c, "jobs.batch", "many"));
    parts.look(get(c, "jobs.batch", "parts"));
  }
  recover(c, hurt);
  const auto over = [&] {
    many.look(get(c, "jobs.batch", "many"));
    return is(get(c, "jobs.batch", "many"), "Complete") && is(get(c, "jobs.batch", "parts"), "Complete");
  };
  REQUIRE(c.advanceUntil(over, minutes(60), seconds(5)));
  const auto done = get(c, "jobs.batch", "many")->status();
  CHECK(intAt(done, {"succeeded"}) == 15);
  CHECK(intAt(done, {"active"}) == 0);
  CHECK(stringAt(get(c, "jobs.batch", "parts")->status(), {"completedIndexes"}) == "0-5");
  CHECK(intAt(get(c, "jobs.batch", "parts")->status(), {"succeeded"}) == 6);
  // Nothing is held for ever, and nothing runs on.
  REQUIRE(c.advance(minutes(2)));
  for (const auto& pod : c.pods("default")) {
    CHECK(pod->finalizers().empty());
    CHECK_FALSE(pod->deleting());
    CHECK(stringAt(pod->status(), {"phase"}) != "Running");
  }
}

}  // namespace

TEST_CASE("jobs end, and every pod counts once, under 40 random schedules of faults") {
  if (const auto* one = std::getenv("STEER_SEED")) return survive(std::strtoull(one, nullptr, 10));
  for (std::uint64_t seed = 1; seed <= 40; ++seed) survive(seed);
}
