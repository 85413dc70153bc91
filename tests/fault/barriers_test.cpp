// An exception, and a lack of memory, at each barrier of a whole control plane that follows a repository: controllers,
// garbage collector, scheduler, application loop, follower of Git, simulated nodes. What is behind the barrier is tried
// again, everything else goes on, and a condition names the place.
#include <catch2/catch.hpp>
#include <set>

#include "tests/fault/injection.h"
#include "tests/scenario/repository.h"

using namespace steer;
using namespace steer::faulttest;
using namespace steer::scenario;

namespace {

/// A place without the names in it.
std::string kindOf(std::string_view place) {
  for (const std::string_view mark :
       {" at ", "the repository ", "the simulated pod ", "application ", "the scheduling of "})
    if (const auto found = place.find(mark); found != std::string_view::npos)
      return std::string(place.substr(0, found + mark.size()));
  return std::string(place);
}

std::string configMap(const std::string& name, int n, const std::string& ns = "default") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns + "}\ndata: {k: '" +
         std::to_string(n) + "'}\n";
}

std::string job(int n) {
  return "apiVersion: batch/v1\nkind: Job\nmetadata: {name: job-" + std::to_string(n) +
         "}\nspec:\n  template:\n    spec: {restartPolicy: Never, containers: [{name: c, image: i}]}\n";
}

/// Everything that a round changes gets its number, so that the end of the round can be told.
class Cluster : public Followed {
 public:
  Cluster() : Followed(7, minutes(3), Faults::shown) {}

  /// Changes, adds and deletes objects of several kinds by a commit and by hand.
  bool round() {
    const int n = ++n_;
    const std::string former = "t" + std::to_string(n - 1), fresh = "t" + std::to_string(n);
    insist([&] { return cluster.client().write(Write::remove({"namespaces", "", former})); });
    insist([&] { return cluster.apply("apiVersion: v1\nkind: Namespace\nmetadata: {name: " + fresh + "}\n"); });
    insist([&] { return cluster.apply(configMap("in", n, fresh)); });
    push({{"web.yaml", deployment("web", 1, "v" + std::to_string(n))},
          {"map.yaml", configMap("map", n)},
          {"job.yaml", job(n)}});
    return until([&] { return done(n); }, minutes(10));
  }
  std::string told() const {
    const auto ns = cluster.state().get("namespaces", "", "kube-system");
    for (const auto& condition : arrayAt(ns->status(), {"conditions"}))
      if (stringAt(condition, {"type"}) == "Faultless")
        return std::string(stringAt(condition, {"status"})) + " " + std::string(stringAt(condition, {"message"}));
    return "";
  }

 private:
  /// A client asks again after an error of the server.
  template <class Ask>
  static void insist(const Ask& ask) {
    for (int i = 0; i < 3; ++i)
      if (const auto answer = ask(); answer.ok() || answer.error().code != Errc::internal) return;
  }
  bool done(int n) const {
    const auto map = get(cluster, "configmaps", "map");
    const auto ended = get(cluster, "jobs.batch", "job-" + std::to_string(n));
    const auto web = get(cluster, "deployments.apps", "web");
    return map && stringAt(map->json(), {"data", "k"}) == std::to_string(n) && ended &&
           intAt(ended->status(), {"succeeded"}) == 1 && web && rolledOut(cluster, "web") &&
           stringAt(arrayAt(web->spec(), {"template", "spec", "containers"})[0], {"image"}) ==
               "v" + std::to_string(n) &&
           !exists("jobs.batch", "job-" + std::to_string(n - 1)) &&
           !cluster.state().get("namespaces", "", "t" + std::to_string(n - 1)) &&
           stringAt(json::value(status()), {"phase"}) == "Synced";
  }

  int n_ = 0;
};

/// The kinds of places that each round passes. A job of an executor is none of them: who waits for a job's answer has
/// a barrier inside it (core/executor.h).
std::set<std::string> placesOf(Cluster& c) {
  std::set<std::string> seen, always;
  const Injection listen(
      [&](std::string_view place) {
        seen.insert(kindOf(place));
        return false;
      },
      Thrown::exception);
  for (int i = 0; i < 3; ++i) {
    REQUIRE(c.round());
    std::set<std::string> both;
    for (const auto& place : seen)
      if (i < 2 || always.contains(place)) both.insert(place);
    always = std::exchange(both, {});
    seen.clear();
  }
  always.erase("a job");
  return always;
}

}  // namespace

TEST_CASE("a fault at any barrier of the control plane holds up itself alone, and a condition names it") {
  Cluster c;
  const auto places = placesOf(c);
  for (const char* known :
       {"controllers", "scheduler", "applications", "application ", "the repository ", "simulated-nodes",
        "the simulated pod ", "the scheduling", "faults", "the store's writer", "the news of the store",
        "the controller garbage-collector-controller at ", "the controller deployment-controller at ",
        "the controller job-controller at ", "the controller namespace-controller at "}) {
    INFO(known);
    CHECK(places.contains(known));
  }
  for (const auto& kind : places) {
    for (const auto what : kThrown) {
      INFO("a fault in \"" << kind << "\": " << textOf(what));
      {
        const Injection injected([&](std::string_view place) { return kindOf(place) == kind; }, what,
                                 kind == "the scheduling" ? 1 : 2);
        CHECK(c.round());
        CHECK(c.until([&] { return injected.done(); }));
      }
      CHECK(c.until([&] {
        return c.told().find(kind) != std::string::npos && c.told().find(textOf(what)) != std::string::npos;
      }));
      CHECK(c.until([&] { return c.told().starts_with("True "); }));
    }
  }
}
