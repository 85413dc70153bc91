#include <catch2/catch.hpp>

#include "reconciler/plan/application_graph.h"

using namespace steer;

TEST_CASE("An application in the system's namespace is labelled by its name, any other by namespace and name") {
  CHECK(applicationLabel("steersman-system", "root") == "root");
  CHECK(applicationLabel("shop", "web") == "shop.web");
  CHECK(applicationLabel("steersman-system", "shop.web") == "steersman-system.shop.web");
}

TEST_CASE("Dependencies stand in the application's own namespace unless they name another") {
  const auto spec = parseJson(R"({"dependsOn":[{"name":"db"},{"name":"root","namespace":"steersman-system"},{}]})");
  CHECK(dependenciesOf(spec->get_object(), "shop") == std::vector<std::string>{"shop.db", "root"});
}

TEST_CASE("A chain, a diamond and a missing dependency are no cycles") {
  CHECK(dependencyCycles({{"a", {"b", "c"}}, {"b", {"d"}}, {"c", {"d"}}, {"d", {"nowhere"}}}).empty());
}

TEST_CASE("Each cycle is told once, beginning with its smallest member") {
  const auto cycles = dependencyCycles({{"c", {"a"}}, {"a", {"b"}}, {"b", {"c"}}, {"x", {"x"}}, {"y", {"a"}}});
  REQUIRE(cycles.size() == 2);
  CHECK(cycleText(cycles[0]) == "a -> b -> c -> a");
  CHECK(cycleText(cycles[1]) == "x -> x");
}

TEST_CASE("A chain of a hundred thousand applications is walked without recursion") {
  ApplicationGraph graph;
  for (int i = 0; i < 100'000; ++i) graph["n" + std::to_string(i)] = {"n" + std::to_string(i + 1)};
  CHECK(dependencyCycles(graph).empty());
}

TEST_CASE("The label of a long name fits a label, and names no other application") {
  const auto label = applicationLabel("team", std::string(80, 'a'));
  CHECK(label.size() == 63);
  CHECK(label.starts_with("team.aaaa"));
  CHECK(label != applicationLabel("team", std::string(81, 'a')));
  CHECK(applicationLabel("team", "web") == "team.web");
  // Nor does a name that is written as such a label.
  CHECK(applicationLabel("team", label.substr(5)) != label);
  const auto system = applicationLabel(std::string(63, 'n'), "a");
  CHECK(applicationLabel("steersman-system", system) != system);
}
