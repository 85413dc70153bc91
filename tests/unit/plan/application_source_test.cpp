#include <catch2/catch.hpp>

#include "reconciler/plan/application_source.h"

using namespace steer;

namespace {

DeclaredApplication application(const std::string& label, const std::vector<std::string>& waitsFor = {},
                                const std::vector<std::string>& objects = {}) {
  json::array depends;
  for (const auto& name : waitsFor) depends.push_back(json::object{{"name", name}});
  DeclaredApplication out{label, "steersman-system", {label + ".yaml", 1, 1}, json::object{{"dependsOn", depends}}};
  for (const auto& name : objects)
    out.wanted.push_back({{"configmaps", "shop", name}, json::object{{"kind", "ConfigMap"}}, {name + ".yaml", 2, 1}});
  return out;
}

std::string labels(const std::vector<DeclaredApplication>& all) {
  std::string out;
  for (const auto& a : all) out += (out.empty() ? "" : " ") + a.label;
  return out;
}

const SourceIdentity kFleet{{"https://example.org/fleet.git"}, "main"};

}  // namespace

TEST_CASE("an application of the same repository is found, however its address is written") {
  for (const AskedSource& asked : std::vector<AskedSource>{{.url = "", .path = "apps/shop"},
                                                           {.url = "https://example.org/fleet", .path = "./apps/shop/"},
                                                           {"https://example.org/fleet.git/", "main", "", "apps/shop"},
                                                           {"https://example.org/fleet.git", "", "", "apps/shop"}}) {
    INFO(asked.url);
    const auto nested = nestedSource(asked, kFleet);
    REQUIRE(nested.path.has_value());
    CHECK(*nested.path == "apps/shop");
  }
}

TEST_CASE("an application that is pinned to the tag or commit that is read follows it") {
  const std::string url = "https://example.org/fleet.git", id(40, 'a');
  CHECK(nestedSource({url, "refs/tags/v1", "", "a"}, {{url}, "v1", id}).path == "a");
  CHECK(nestedSource({url, id, "", "a"}, {{url}, "main", id}).path == "a");
  CHECK(nestedSource({url, id, "", "a"}, {{url}, "main", std::string(40, 'b')}).reason == "is pinned to commit " + id);
}

TEST_CASE("an application of anything else is left out, with the reason") {
  const std::vector<std::pair<AskedSource, std::string>> cases{
      {{.url = "https://example.org/other"}, "reads another repository"},
      {{.revision = "refs/tags/v1", .path = "a"}, "is pinned to tag v1"},
      {{.semver = "1.x", .path = "a"}, "is pinned to semver 1.x"},
      {{.revision = "staging", .path = "a"}, "follows branch staging"},
      {{.path = "../../etc"}, "reads ../../etc, which leaves the repository"},
      {{.path = "/etc"}, "reads /etc, which leaves the repository"}};
  for (const auto& [asked, reason] : cases) {
    const auto nested = nestedSource(asked, kFleet);
    CHECK_FALSE(nested.path.has_value());
    CHECK(nested.reason == reason);
  }
}

TEST_CASE("applications that wait for each other are a finding at their place") {
  const auto findings =
      applicationFindings({application("root"), application("a", {"b"}), application("b", {"a"})}, {});
  REQUIRE(findings.items().size() == 1);
  CHECK(findings.hasErrors());
  CHECK(findings.items()[0].message == "applications wait for each other: a -> b -> a");
  CHECK(findings.items()[0].pos.file == "a.yaml");
}

TEST_CASE("waiting for an application that nobody has is a warning") {
  CHECK(applicationFindings({application("a", {"known"})}, {"known"}).empty());
  const auto findings = applicationFindings({application("a", {"typo"})}, {"known"});
  REQUIRE(findings.items().size() == 1);
  CHECK_FALSE(findings.hasErrors());
}

TEST_CASE("what two applications declare both is one finding for the pair of them") {
  const auto findings =
      applicationFindings({application("root", {}, {"x", "y", "z"}), application("a", {}, {"x", "y"})}, {});
  REQUIRE(findings.items().size() == 1);
  CHECK(findings.items()[0].message == "is declared by application root and by application a, as are 1 more objects");
}

TEST_CASE("applications come after those they depend on, and otherwise as they stand") {
  CHECK(labels(inOrder({application("root"), application("a", {"c"}), application("b"), application("c", {"b"})})) ==
        "root b c a");
  CHECK(labels(inOrder({application("a", {"b"}), application("b", {"a"}), application("c", {"elsewhere"})})) ==
        "c a b");
}

TEST_CASE("an application comes after the one that declares it, and waiting for what one declares is a circle") {
  auto child = application("child");
  child.parent = "parent";
  CHECK(labels(inOrder({application("root"), application("parent", {"late"}), child, application("late")})) ==
        "root late parent child");
  const auto findings = applicationFindings({application("parent", {"child"}), child}, {});
  REQUIRE(findings.items().size() == 1);
  CHECK(findings.items()[0].message == "applications wait for each other: child -> parent -> child");
}
