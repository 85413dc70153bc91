// Server-side apply of objects that were made otherwise: by a create, or by kubectl's client-side apply.
#include "schemas/first_apply.h"
#include "schema_test.h"
#include "schemas/managed_fields.h"
#include "schemas/ownership_proof.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

json::object map(const std::string& data) {
  return parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":)" + data + "}");
}

/// As client-side apply leaves it: the annotation says what was applied.
json::object appliedByClient(const std::string& data, const std::string& since) {
  auto out = map(since);
  out["metadata"].get_object()["annotations"] =
      json::object{{kLastApplied, jsonCanonical(map(data)) + "\n"}, {"other", "x"}};
  return out;
}

Result<json::object> apply(const json::object& live, const json::object& config, const std::string& manager,
                           bool force = false) {
  return applyFirstOrAgain(kindOf(config), &live, config, {manager, "", force, "2026-01-01T00:00:00Z"});
}

/// The fields of an owner; empty when it has none.
std::string ownedBy(const json::object& object, std::string_view manager) {
  for (const auto& owner : readOwners(object))
    if (owner.manager == manager) return jsonCanonical(owner.fields.toFieldsV1());
  return "";
}

std::vector<std::string> conflicts(const Result<json::object>& answer) {
  std::vector<std::string> out;
  if (answer.ok() || answer.error().code != Errc::conflict) return out;
  for (const auto& cause : answer.error().causes) out.push_back(cause.field);
  return out;
}

std::string noteOf(const json::object& object) {
  return std::string(stringAt(object, {"metadata", "annotations", kLastApplied}));
}

}  // namespace

TEST_CASE("what stood before the first apply belongs to before-first-apply") {
  const auto live = map(R"({"a":"1","b":"2"})");
  const auto same = apply(live, map(R"({"a":"1"})"), "me");
  REQUIRE(same.ok());
  CHECK(ownedBy(*same, kBeforeFirstApply) == R"({"f:data":{".":{},"f:a":{},"f:b":{}}})");
  CHECK(ownedBy(*same, "me") == R"({"f:data":{"f:a":{}}})");
  for (const auto& owner : readOwners(*same)) CHECK(owner.operation == (owner.manager == "me" ? "Apply" : "Update"));
  // What "me" no longer says stays: somebody else said it, too.
  const auto less = apply(*same, map("{}"), "me");
  REQUIRE(less.ok());
  CHECK(stringAt(*less, {"data", "a"}) == "1");
}

TEST_CASE("the first apply conflicts with what it changes, and takes it when forced") {
  const auto live = map(R"({"a":"1","b":"2"})");
  const auto config = map(R"({"a":"9"})");
  const auto refused = apply(live, config, "me");
  CHECK(conflicts(refused) == std::vector<std::string>{".data.a"});
  CHECK(refused.error().message.find("\"before-first-apply\" using v1") != std::string::npos);
  const auto forced = apply(live, config, "me", true);
  REQUIRE(forced.ok());
  CHECK(stringAt(*forced, {"data", "a"}) == "9");
  CHECK(ownedBy(*forced, kBeforeFirstApply) == R"({"f:data":{".":{},"f:b":{}}})");
}

TEST_CASE("an object that was applied before has its owners already") {
  const auto made = applyFirstOrAgain(kindOf(map("{}")), nullptr, map(R"({"a":"1"})"), {"me", "", false, "t"});
  REQUIRE(made.ok());
  CHECK(ownedBy(*made, kBeforeFirstApply).empty());
  const auto again = apply(*made, map(R"({"b":"1"})"), "you");
  REQUIRE(again.ok());
  CHECK(ownedBy(*again, kBeforeFirstApply).empty());
}

TEST_CASE("the reconciler takes over what it finds") {
  const auto live = map(R"({"a":"1","b":"2"})");
  const auto taken = apply(live, map(R"({"a":"9"})"), kReconcilerManager);
  REQUIRE(taken.ok());
  CHECK(ownedBy(*taken, kBeforeFirstApply).empty());
  CHECK(stringAt(*taken, {"data", "a"}) == "9");
}

TEST_CASE("kubectl goes on from its own client-side apply without a conflict") {
  const auto live = appliedByClient(R"({"a":"1","b":"2"})", R"({"a":"1","b":"2"})");
  const auto config = map(R"({"a":"3"})");
  const auto changed = apply(live, config, "kubectl");
  REQUIRE(changed.ok());
  CHECK(stringAt(*changed, {"data", "a"}) == "3");
  CHECK(noteOf(*changed) == jsonCanonical(config) + "\n");
  CHECK(stringAt(*changed, {"metadata", "annotations", "other"}) == "x");
  // Another manager has no part in it, and leaves the annotation as it is.
  CHECK(conflicts(apply(live, config, "me")) == std::vector<std::string>{".data.a"});
  const auto forced = apply(live, config, "me", true);
  REQUIRE(forced.ok());
  CHECK(noteOf(*forced) == noteOf(live));
}

TEST_CASE("what was changed since kubectl applied it is a conflict, and the only one") {
  const auto live = appliedByClient(R"({"a":"1","b":"2"})", R"({"a":"changed","b":"2"})");
  CHECK(conflicts(apply(live, map(R"({"a":"3","b":"3"})"), "kubectl")) == std::vector<std::string>{".data.a"});
  auto other = appliedByClient(R"({"a":"1"})", R"({"a":"1"})");
  other["metadata"].get_object()["annotations"].get_object()[kLastApplied] = "{no JSON";
  CHECK(conflicts(apply(other, map(R"({"a":"3"})"), "kubectl")) == std::vector<std::string>{".data.a"});
}

TEST_CASE("the annotation is kept where it stands and comes to no other object") {
  const auto plain = apply(map(R"({"a":"1"})"), map(R"({"a":"1"})"), "kubectl");
  REQUIRE(plain.ok());
  CHECK(noteOf(*plain).empty());
  auto config = map(R"({"a":"1"})");
  config["metadata"].get_object()["annotations"] = json::object{{kLastApplied, "old"}};
  const auto live = appliedByClient(R"({"a":"1"})", R"({"a":"1"})");
  const auto applied = apply(live, config, "kubectl", true);
  REQUIRE(applied.ok());
  CHECK(noteOf(*applied).find("old") == std::string::npos);
}
