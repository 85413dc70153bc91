// What a rehearsal says of a change, and what then happens.
#include <catch2/catch.hpp>

#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "simulator/forecast_text.h"
#include "simulator/rehearsal.h"
#include "simulator/rehearsal_record.h"
#include "simulator/simulator.h"

using namespace steer;

namespace {

json::object deployment(const std::string& image, int replicas, const std::string& cpu = "100m") {
  const json::object labels{{"app", "web"}};
  return {
      {"apiVersion", "apps/v1"},
      {"kind", "Deployment"},
      {"metadata", {{"name", "web"}, {"namespace", "default"}}},
      {"spec",
       {{"replicas", replicas},
        {"selector", {{"matchLabels", labels}}},
        {"template",
         {{"metadata", {{"labels", labels}}},
          {"spec",
           {{"containers", json::array{json::object{
                               {"name", "c"}, {"image", image}, {"resources", {{"requests", {{"cpu", cpu}}}}}}}}}}}}}}};
}

struct World {
  Simulator cluster;

  explicit World(std::uint64_t seed = 1, std::size_t nodes = 3) : cluster(options(seed, nodes)) {
    execute(planned({deployment("web:0", 3)}));
    REQUIRE(cluster.advanceUntil([&] { return cluster.ready("default") == 3; }, minutes(1)));
    execute(planned({deployment("web:1", 3)}));  // the cluster has a past: pods have stopped here
    REQUIRE(cluster.advance(minutes(1)));
    const json::object service{{"apiVersion", "v1"},
                               {"kind", "Service"},
                               {"metadata", {{"name", "web"}, {"namespace", "default"}}},
                               {"spec", {{"selector", {{"app", "web"}}}, {"ports", json::array{{{"port", 80}}}}}}};
    REQUIRE(cluster.client().write(Write::create("services", service)).ok());
    REQUIRE(cluster.advanceUntil([&] { return cluster.ready("default") == 3; }, minutes(1)));
    REQUIRE(cluster.advance(seconds(30)));
  }
  static SimulatorOptions options(std::uint64_t seed, std::size_t nodes) {
    SimulatorOptions out;
    out.seed = seed;
    out.fleet.nodes = nodes;
    out.fleet.startDelay = seconds(2);
    out.recordPodTimes = true;
    return out;
  }
  PlanSet planned(const std::vector<json::object>& bodies) {
    std::vector<WantedObject> wanted;
    for (const auto& body : bodies)
      wanted.push_back({{"deployments.apps", "default", std::string(stringAt(body, {"metadata", "name"}))}, body, {}});
    PlanOptions options;
    options.prune = PlanOptions::Prune::no;
    auto plan = makePlan(cluster.client(), wanted, options);
    REQUIRE(plan.ok());
    PlanSet out;
    out.plans.push_back(std::move(*plan));
    return out;
  }
  void execute(const PlanSet& plans) {
    ApplyRun run(cluster.client(), plans.plans.front());
    while (!run.finished()) {
      const auto next = run.step(cluster.now());
      if (next && *next > cluster.now()) REQUIRE(cluster.advance(*next - cluster.now()));
    }
    REQUIRE(run.failures() == 0);
  }
  Forecast forecast(const PlanSet& plans) {
    const auto read = readCluster(cluster.client());
    REQUIRE(read.ok());
    RehearsalOptions options;
    options.now = cluster.now();
    auto out = rehearse(*read, plans, options);
    REQUIRE(out.ok());
    return std::move(*out);
  }
  /// The change for real, seen by the same eyes.
  Forecast reality(const PlanSet& plans) {
    RehearsalRecord record(
        cluster.client(), cluster.state(), [&] { return cluster.state(); }, cluster.now());
    cluster.driver().add(record);
    REQUIRE(cluster.settle());
    record.watch("Deployment default/web");
    execute(plans);
    REQUIRE(cluster.advance(minutes(1)));
    cluster.driver().remove(record);
    return record.finish(cluster.state(), cluster.now());
  }
};

/// What happens, when and where; of one instant in an order of its own: which of two loops comes first in it is
/// what the seeds differ in.
std::vector<std::string> sequence(const Forecast& forecast) {
  std::vector<std::pair<Duration, std::string>> all;
  for (const auto& e : forecast.events)
    all.emplace_back(e.at, std::string(eventName(e.kind)) + (e.existed ? " old pod of " : " new pod of ") + e.workload +
                               (e.node.empty() ? "" : " on " + e.node));
  std::sort(all.begin(), all.end());
  std::vector<std::string> out;
  for (const auto& [at, text] : all) out.push_back(std::to_string(at.count() / 1000) + "ms " + text);
  return out;
}

}  // namespace

TEST_CASE("A rehearsed rollout is the rollout that then happens") {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    World w(seed);
    const auto plans = w.planned({deployment("web:2", 3)});
    const auto predicted = w.forecast(plans);
    const auto seen = w.reality(plans);
    INFO("seed " << seed);
    CHECK(sequence(predicted) == sequence(seen));
    REQUIRE(predicted.workloads.size() == 1);
    REQUIRE(seen.workloads.size() == 1);
    CHECK(predicted.workloads[0].landed == seen.workloads[0].landed);
    CHECK(predicted.nodes.size() == 3);
    for (std::size_t i = 0; i < predicted.nodes.size(); ++i)
      CHECK(predicted.nodes[i].pods.after == seen.nodes[i].pods.after);
    CHECK(predicted.workloads[0].lowest == seen.workloads[0].lowest);
    CHECK(predicted.workloads[0].restarts == 3);
    CHECK(predicted.workloads[0].added == 3);
    CHECK(predicted.workloads[0].blocked.empty());
    CHECK(predicted.took == seen.took);
  }
}

TEST_CASE("A rehearsal changes nothing in the cluster, and restarts nothing that no change touches") {
  World w;
  const auto before = w.cluster.state().revision();
  const auto forecast = w.forecast(w.planned({deployment("web:1", 4)}));
  CHECK(w.cluster.state().revision() == before);
  REQUIRE(forecast.workloads.size() == 1);
  CHECK(forecast.workloads[0].restarts == 0);
  CHECK(forecast.workloads[0].added == 1);
  CHECK(forecast.workloads[0].readyBefore == 3);
  CHECK(forecast.workloads[0].readyAfter == 4);
  CHECK(forecast.workloads[0].lowest == 3);
}

TEST_CASE("What will not fit is told, with the scheduler's reason, and what it blocks") {
  World w;
  const auto forecast = w.forecast(w.planned({deployment("web:2", 3, "64")}));
  CHECK(forecast.blocked());
  REQUIRE(forecast.workloads.size() == 1);
  const auto& web = forecast.workloads[0];
  REQUIRE(web.unplaced.size() == 1);
  CHECK(web.unplaced.begin()->first == "0/3 nodes are available: 3 Insufficient cpu.");
  CHECK(web.restarts == 0);
  CHECK(web.lowest == 3);
  CHECK(web.blocked.find("progress") != std::string::npos);
  const auto text = forecastText(forecast);
  CHECK(text.find("cannot be placed: 0/3 nodes are available: 3 Insufficient cpu.") != std::string::npos);
  CHECK(forecastMarkdown(forecast).find("cannot be placed") != std::string::npos);
}

TEST_CASE("Capacity before and after is told for each node, and endpoints of services at their worst") {
  World w(1, 1);
  const auto forecast = w.forecast(w.planned({deployment("web:1", 1)}));
  REQUIRE(forecast.nodes.size() == 1);
  CHECK(forecast.nodes[0].cpu == NodeForecast::Amount{300, 100, 4000});
  CHECK(forecast.nodes[0].pods == NodeForecast::Amount{3, 1, 110});
  REQUIRE(forecast.services.size() == 1);
  CHECK(forecast.services[0].service == "default/web");
  CHECK(forecast.services[0].after == 1);
  CHECK(forecast.services[0].without == Duration{});
}

TEST_CASE("Start times are those that the image had here, and an unknown image is named") {
  World w;
  const auto read = readCluster(w.cluster.client());
  const auto times = measureStartTimes(*read);
  REQUIRE(times.byImage.contains("web:1"));
  CHECK(times.byImage.at("web:1").start == seconds(2));
  CHECK(times.byImage.at("web:0").stop == milliseconds(100));
  CHECK_FALSE(times.byImage.at("web:1").stop.has_value());
  const auto forecast = w.forecast(w.planned({deployment("web:9", 3)}));
  REQUIRE(forecast.assumptions.size() == 1);
  CHECK(forecast.assumptions[0] ==
        "image web:9 has not been started here yet: 2000ms to start are assumed, as web:1 took");
  const auto other = w.forecast(w.planned({deployment("shop:1", 3)}));
  REQUIRE(other.assumptions.size() == 1);
  CHECK(other.assumptions[0] == "image shop:1 has not been started here yet: 2000ms to start are assumed");
}

TEST_CASE("A rehearsal ends in time, and says how far it came") {
  World w;
  const auto read = readCluster(w.cluster.client());
  REQUIRE(read.ok());
  const auto plans = w.planned({deployment("web:2", 60)});
  RehearsalOptions options;
  options.now = w.cluster.now();
  options.wallLimit = Duration{1};
  const auto none = rehearse(*read, plans, options);
  REQUIRE_FALSE(none.ok());
  CHECK(none.error().code == Errc::timeout);
  // A change that never comes to rest: the image of a pod that must run cannot be had, and nobody gives up.
  auto endless = deployment("web:2", 3);
  auto& podSpec = ensureObject(ensureObject(endless, "spec"), "template");
  ensureObject(ensureObject(podSpec, "metadata"), "annotations")["simulator.steersman.dev/ready-delay"] = "never";
  ensureObject(endless, "spec")["progressDeadlineSeconds"] = 2'000'000;
  options.wallLimit = milliseconds(300);
  options.limit = std::chrono::hours(24 * 20);
  const auto cut = rehearse(*read, w.planned({endless}), options);
  REQUIRE(cut.ok());
  CHECK(cut->cutShort.find("the simulation itself took longer than 0 seconds") == 0);
  CHECK(cut->workloads.at(0).lowest == 3);
}

TEST_CASE("Names that people chose cannot break out of a table") {
  Forecast forecast;
  WorkloadForecast row;
  row.workload = "Deployment a/b|<script>\x1b[31m";
  forecast.workloads.push_back(row);
  CHECK(forecastMarkdown(forecast).find("<script>") == std::string::npos);
  CHECK(forecastHtml(forecast).find("<script>") == std::string::npos);
  CHECK(forecastText(forecast).find('\x1b') == std::string::npos);
}
