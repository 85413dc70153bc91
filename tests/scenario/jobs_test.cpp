// Jobs in a whole cluster: they end, they fail, they outlive nodes and servers, and every pod counts once.
#include <catch2/catch.hpp>

#include "tests/scenario/scenario.h"

using namespace steer;
using namespace steer::scenario;

namespace {

std::string job(const std::string& name, const std::string& spec, const std::string& life) {
  return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: " + name + "}\nspec:\n  " + spec +
         "\n  template:\n    metadata: {annotations: {" + life +
         "}}\n    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n";
}

const std::string kQuick = "simulator.steersman.dev/exit-after: 5s";
const std::string kFails = "simulator.steersman.dev/exit-after: 1s, simulator.steersman.dev/exit-code: '3'";

bool is(const Simulator& c, const std::string& name, std::string_view type) {
  const auto live = get(c, "jobs.batch", name);
  for (const auto& condition : live ? arrayAt(live->status(), {"conditions"}) : json::array())
    if (stringAt(condition, {"type"}) == type) return stringAt(condition, {"status"}) == "True";
  return false;
}

std::int64_t status(const Simulator& c, const std::string& name, std::string_view field) {
  return intAt(get(c, "jobs.batch", name)->status(), {field});
}

}  // namespace

TEST_CASE("a job runs its pods, completes, and keeps them; deleting it takes them along") {
  Simulator c({.seed = seedFor(51), .fleet = {.nodes = 3}});
  REQUIRE(c.apply(job("work", "completions: 5\n  parallelism: 2", kQuick)).ok());
  REQUIRE(c.advanceUntil([&] { return is(c, "work", "Complete"); }, seconds(60)));
  CHECK(status(c, "work", "succeeded") == 5);
  CHECK(c.pods("default", "job-name=work").size() == 5);
  CHECK(hasEvent(c, "Completed"));
  DeleteOptions options;
  options.propagation = Propagation::background;
  REQUIRE(c.client().write(Write::remove({"jobs.batch", "default", "work"}, options)).ok());
  REQUIRE(c.advance(seconds(5)));
  CHECK(c.pods("default", "job-name=work").empty());
}

TEST_CASE("a job deleted while it runs leaves no pod behind, held by nothing") {
  for (const auto propagation : {Propagation::background, Propagation::foreground}) {
    Simulator c({.seed = seedFor(52), .fleet = {.nodes = 2}});
    REQUIRE(c.apply(job("work", "completions: 3\n  parallelism: 3", "steersman.dev/sim-exit: never")).ok());
    REQUIRE(c.advanceUntil([&] { return c.running("default", "job-name=work") == 3; }, seconds(30)));
    DeleteOptions options;
    options.propagation = propagation;
    REQUIRE(c.client().write(Write::remove({"jobs.batch", "default", "work"}, options)).ok());
    REQUIRE(c.advance(seconds(60)));
    CHECK(c.pods("default", "job-name=work").empty());
    CHECK(get(c, "jobs.batch", "work") == nullptr);
  }
}

TEST_CASE("a job that always fails tries again ever later, and gives up at its limit") {
  Simulator c({.seed = seedFor(53), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(job("bad", "backoffLimit: 2", kFails)).ok());
  REQUIRE(c.advance(seconds(8)));
  CHECK(status(c, "bad", "failed") == 1);
  REQUIRE(c.advance(seconds(12)));
  CHECK(status(c, "bad", "failed") == 2);
  CHECK_FALSE(is(c, "bad", "Failed"));
  REQUIRE(c.advance(seconds(30)));
  CHECK(status(c, "bad", "failed") == 3);
  CHECK(is(c, "bad", "Failed"));
  CHECK(conditionReason(*get(c, "jobs.batch", "bad"), "Failed") == "BackoffLimitExceeded");
  CHECK(hasEvent(c, "BackoffLimitExceeded"));
  REQUIRE(c.advance(minutes(20)));
  CHECK(c.pods("default", "job-name=bad").size() == 3);
}

TEST_CASE("a deadline stops a job and its pods") {
  Simulator c({.seed = seedFor(54), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(job("slow", "parallelism: 2\n  completions: 2\n  activeDeadlineSeconds: 20",
                      "steersman.dev/sim-exit: never"))
              .ok());
  REQUIRE(c.advance(seconds(15)));
  CHECK(c.running("default", "job-name=slow") == 2);
  REQUIRE(c.advance(seconds(45)));
  CHECK(conditionReason(*get(c, "jobs.batch", "slow"), "Failed") == "DeadlineExceeded");
  CHECK(c.running("default", "job-name=slow") == 0);
}

TEST_CASE("a job on a crashed node goes on elsewhere") {
  Simulator c({.seed = seedFor(55), .fleet = {.nodes = 2}});
  REQUIRE(c.apply(job("work", "completions: 1", "simulator.steersman.dev/exit-after: 60s")).ok());
  REQUIRE(c.advanceUntil([&] { return c.running("default", "job-name=work") == 1; }, seconds(30)));
  const std::string lost(stringAt(c.pods("default", "job-name=work").front()->spec(), {"nodeName"}));
  c.fleet().crashNode(lost);
  REQUIRE(c.advance(seconds(600)));
  CHECK(status(c, "work", "succeeded") == 1);
  CHECK(status(c, "work", "failed") == 1);
  // The lost pod may still run, for all anyone knows: the verdict is in, the end waits for its node.
  CHECK(is(c, "work", "SuccessCriteriaMet"));
  CHECK_FALSE(is(c, "work", "Complete"));
  c.fleet().reviveNode(lost);
  REQUIRE(c.advance(seconds(60)));
  CHECK(is(c, "work", "Complete"));
}

TEST_CASE("counts survive crashes of the control plane and the deletion of finished pods") {
  Simulator c({.seed = seedFor(56), .fleet = {.nodes = 3}});
  REQUIRE(c.apply(job("work", "completions: 12\n  parallelism: 4", "simulator.steersman.dev/exit-after: 3s")).ok());
  for (int round = 0; round < 40 && !is(c, "work", "Complete"); ++round) {
    REQUIRE(c.advance(milliseconds(1300)));
    for (const auto& pod : c.pods("default", "job-name=work"))
      if (stringAt(pod->status(), {"phase"}) == "Succeeded" && !pod->deleting())
        (void)c.client().write(Write::remove({"pods", "default", pod->name()}));
    c.crashServer();
  }
  CHECK(is(c, "work", "Complete"));
  CHECK(status(c, "work", "succeeded") == 12);
  CHECK(status(c, "work", "failed") == 0);
}

TEST_CASE("an indexed job completes each index, one pod each") {
  Simulator c({.seed = seedFor(57), .fleet = {.nodes = 3}});
  REQUIRE(c.apply(job("parts", "completions: 4\n  parallelism: 2\n  completionMode: Indexed", kQuick)).ok());
  REQUIRE(c.advanceUntil([&] { return is(c, "parts", "Complete"); }, seconds(60)));
  CHECK(stringAt(get(c, "jobs.batch", "parts")->status(), {"completedIndexes"}) == "0-3");
  CHECK(c.pods("default", "job-name=parts").size() == 4);
}

TEST_CASE("with podReplacementPolicy Failed a deleted pod is replaced once it has ended") {
  Simulator c({.seed = seedFor(58), .fleet = {.nodes = 1}});
  REQUIRE(
      c.apply(job("one", "podReplacementPolicy: Failed", "steersman.dev/sim-stop: 8s, steersman.dev/sim-exit: never"))
          .ok());
  REQUIRE(c.advanceUntil([&] { return c.running("default", "job-name=one") == 1; }, seconds(30)));
  REQUIRE(c.client().write(Write::remove({"pods", "default", c.pods("default", "job-name=one").front()->name()})).ok());
  REQUIRE(c.advance(seconds(5)));
  CHECK(c.pods("default", "job-name=one").size() == 1);
  CHECK(status(c, "one", "terminating") == 1);
  REQUIRE(c.advance(seconds(30)));
  CHECK(c.running("default", "job-name=one") == 1);
  CHECK(status(c, "one", "failed") == 1);
}

TEST_CASE("a finished job goes by itself when its time to live is over") {
  Simulator c({.seed = seedFor(59), .fleet = {.nodes = 1}});
  REQUIRE(c.apply(job("brief", "ttlSecondsAfterFinished: 30", kQuick)).ok());
  REQUIRE(c.advanceUntil([&] { return is(c, "brief", "Complete"); }, seconds(60)));
  REQUIRE(c.advance(seconds(20)));
  CHECK(get(c, "jobs.batch", "brief") != nullptr);
  REQUIRE(c.advance(seconds(20)));
  CHECK(get(c, "jobs.batch", "brief") == nullptr);
  CHECK(c.pods("default", "job-name=brief").empty());
}

TEST_CASE("a namespace with an indexed job that counts failures by index ends, whatever its pods are doing") {
  for (const auto* life :
       {"steersman.dev/sim-exit: 1@1", "steersman.dev/sim-exit: never", "steersman.dev/sim-start: 60s"}) {
    Simulator c({.seed = seedFor(60), .fleet = {.nodes = 2}});
    REQUIRE(c.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n").ok());
    auto text =
        job("parts", "completions: 3\n  parallelism: 3\n  completionMode: Indexed\n  backoffLimitPerIndex: 5", life);
    text.insert(text.find("metadata: {") + 11, "namespace: shop, ");
    REQUIRE(c.apply(text).ok());
    REQUIRE(c.advance(seconds(3)));
    REQUIRE(c.pods("shop").size() >= 3);
    REQUIRE(c.client().write(Write::remove({"namespaces", "", "shop"})).ok());
    INFO(life);
    CHECK(c.advanceUntil([&] { return get(c, "namespaces", "shop", "") == nullptr; }, seconds(90)));
    CHECK_FALSE(hasEvent(c, "FailedCreate", "shop"));
  }
}

TEST_CASE("jobs end by themselves on simulated nodes, well, unless they say otherwise") {
  Simulator c({.seed = seedFor(61), .fleet = {.nodes = 1}});
  REQUIRE(c.apply(job("plain", "completions: 2", "a: b")).ok());
  REQUIRE(c.apply(job("bad", "backoffLimit: 0", "steersman.dev/sim-exit: 7@2")).ok());
  REQUIRE(c.apply(job("goes", "completions: 1", "steersman.dev/sim-exit: never")).ok());
  REQUIRE(c.advance(seconds(30)));
  CHECK(is(c, "plain", "Complete"));
  CHECK(is(c, "bad", "Failed"));
  CHECK(c.running("default", "job-name=goes") == 1);
}

TEST_CASE("a job whose policy ignores disruptions counts neither an evicted pod nor one of a tainted node") {
  Simulator c({.seed = seedFor(62), .fleet = {.nodes = 2}});
  const std::string policy =
      "backoffLimit: 0\n  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, "
      "status: 'True'}]}]}";
  REQUIRE(c.apply(job("steady", policy, "steersman.dev/sim-exit: never")).ok());
  const auto running = [&] { return c.running("default", "job-name=steady") == 1; };
  REQUIRE(c.advanceUntil(running, seconds(30)));
  const auto first = c.pods("default", "job-name=steady").front();
  Write evict = Write::create("pods", {});
  evict.target = {"pods", "default", first->name()};
  evict.subresource = "eviction";
  evict.body = json::object{{"apiVersion", "policy/v1"},
                            {"kind", "Eviction"},
                            {"metadata", {{"name", first->name()}, {"namespace", "default"}}}};
  REQUIRE(c.client().write(evict).ok());
  REQUIRE(c.advance(seconds(60)));
  CHECK(running());
  const auto second = c.pods("default", "job-name=steady").front();
  CHECK(second->uid() != first->uid());
  const std::string node(stringAt(second->spec(), {"nodeName"}));
  REQUIRE(c.client()
              .write(Write::patch({"nodes", "", node}, PatchType::merge,
                                  json::parse(R"({"spec":{"taints":[{"key":"k","effect":"NoExecute"}]}})")))
              .ok());
  REQUIRE(c.advance(seconds(60)));
  CHECK(running());
  CHECK_FALSE(is(c, "steady", "Failed"));
  CHECK(status(c, "steady", "failed") == 0);
}

TEST_CASE("a pod of high priority takes the place of one of low priority, which a job does not count as failed") {
  Simulator c(
      {.seed = seedFor(63), .fleet = {.nodes = 1, .capacity = {{"cpu", "1"}, {"memory", "1Gi"}, {"pods", "10"}}}});
  REQUIRE(c.apply("apiVersion: scheduling.k8s.io/v1\nkind: PriorityClass\nmetadata: {name: high}\nvalue: 1000\n").ok());
  REQUIRE(c.apply("apiVersion: batch/v1\nkind: Job\nmetadata: {name: low}\nspec:\n  backoffLimit: 0\n"
                  "  podFailurePolicy: {rules: [{action: Ignore, onPodConditions: [{type: DisruptionTarget, status: "
                  "'True'}]}]}\n  template:\n    metadata: {annotations: {steersman.dev/sim-exit: never}}\n"
                  "    spec: {restartPolicy: Never, containers: [{name: c, image: i, resources: {requests: {cpu: "
                  "800m}}}]}\n")
              .ok());
  REQUIRE(c.advanceUntil([&] { return c.running("default", "job-name=low") == 1; }, seconds(30)));
  const auto first = c.pods("default", "job-name=low").front();
  bool disrupted = false;
  std::string nominated;
  c.driver().setBetweenSteps([&] {
    if (const auto live = c.state().get("pods", "default", first->name()))
      disrupted = disrupted || conditionReason(*live, "DisruptionTarget") == "PreemptionByScheduler";
    if (const auto high = c.state().get("pods", "default", "high"))
      if (const auto name = stringAt(high->status(), {"nominatedNodeName"}); !name.empty()) nominated = name;
  });
  REQUIRE(c.apply("apiVersion: v1\nkind: Pod\nmetadata: {name: high}\nspec:\n  priorityClassName: high\n"
                  "  containers: [{name: c, image: i, resources: {requests: {cpu: 500m}}}]\n")
              .ok());
  REQUIRE(c.advanceUntil(
      [&] {
        const auto high = c.state().get("pods", "default", "high");
        return stringAt(high->status(), {"phase"}) == "Running";
      },
      minutes(2)));
  CHECK(disrupted);
  CHECK(nominated == "node-1");
  CHECK(hasEvent(c, "Preempted"));
  REQUIRE(c.advance(minutes(1)));
  CHECK_FALSE(is(c, "low", "Failed"));
  CHECK(status(c, "low", "failed") == 0);
  CHECK(c.running("default", "job-name=low") == 0);  // it waits, and asks nobody of higher priority
  REQUIRE(c.client().write(Write::remove({"pods", "default", "high"})).ok());
  REQUIRE(c.advanceUntil([&] { return c.running("default", "job-name=low") == 1; }, minutes(2)));
  c.driver().setBetweenSteps(nullptr);
}
