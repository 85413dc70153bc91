#include "core/snapshot.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

ObjectPtr pod(const std::string& ns, const std::string& name, const std::string& node, const std::string& owner) {
  return Object::make({{"apiVersion", "v1"},
                       {"kind", "Pod"},
                       {"metadata",
                        {{"namespace", ns},
                         {"name", name},
                         {"uid", "uid-" + name},
                         {"ownerReferences", json::array{json::object{{"uid", owner}, {"controller", true}}}}}},
                       {"spec", {{"nodeName", node}}}});
}

}  // namespace

TEST_CASE("indexes follow puts and removes, and a copy is a fork") {
  Snapshot s;
  s.put("pods", pod("a", "p1", "n1", "rs1"));
  s.put("pods", pod("a", "p2", "", "rs1"));
  s.put("pods", pod("b", "p1", "n1", "rs2"));
  const Snapshot before = s;
  s.put("pods", pod("a", "p2", "n2", "rs1"));
  s.remove("pods", "b", "p1");
  CHECK(s.ownedBy("pods", "rs1").size() == 2);
  CHECK(s.ownedBy("pods", "rs2").empty());
  CHECK(s.podsOnNode("n2").size() == 1);
  CHECK(s.unboundPods().empty());
  CHECK(before.unboundPods().size() == 1);
  CHECK(before.list("pods").size() == 3);
  CHECK(before.list("pods", "b").size() == 1);
  CHECK(s.dependents("rs1").size() == 2);
  CHECK(s.byUid("uid-p2")->name() == "p2");
}

TEST_CASE("pods without a controller are found until one owns them") {
  Snapshot s;
  auto free = pod("a", "p1", "n1", "rs1")->json();
  free["metadata"].as_object().erase("ownerReferences");
  s.put("pods", Object::make(free));
  s.put("pods", pod("a", "p2", "n1", "rs1"));
  REQUIRE(s.withoutController("pods", "a").size() == 1);
  CHECK(s.withoutController("pods", "a").front()->name() == "p1");
  CHECK(s.withoutController("pods", "b").empty());
  s.put("pods", pod("a", "p1", "n1", "rs1"));
  CHECK(s.withoutController("pods", "a").empty());
}

TEST_CASE("what services claim is found by its value, and a copy is a fork") {
  const auto service = [](const std::string& name, const std::string& address, int port) {
    return Object::make({{"apiVersion", "v1"},
                         {"kind", "Service"},
                         {"metadata", {{"namespace", "a"}, {"name", name}}},
                         {"spec",
                          {{"clusterIP", address},
                           {"healthCheckNodePort", port + 1},
                           {"ports", json::array{json::object{{"nodePort", port}, {"protocol", "UDP"}}}}}}});
  };
  Snapshot s;
  s.put("services", service("x", "10.0.0.1", 30000));
  s.put("services", service("headless", "None", -1));
  const Snapshot before = s;
  s.put("services", service("x", "10.0.0.2", 30001));
  CHECK(s.labelled("services", ".spec.clusterIP", "10.0.0.1").empty());
  CHECK(s.labelled("services", ".spec.clusterIP", "10.0.0.2").size() == 1);
  CHECK(s.labelled("services", ".spec.clusterIP", "None").empty());
  CHECK(s.labelled("services", ".nodePort", "UDP/30000").empty());
  CHECK(s.labelled("services", ".nodePort", "UDP/30001").size() == 1);
  CHECK(s.labelled("services", ".nodePort", "TCP/30001").empty());
  CHECK(s.labelled("services", ".nodePort", "*/30002").size() == 1);
  CHECK(before.labelled("services", ".spec.clusterIP", "10.0.0.1").size() == 1);
  CHECK(before.labelled("services", ".nodePort", "*/30001").size() == 1);
  s.remove("services", "a", "x");
  CHECK(s.labelled("services", ".spec.clusterIP", "10.0.0.2").empty());
  CHECK(s.labelled("services", ".nodePort", "UDP/30001").empty());
}

TEST_CASE("a part of a snapshot tells whether its resources are still the same elsewhere") {
  Snapshot s;
  s.put("pods", pod("a", "p1", "n1", "rs1"));
  s.put("secrets", pod("a", "s1", "", ""));
  const Snapshot part = s.part({"pods", "roles"});
  CHECK(part.count("pods") == 1);
  CHECK(part.count("secrets") == 0);
  s.put("secrets", pod("a", "s2", "", ""));
  CHECK(part.sharesContent("pods", s));
  CHECK(part.sharesContent("roles", s));
  s.put("pods", pod("a", "p2", "n1", "rs1"));
  CHECK_FALSE(part.sharesContent("pods", s));
  CHECK(part.count("pods") == 1);
  s.put("roles", pod("a", "r", "", ""));
  CHECK_FALSE(part.sharesContent("roles", s));
}
