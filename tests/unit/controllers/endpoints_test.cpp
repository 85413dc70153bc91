#include "cluster/controllers/endpoints.h"

#include "cluster/controllers/endpoint_slices.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

constexpr const char* kSlices = "endpointslices.discovery.k8s.io";

json::object service() {
  return object(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"web","namespace":"shop","uid":"svc"},
    "spec":{"selector":{"app":"web"},"clusterIP":"10.96.0.9","ports":[{"name":"http","port":80,"targetPort":"web","protocol":"TCP"}]}})")
      ->json();
}

json::object pod(int n, bool ready, int port = 8080) {
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata",
           {{"name", "p" + std::to_string(n)},
            {"namespace", "shop"},
            {"uid", "u" + std::to_string(n)},
            {"labels", {{"app", "web"}}}}},
          {"spec",
           {{"nodeName", "n1"},
            {"containers",
             json::array{json::object{
                 {"name", "c"}, {"ports", json::array{json::object{{"name", "web"}, {"containerPort", port}}}}}}}}},
          {"status",
           {{"phase", "Running"},
            {"podIP", "10.244.0." + std::to_string(n)},
            {"conditions", json::array{json::object{{"type", "Ready"}, {"status", ready ? "True" : "False"}}}}}}};
}

Decision slices(const World& world) {
  return makeEndpointSliceController()->decide(world.snapshot, {"shop", "web"}, kNow);
}
Decision endpoints(const World& world) {
  return makeEndpointsController()->decide(world.snapshot, {"shop", "web"}, kNow);
}

}  // namespace

TEST_CASE("a slice says of each pod whether it is ready, serving or terminating, with the named port's number") {
  World world;
  world.put("services", service());
  world.put("pods", pod(1, true));
  world.put("pods", pod(2, false));
  auto leaving = pod(3, true);
  leaving["metadata"].as_object()["deletionTimestamp"] = formatTime(kNow);
  world.put("pods", leaving);
  auto done = pod(4, false);
  done["status"].as_object()["phase"] = "Failed";
  world.put("pods", done);
  world.apply(slices(world));
  const auto all = world.snapshot.list(kSlices, "shop");
  REQUIRE(all.size() == 1);
  const auto& slice = *all.front();
  CHECK(slice.label("kubernetes.io/service-name") == "web");
  CHECK(slice.controllerOwner()->uid == "svc");
  CHECK(intAt(arrayAt(slice.json(), {"ports"})[0], {"port"}) == 8080);
  std::map<std::string, std::string> seen;
  for (const auto& endpoint : arrayAt(slice.json(), {"endpoints"}))
    seen[std::string(stringAt(endpoint, {"targetRef", "name"}))] =
        std::string(boolAt(endpoint, {"conditions", "ready"}) ? "r" : "-") +
        (boolAt(endpoint, {"conditions", "serving"}) ? "s" : "-") +
        (boolAt(endpoint, {"conditions", "terminating"}) ? "t" : "-");
  CHECK(seen == std::map<std::string, std::string>{{"p1", "rs-"}, {"p2", "---"}, {"p3", "-st"}});
  CHECK(slices(world).writes.empty());
}

TEST_CASE("250 pods stand in three slices, and one change rewrites one of them") {
  World world;
  world.put("services", service());
  for (int i = 1; i <= 250; ++i) world.put("pods", pod(i, true));
  world.apply(slices(world));
  CHECK(world.snapshot.list(kSlices, "shop").size() == 3);
  for (const auto& slice : world.snapshot.list(kSlices, "shop"))
    CHECK(arrayAt(slice->json(), {"endpoints"}).size() <= 100);
  world.put("pods", pod(7, false));
  const auto change = slices(world);
  CHECK(change.writes.size() == 1);
  CHECK(change.writes.front().verb == Write::Verb::update);
  world.apply(change);
  world.put("pods", pod(251, true));
  CHECK(slices(world).writes.size() == 1);
}

TEST_CASE("pods whose named port differs stand in slices of their own") {
  World world;
  world.put("services", service());
  world.put("pods", pod(1, true, 8080));
  world.put("pods", pod(2, true, 9090));
  world.apply(slices(world));
  CHECK(world.snapshot.list(kSlices, "shop").size() == 2);
}

TEST_CASE("publishNotReadyAddresses makes every pod ready, for names that must resolve early") {
  World world;
  auto svc = service();
  svc["spec"].as_object()["publishNotReadyAddresses"] = true;
  world.put("services", svc);
  world.put("pods", pod(1, false));
  world.apply(slices(world));
  const auto slice = world.snapshot.list(kSlices, "shop").front();
  CHECK(boolAt(arrayAt(slice->json(), {"endpoints"})[0], {"conditions", "ready"}));
  CHECK_FALSE(boolAt(arrayAt(slice->json(), {"endpoints"})[0], {"conditions", "serving"}));
}

TEST_CASE("a service without pods has one empty slice") {
  World world;
  world.put("services", service());
  world.apply(slices(world));
  REQUIRE(world.snapshot.list(kSlices, "shop").size() == 1);
  CHECK(slices(world).writes.empty());
}

TEST_CASE("Endpoints separate ready from not ready, and go with their service") {
  World world;
  world.put("services", service());
  world.put("pods", pod(1, true));
  world.put("pods", pod(2, false));
  world.apply(endpoints(world));
  const auto live = world.snapshot.get("endpoints", "shop", "web");
  REQUIRE(live);
  const auto& subset = arrayAt(live->json(), {"subsets"})[0];
  CHECK(stringAt(arrayAt(subset, {"addresses"})[0], {"ip"}) == "10.244.0.1");
  CHECK(stringAt(arrayAt(subset, {"notReadyAddresses"})[0], {"ip"}) == "10.244.0.2");
  CHECK(endpoints(world).writes.empty());
  world.snapshot.remove("services", "shop", "web");
  world.apply(endpoints(world));
  CHECK_FALSE(world.snapshot.get("endpoints", "shop", "web"));
}

TEST_CASE("above a thousand addresses Endpoints are cut and say so") {
  World world;
  world.put("services", service());
  for (int i = 1; i <= 1001; ++i) {
    auto p = pod(i, true);
    p["status"].as_object()["podIP"] = "10.1." + std::to_string(i / 250) + "." + std::to_string(i % 250);
    world.put("pods", p);
  }
  world.apply(endpoints(world));
  const auto live = world.snapshot.get("endpoints", "shop", "web");
  CHECK(arrayAt(arrayAt(live->json(), {"subsets"})[0], {"addresses"}).size() == 1000);
  CHECK(live->annotation("endpoints.kubernetes.io/over-capacity") == "truncated");
}

TEST_CASE("Endpoints written by hand are mirrored for a service without selector") {
  World world;
  auto svc = service();
  svc["spec"].as_object().erase("selector");
  world.put("services", svc);
  world.put("endpoints",
            R"({"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"web","namespace":"shop","uid":"ep"},
    "subsets":[{"addresses":[{"ip":"192.0.2.1"}],"notReadyAddresses":[{"ip":"192.0.2.2"}],"ports":[{"port":5432}]}]})");
  const auto mirror = makeEndpointMirrorController();
  world.apply(mirror->decide(world.snapshot, {"shop", "web"}, kNow));
  const auto all = world.snapshot.list(kSlices, "shop");
  REQUIRE(all.size() == 1);
  CHECK(arrayAt(all.front()->json(), {"endpoints"}).size() == 2);
  CHECK(all.front()->controllerOwner()->uid == "ep");
  CHECK(mirror->decide(world.snapshot, {"shop", "web"}, kNow).writes.empty());
  CHECK(endpoints(world).writes.empty());
}
