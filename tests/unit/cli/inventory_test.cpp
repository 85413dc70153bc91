#include "cli/inventory.h"

#include <catch2/catch.hpp>

using namespace steer;
using namespace steer::cli;

namespace {

FollowedApplication follows(const std::string& label, const std::string& path) {
  FollowedApplication out{label, "https://example.org/fleet.git", "main", path};
  out.commits = {"4f2a91c0"};
  return out;
}

GivenSource given(const std::string& url, const std::string& path) {
  GivenSource out{{{url}, ""}, path};
  out.identity.home = url;
  return out;
}

PlanSet planOf(const std::string& application, PlanAction action, const std::string& movedFrom = "") {
  PlannedChange change;
  change.action = action;
  change.ref = {"configmaps", "shop", "a"};
  change.gvk = {"", "v1", "ConfigMap"};
  change.movedFrom = movedFrom;
  PlanSet out;
  out.plans.emplace_back();
  out.plans.back().application = application;
  out.plans.back().changes = {change};
  return out;
}

ObjectPtr application(const std::string& label, json::object source, const std::string& parent = "") {
  json::object metadata{{"name", label}, {"namespace", "steersman-system"}};
  if (!parent.empty()) metadata["labels"] = json::object{{kApplicationLabel, parent}};
  return Object::make({{"apiVersion", "steersman.dev/v1"},
                       {"kind", "Application"},
                       {"metadata", std::move(metadata)},
                       {"spec", {{"source", std::move(source)}}}});
}

}  // namespace

TEST_CASE("a source that an application follows belongs to it, and so does what lies in it") {
  const std::vector<FollowedApplication> followed{follows("root", "clusters/one"), follows("web", "clusters/one/web")};
  CHECK(*inventoryFor(given("https://example.org/fleet", "clusters/one"), followed) == "root");
  CHECK(*inventoryFor(given("https://example.org/fleet", "./clusters/one/"), followed) == "root");
  CHECK(*inventoryFor(given("https://example.org/fleet", "clusters/one/a.yaml"), followed) == "root");
  CHECK(*inventoryFor(given("https://example.org/fleet", "clusters/one/web"), followed) == "web");
}

TEST_CASE("a clone of what is followed is known by its commits, whatever its remotes are called") {
  auto clone = given("/home/ada/work", "m");
  CHECK(*inventoryFor(clone, {follows("root", "m")}) != "root");
  clone.commits = {"4f2a91c0"};
  CHECK(*inventoryFor(clone, {follows("root", "m")}) == "root");
}

TEST_CASE("any other source has an inventory that no Application can be named like") {
  const std::vector<FollowedApplication> followed{follows("root", "")};
  const auto other = *inventoryFor(given("https://example.org/teams/deploy.git", ""), followed);
  CHECK(other.starts_with("cli_deploy_"));
  CHECK(other != *inventoryFor(given("https://example.net/deploy.git", ""), followed));
  CHECK(other == *inventoryFor(given("https://example.org/teams/deploy", "elsewhere"), followed));
  CHECK(*inventoryFor({}, followed) == "cli_default");
  CHECK(inventoryFor(given("https://example.org/" + std::string(200, 'x'), ""), {})->size() <= 63);
  CHECK(inventoryFor(given("/srv/a.b", ""), {})->find('.') == std::string::npos);
}

TEST_CASE("where several applications follow a source, the person says which") {
  const auto answer = inventoryFor(given("https://example.org/fleet", ""), {follows("a", ""), follows("b", "")});
  REQUIRE_FALSE(answer.ok());
  CHECK(answer.error().message.find("a, b") != std::string::npos);
}

TEST_CASE("what a followed application owns is neither deleted nor taken from a command line") {
  const std::vector<FollowedApplication> followed{follows("root", "m")};
  const auto deletes = trespasses(planOf("root", PlanAction::remove), followed);
  REQUIRE(deletes.size() == 1);
  CHECK(deletes[0].find("application root follows https://example.org/fleet.git main m") == 0);
  CHECK(deletes[0].find("ConfigMap shop/a would be deleted") != std::string::npos);
  CHECK(trespasses(planOf("root", PlanAction::update), followed).empty());
  CHECK(trespasses(planOf("cli_default", PlanAction::remove), followed).empty());
  CHECK(trespasses(planOf("cli_default", PlanAction::update, "root"), followed).size() == 1);

  auto suspended = followed;
  suspended[0].suspended = true;
  CHECK(trespasses(planOf("root", PlanAction::remove), suspended).empty());
}

TEST_CASE("what moves between applications of one plan is taken from nobody") {
  auto plans = planOf("back", PlanAction::update, "front");
  plans.plans.push_back(planOf("front", PlanAction::none).plans.front());
  CHECK(trespasses(plans, {follows("front", "m")}).empty());
}

TEST_CASE("an application without an address follows what its parent follows") {
  const auto followed = followedApplications(
      {{"root", application("root", {{"url", "https://example.org/fleet.git"}, {"branch", "main"}})},
       {"web", application("web", {{"path", "apps/web"}}, "root")}},
      {});
  REQUIRE(followed.size() == 2);
  CHECK(followed[1].label == "web");
  CHECK(followed[1].url == "https://example.org/fleet.git");
  CHECK(followed[1].path == "apps/web");
}
