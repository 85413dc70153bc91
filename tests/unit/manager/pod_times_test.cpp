// What pods took is kept when they are gone.
#include <catch2/catch.hpp>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/manager/pod_times_loop.h"
#include "cluster/store/store.h"

using namespace steer;

namespace {

struct Cluster {
  std::unique_ptr<Store> store = std::move(*Store::open(openMemoryLog(makeMemoryDisk()), {.inlineCommit = true}));
  ManualClock clock;
  Random random{1};
  ApiServer api{*store, clock, random, {}};
  std::unique_ptr<Client> client = makeInProcessClient(api, systemIdentity());
  std::unique_ptr<PodTimesLoop> loop = std::make_unique<PodTimesLoop>(*client);

  Cluster() {
    REQUIRE(
        client->write(Write::create("nodes", {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", {{"name", "n"}}}}))
            .ok());
    look();
  }
  void look() {
    const Time now = clock.now();
    for (auto next = loop->step(now); next.at && *next.at <= now;) next = loop->step(now);
  }
  void pass(Duration time) {
    clock.advance(time);
    look();
  }
  void create(const std::string& name, const std::string& image) {
    const json::object container{{"name", "c"}, {"image", image}};
    REQUIRE(
        client
            ->write(Write::create(
                "pods",
                {{"apiVersion", "v1"},
                 {"kind", "Pod"},
                 {"metadata",
                  {{"name", name}, {"namespace", "default"}, {"labels", {{"app", image.substr(0, image.find(':'))}}}}},
                 {"spec", {{"containers", json::array{container}}}}}))
            .ok());
    const auto made = client->get({"pods", "default", name});
    REQUIRE(client->write(Write::bind("default", name, (*made)->uid(), "n")).ok());
  }
  void report(const std::string& name, bool ready) {
    const json::object status{{"name", "c"},
                              {"ready", ready},
                              {"restartCount", 0},
                              {"state", {{"running", {{"startedAt", "2026-01-01T00:00:00Z"}}}}}};
    const json::object body{{"status", {{"phase", "Running"}, {"containerStatuses", json::array{status}}}}};
    REQUIRE(client->write(Write::patch({"pods", "default", name}, PatchType::merge, body, "status")).ok());
  }
  void remove(const std::string& name, std::optional<std::int64_t> grace = {}) {
    DeleteOptions options;
    options.gracePeriodSeconds = grace;
    REQUIRE(client->write(Write::remove({"pods", "default", name}, options)).ok());
  }
  PodTimes::Samples of(const std::string& image) {
    const auto stored = client->get({"configmaps", kPodTimesNamespace, kPodTimesName});
    if (!stored.ok()) return {};
    const auto times = PodTimes::read(**stored);
    const auto known = times.byImage().find(image);
    return known == times.byImage().end() ? PodTimes::Samples{} : known->second;
  }
};

using Times = std::vector<Duration>;

}  // namespace

TEST_CASE("How long a pod took to start, to be ready and to stop is known to the millisecond, after it is gone") {
  Cluster c;
  c.create("web", "web:1");
  c.look();
  c.pass(milliseconds(830));
  c.report("web", false);
  c.look();
  c.pass(milliseconds(1200));
  c.report("web", true);
  c.look();
  c.pass(minutes(5));
  c.remove("web");
  c.look();
  c.pass(milliseconds(150));
  REQUIRE(c.client
              ->write(Write::patch({"pods", "default", "web"}, PatchType::merge,
                                   json::object{{"status", {{"phase", "Succeeded"}}}}, "status"))
              .ok());
  c.look();
  c.pass(milliseconds(120));
  c.remove("web", 0);  // the node says that its containers are gone
  c.look();
  c.pass(seconds(1));
  const auto web = c.of("web:1");
  CHECK(web.firstStart == Times{milliseconds(830)});
  CHECK(web.firstReady == Times{milliseconds(1200)});
  CHECK(web.stop == Times{milliseconds(270)});
  CHECK(web.end == Times{milliseconds(150)});

  // The next process goes on with what is known.
  c.loop = std::make_unique<PodTimesLoop>(*c.client);
  c.look();
  c.create("db", "db:1");
  c.look();
  c.pass(milliseconds(40));
  c.report("db", true);
  c.pass(seconds(1));
  c.pass(seconds(1));
  CHECK(c.of("web:1").stop == Times{milliseconds(270)});
  CHECK(c.of("db:1").firstReady == Times{Duration{}});
}

TEST_CASE("The first pods of a kind are told apart from those that come while others serve") {
  Cluster c;
  for (const auto& [name, took] : {std::pair{"web-1", milliseconds(3000)}, {"web-2", milliseconds(200)}}) {
    c.create(name, "web:1");
    c.look();
    c.pass(took);
    c.report(name, true);
    c.look();
    c.pass(seconds(1));
    c.pass(seconds(1));
  }
  CHECK(c.of("web:1").firstStart == Times{seconds(3)});
  CHECK(c.of("web:1").start == Times{milliseconds(200)});
}

TEST_CASE("What was not watched, or ended at once, tells nothing") {
  Cluster c;
  c.create("killed", "killed:1");
  c.look();
  c.report("killed", true);
  c.pass(seconds(1));
  c.remove("killed", 0);
  c.pass(seconds(2));
  CHECK(c.of("killed:1").stop.empty());

  c.loop.reset();
  c.create("old", "old:1");
  c.loop = std::make_unique<PodTimesLoop>(*c.client);
  c.look();
  c.pass(seconds(30));
  c.report("old", true);
  c.pass(seconds(2));
  c.pass(seconds(2));
  CHECK(c.of("old:1").firstStart.empty());
}

TEST_CASE("Only the last few of each image are kept, and a broken record counts as none") {
  PodTimes times;
  for (int i = 0; i < 100; ++i) times.add(&PodTimes::Samples::start, "web:1", milliseconds(i), Time{});
  CHECK(times.byImage().at("web:1").start.size() == 8);
  CHECK(times.byImage().at("web:1").start.back() == milliseconds(99));
  const auto copy = PodTimes::read(*Object::make(times.configMap()));
  CHECK(copy.byImage().at("web:1").start == times.byImage().at("web:1").start);
  auto broken = times.configMap();
  ensureObject(broken, "data")["times.json"] = "{{";
  CHECK(PodTimes::read(*Object::make(std::move(broken))).byImage().empty());
}
