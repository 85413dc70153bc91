#include "cluster/controllers/garbage.h"

#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

std::optional<Collection> collectionOf(const Gvk& gvk) {
  if (gvk.kind == "ConfigMap") return Collection{"configmaps", true};
  if (gvk.kind == "Node") return Collection{"nodes", false};
  return std::nullopt;
}

struct Owner {
  std::string uid;
  bool block = true;
  std::string kind = "ConfigMap";
};

json::object map(const std::string& name, const std::vector<Owner>& owners, const std::string& finalizer = "",
                 bool deleting = false, const std::string& ns = "shop") {
  json::array refs;
  for (const auto& owner : owners)
    refs.push_back({{"apiVersion", "v1"},
                    {"kind", owner.kind},
                    {"name", owner.uid},
                    {"uid", "u-" + owner.uid},
                    {"blockOwnerDeletion", owner.block}});
  json::object metadata{{"name", name}, {"namespace", ns}, {"uid", "u-" + name}, {"ownerReferences", std::move(refs)}};
  if (!finalizer.empty()) metadata["finalizers"] = json::array{json::string(finalizer)};
  if (deleting) metadata["deletionTimestamp"] = formatTime(kNow);
  return {{"apiVersion", "v1"}, {"kind", "ConfigMap"}, {"metadata", std::move(metadata)}};
}

Decision decide(const World& world, const std::string& name) {
  return makeGarbageController({"configmaps"}, &collectionOf)->decide(world.snapshot, {"configmaps|shop", name}, kNow);
}

}  // namespace

TEST_CASE("an object whose owners are all gone is deleted, once the server confirms it") {
  World world;
  world.put("configmaps", map("child", {{"gone"}}));
  const auto decision = decide(world, "child");
  REQUIRE(decision.writes.size() == 1);
  CHECK(decision.writes.front().verb == Write::Verb::remove);
  REQUIRE(decision.provided.size() == 1);
  CHECK(decision.provided.front().absent == ObjectRef{"configmaps", "shop", "gone"});
  CHECK(decision.provided.front().uid == "u-gone");
}

TEST_CASE("one owner that stays keeps the object; references to gone ones are dropped") {
  World world;
  world.put("configmaps", map("stays", {}));
  world.put("configmaps", map("child", {{"stays"}, {"gone"}}));
  world.apply(decide(world, "child"));
  const auto child = world.snapshot.get("configmaps", "shop", "child");
  REQUIRE(child->owners().size() == 1);
  CHECK(child->owners().front().uid == "u-stays");
  CHECK(decide(world, "child").writes.empty());
}

TEST_CASE("another object under the owner's name is not the owner") {
  World world;
  auto other = map("owner", {});
  other["metadata"].as_object()["uid"] = "u-new";
  world.put("configmaps", other);
  world.put("configmaps", map("child", {{"owner"}}));
  CHECK(count(decide(world, "child"), Write::Verb::remove, "configmaps") == 1);
}

TEST_CASE("an owner of a kind that is not served is left to itself") {
  World world;
  world.put("configmaps", map("child", {{"w", true, "Widget"}}));
  CHECK(decide(world, "child").writes.empty());
}

TEST_CASE("foreground: dependents first, the owner when no blocking one is left") {
  World world;
  world.put("configmaps", map("owner", {}, "foregroundDeletion", true));
  world.put("configmaps", map("blocks", {{"owner", true}}));
  world.put("configmaps", map("lazy", {{"owner", false}}));
  CHECK(decide(world, "owner").writes.empty());
  CHECK(count(decide(world, "blocks"), Write::Verb::remove, "configmaps") == 1);
  world.apply(decide(world, "blocks"));
  world.apply(decide(world, "owner"));
  CHECK(world.snapshot.get("configmaps", "shop", "owner")->finalizers().empty());
}

TEST_CASE("orphan: dependents lose the reference, then the owner goes") {
  World world;
  world.put("configmaps", map("owner", {}, "orphan", true));
  world.put("configmaps", map("child", {{"owner"}}));
  world.apply(decide(world, "owner"));
  CHECK(world.snapshot.get("configmaps", "shop", "child")->owners().empty());
  CHECK(world.snapshot.get("configmaps", "shop", "owner")->finalizers().empty());
  CHECK(decide(world, "child").writes.empty());
}

TEST_CASE("an owner in another namespace counts as absent, and that is said") {
  World world;
  world.put("configmaps", map("owner", {}, "", false, "elsewhere"));
  world.put("configmaps", map("child", {{"owner"}}));
  const auto decision = decide(world, "child");
  CHECK(count(decision, Write::Verb::remove, "configmaps") == 1);
  REQUIRE(decision.events.size() == 1);
  CHECK(decision.events.front().reason == "OwnerRefInvalidNamespace");
}

TEST_CASE("a cycle in foreground deletion comes to its end") {
  World world;
  world.put("configmaps", map("a", {{"b"}}, "foregroundDeletion", true));
  world.put("configmaps", map("b", {{"a"}}));
  const auto decision = decide(world, "b");
  for (const auto& write : decision.writes) {
    if (write.verb == Write::Verb::remove) CHECK(write.deleteOptions.propagation == Propagation::foreground);
    else world.apply({write});
  }
  CHECK(count(decision, Write::Verb::remove, "configmaps") == 1);
  auto b = map("b", {{"a", false}}, "foregroundDeletion", true);  // as the server leaves it
  world.put("configmaps", b);
  world.apply(decide(world, "a"));
  CHECK(world.snapshot.get("configmaps", "shop", "a")->finalizers().empty());
}
