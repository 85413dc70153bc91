#include <catch2/catch.hpp>

#include "reconciler/plan/fingerprint.h"
#include "reconciler/plan/plan_file.h"
#include "reconciler/plan/staleness.h"

using namespace steer;

namespace {

json::object parse(const std::string& text) { return parseJson(text)->as_object(); }

json::object deployment(int replicas, const std::string& image) {
  auto o = parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web","namespace":"shop"},"spec":
    {"replicas":2,"template":{"spec":{"containers":[{"name":"c","image":"x"}]}}}})");
  auto& spec = o["spec"].as_object();
  spec["replicas"] = replicas;
  spec["template"].at("spec").at("containers").at(0).as_object()["image"] = image;
  return o;
}

json::object secret(const std::string& password) {
  return parse(
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"key","namespace":"shop"},"data":{"password":")" +
      password + R"("}})");
}

ObjectRef refOf(const json::object& o) {
  return {o.at("kind") == "Secret" ? "secrets" : "deployments.apps", "shop",
          std::string(stringAt(o, {"metadata", "name"}))};
}

json::object owned(json::object o, const std::string& uid) {
  auto& meta = o["metadata"].as_object();
  meta["uid"] = uid;
  meta["labels"] = json::object{{kApplicationLabel, "root"}};
  meta["managedFields"] = json::array{parse(R"({"manager":"steersman","operation":"Apply",
    "fieldsV1":{"f:metadata":{"f:labels":{"f:steersman.dev/application":{}}}}})")};
  return o;
}

struct World {
  std::vector<json::object> wanted{deployment(2, "web:2"), secret("bmV3")};
  std::vector<json::object> live{owned(deployment(2, "web:1"), "u1"), owned(secret("b2xk"), "u2")};

  std::vector<WantedObject> source() const {
    std::vector<WantedObject> out;
    for (const auto& w : wanted) out.push_back({refOf(w), w, {"web.yaml", 1, 1}});
    return out;
  }
  PlanSet plan() const {
    PlanInput in;
    in.wanted = source();
    for (const auto& object : live) {
      in.live.emplace(refOf(object), Object::make(object));
      in.owned.emplace(refOf(object), Object::make(object));
    }
    for (const auto& w : wanted) {
      const auto it = in.live.find(refOf(w));
      // What the server would make of it, in this world: the wanted fields over what is there.
      in.predicted.push_back(Object::make(owned(w, it == in.live.end() ? "new" : it->second->uid())));
    }
    return {{buildPlan(std::move(in))}};
  }
  SavedPlan save() const {
    return savePlan(plan(), source(), {"steer 1", "c", "2026-01-01T00:00:00Z", {{"paths", {"/x"}}}, "salt"});
  }
};

SavedPlan throughFile(const SavedPlan& saved) {
  auto read = readPlanFile(*parseJson(planFileText(saved)));
  REQUIRE(read.ok());
  return std::move(*read);
}

}  // namespace

TEST_CASE("a saved plan is fresh while nothing it rests on has moved") {
  const World world;
  const auto saved = throughFile(world.save());
  REQUIRE(saved.changes.size() == 2);
  CHECK(sourceMoves(saved, world.source()).empty());
  CHECK(liveMoves(saved, world.plan()).empty());
  CHECK(saved.planDigest == world.plan().digest());
}

TEST_CASE("a field of a planned object that someone moved is named with both values") {
  World world;
  const auto saved = throughFile(world.save());
  world.live[0]["spec"].as_object()["replicas"] = 5;
  CHECK(liveMoves(saved, world.plan()) == std::vector<std::string>{"Deployment shop/web: spec.replicas was 2, is 5"});
}

TEST_CASE("a planned field that has another value by now is named") {
  World world;
  const auto saved = throughFile(world.save());
  world.live[0] = owned(deployment(2, "web:hotfix"), "u1");
  CHECK(liveMoves(saved, world.plan()) ==
        std::vector<std::string>{
            R"(Deployment shop/web: spec.template.spec.containers[name=c].image was "web:1", is "web:hotfix")"});
  world.live[0] = owned(deployment(2, "web:2"), "u1");
  CHECK(liveMoves(saved, world.plan()) ==
        std::vector<std::string>{
            R"(Deployment shop/web: spec.template.spec.containers[name=c].image was "web:1", is "web:2" already)"});
}

TEST_CASE("another object of the same name, and one that vanished, make a plan stale") {
  World world;
  const auto saved = throughFile(world.save());
  world.live[0]["metadata"].as_object()["uid"] = "u9";
  CHECK(liveMoves(saved, world.plan()) ==
        std::vector<std::string>{"Deployment shop/web: was deleted and made anew by someone else"});
  world.live.erase(world.live.begin());
  CHECK(liveMoves(saved, world.plan()) == std::vector<std::string>{"Deployment shop/web: existed, is gone"});
}

TEST_CASE("an object that was to be created and exists by now makes a plan stale") {
  World world;
  const auto there = world.live[0];
  world.live.erase(world.live.begin());
  const auto saved = throughFile(world.save());
  world.live.push_back(there);
  CHECK(liveMoves(saved, world.plan()) == std::vector<std::string>{"Deployment shop/web: did not exist, exists now"});
}

TEST_CASE("a deletion that is not there to be done any more makes a plan stale") {
  World world;
  world.wanted.pop_back();
  const auto saved = throughFile(world.save());
  REQUIRE(saved.changes.back().action == PlanAction::remove);
  world.live.pop_back();
  CHECK(liveMoves(saved, world.plan()).size() == 1);
}

TEST_CASE("what moves elsewhere does not make a plan stale, and is not done with it") {
  World world;
  const auto saved = throughFile(world.save());
  world.live[0]["status"] = parse(R"({"replicas":2})");
  auto other = deployment(1, "x");
  other["metadata"].as_object()["name"] = "abandoned";
  world.live.push_back(owned(other, "u7"));  // would be pruned by a plan made now
  CHECK(liveMoves(saved, world.plan()).empty());
  REQUIRE(world.plan().plans[0].changes.size() == 3);
  CHECK(asSaved(saved, world.plan()).plans[0].changes.size() == 2);
}

TEST_CASE("a secret's values are in no saved plan, and yet bind it") {
  World world;
  const auto saved = world.save();
  const auto text = planFileText(saved);
  for (const auto* value : {"b2xk", "bmV3", "password\":\""}) CHECK(text.find(value) == std::string::npos);
  CHECK(text.find(Fingerprint().add("bmV3").hex()) == std::string::npos);
  world.live[1] = owned(secret("b3RoZXI="), "u2");
  CHECK(liveMoves(saved, world.plan()) == std::vector<std::string>{"Secret shop/key: data.password has another value"});
}

TEST_CASE("a source that says something else is named object by object") {
  World world;
  const auto saved = throughFile(world.save());
  world.wanted[0] = deployment(3, "web:2");
  auto extra = deployment(1, "x");
  extra["metadata"].as_object()["name"] = "extra";
  world.wanted.push_back(extra);
  CHECK(sourceMoves(saved, world.source()) ==
        std::vector<std::string>{"Deployment shop/web was changed", "Deployment shop/extra was added"});
  World other;
  other.wanted[1] = secret("bmV4dA==");
  CHECK(sourceMoves(saved, other.source()) == std::vector<std::string>{"a Secret has other values"});
}

TEST_CASE("an edited or damaged plan is refused") {
  const auto text = planFileText(World().save());
  auto edited = text;
  edited.replace(edited.find("web:1"), 5, "web:9");
  CHECK_FALSE(readPlanFile(*parseJson(edited)).ok());
  auto newer = parseJson(text)->as_object();
  newer["version"] = 2;
  const auto refused = readPlanFile(newer);
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message.find("version 2") != std::string::npos);
}
