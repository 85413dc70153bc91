#include <chrono>

#include "core/random.h"
#include "schema_test.h"
#include "schemas/defaults.h"
#include "schemas/managed_fields.h"
#include "schemas/merge.h"

using namespace steer;
using namespace steer::test;

namespace {

ApplyRequest by(const std::string& manager, const std::string& time = "2026-01-01T00:00:00Z") {
  return {manager, "", false, time};
}
ApplyRequest forcedBy(const std::string& manager) { return {manager, "", true, "2026-01-01T00:00:00Z"}; }

/// What the server does: apply, then default.
json::object applied(const json::object* live, const json::object& config, const ApplyRequest& request) {
  auto result = applyServerSide(kindOf(config), live, config, request);
  INFO((result.ok() ? "" : result.error().message));
  REQUIRE(result.ok());
  auto object = std::move(result).value();
  applyDefaults(kindOf(config), object);
  return object;
}

const FieldOwner* ownerNamed(const std::vector<FieldOwner>& owners, std::string_view manager) {
  for (const auto& owner : owners)
    if (owner.manager == manager) return &owner;
  return nullptr;
}

constexpr std::string_view kConfig =
    R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"1","b":"2"}})";

}  // namespace

TEST_CASE("Applying the same again answers the same object, times included") {
  const auto web = parse(kWeb);
  const auto once = applied(nullptr, web, by("steersman", "2026-01-01T00:00:00Z"));
  const auto twice = applied(&once, web, by("steersman", "2026-06-01T00:00:00Z"));
  CHECK(jsonText(twice) == jsonText(once));
}

TEST_CASE("The fields of an apply are recorded in the encoding of Kubernetes") {
  const auto once = applied(nullptr, parse(kWeb), by("steersman"));
  const auto& entry = arrayAt(once, {"metadata", "managedFields"})[0];
  CHECK(jsonCanonical(entry) == jsonCanonical(parse(R"({
    "manager": "steersman", "operation": "Apply", "apiVersion": "apps/v1", "time": "2026-01-01T00:00:00Z",
    "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {
      "f:selector": {},
      "f:template": {"f:metadata": {"f:labels": {"f:app": {}}}, "f:spec": {"f:containers": {
        "k:{\"name\":\"web\"}": {".": {}, "f:image": {}, "f:name": {}, "f:ports": {
          "k:{\"containerPort\":80,\"protocol\":\"TCP\"}": {".": {}, "f:containerPort": {}}}}}}}}}})")));
  CHECK(jsonCanonical(FieldSet::fromFieldsV1(objectAt(entry, {"fieldsV1"})).toFieldsV1()) ==
        jsonCanonical(*find(entry, {"fieldsV1"})));
}

TEST_CASE("What a manager no longer says is removed unless another says it too") {
  const auto live = applied(nullptr, parse(kConfig), by("one"));
  const auto shared = applied(
      &live, parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"b":"2","d":"4"}})"),
      by("two"));
  CHECK(jsonText(*find(shared, {"data"})) == R"({"a":"1","b":"2","d":"4"})");
  const auto dropped =
      applied(&shared, parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{}})"), by("one"));
  CHECK(jsonText(*find(dropped, {"data"})) == R"({"b":"2","d":"4"})");
}

TEST_CASE("A dropped container goes whole, with what defaulting added to it") {
  auto two = parse(kWeb);
  auto& containers = two["spec"].as_object()["template"].as_object()["spec"].as_object()["containers"].as_array();
  containers.push_back(json::object{{"name", "side"}, {"image", "side:1"}});
  const auto live = applied(nullptr, two, by("steersman"));
  const auto fewer = applied(&live, parse(kWeb), by("steersman"));
  CHECK(arrayAt(fewer, {"spec", "template", "spec", "containers"}).size() == 1);
  const auto fresh = applied(nullptr, parse(kWeb), by("steersman"));
  CHECK(jsonCanonical(*find(fewer, {"spec"})) == jsonCanonical(*find(fresh, {"spec"})));
}

TEST_CASE("A dropped probe goes whole, with what defaulting added to it") {
  const auto config = [](const char* probe) {
    return parse(std::string(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[
      {"name":"c","image":"i:1")") +
                 probe + "}]}}}}");
  };
  const auto with = applied(nullptr, config(R"(,"readinessProbe":{"httpGet":{"port":80}})"), by("steersman"));
  const auto& before = arrayAt(with, {"spec", "template", "spec", "containers"})[0];
  REQUIRE(intAt(before, {"readinessProbe", "periodSeconds"}) == 10);
  const auto without = applied(&with, config(""), by("steersman"));
  CHECK(find(arrayAt(without, {"spec", "template", "spec", "containers"})[0], {"readinessProbe"}) == nullptr);

  // Somebody else's field inside keeps the probe.
  auto shared = applied(&with, config(R"(,"readinessProbe":{"timeoutSeconds":7})"), forcedBy("other"));
  shared = applied(&shared, config(""), by("steersman"));
  const auto& after = arrayAt(shared, {"spec", "template", "spec", "containers"})[0];
  CHECK(intAt(after, {"readinessProbe", "timeoutSeconds"}) == 7);
  CHECK(find(after, {"readinessProbe", "httpGet"}) == nullptr);
}

TEST_CASE("A volume that changes its source leaves nothing of the old one") {
  const auto config = [](const char* source) {
    return parse(std::string(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[
      {"name":"c","image":"i:1"}],"volumes":[{"name":"v",)") +
                 source + "}]}}");
  };
  const auto first = applied(nullptr, config(R"("configMap":{"name":"m"})"), by("steersman"));
  const auto second = applied(&first, config(R"("emptyDir":{"medium":"Memory"})"), by("steersman"));
  const auto& volume = arrayAt(second, {"spec", "volumes"})[0];
  CHECK(find(volume, {"configMap"}) == nullptr);
  CHECK(stringAt(volume, {"emptyDir", "medium"}) == "Memory");
}

TEST_CASE("Changing another manager's field is a conflict that names both, and force settles it") {
  const auto live = applied(nullptr, parse(kConfig), by("one"));
  const auto other = parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"9"}})");
  const auto refused = applyServerSide(kindOf(other), &live, other, by("two"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().code == Errc::conflict);
  CHECK(refused.error().message == "Apply failed with 1 conflict: conflict with \"one\": .data.a");
  REQUIRE(refused.error().causes.size() == 1);
  CHECK(refused.error().causes[0].reason == "FieldManagerConflict");
  CHECK(refused.error().causes[0].field == ".data.a");
  const auto forced = applied(&live, other, forcedBy("two"));
  CHECK(stringAt(forced, {"data", "a"}) == "9");
  const auto owners = readOwners(forced);
  CHECK(ownerNamed(owners, "one")->fields.paths() == std::vector<std::string>{".data.b"});
  CHECK(ownerNamed(owners, "two")->fields.paths() == std::vector<std::string>{".data.a"});
}

TEST_CASE("Saying the same value as another manager shares the field without conflict") {
  const auto live = applied(nullptr, parse(kConfig), by("one"));
  const auto both = applied(&live, parse(kConfig), by("two"));
  const auto owners = readOwners(both);
  CHECK(ownerNamed(owners, "one")->fields == ownerNamed(owners, "two")->fields);
}

TEST_CASE("An edit by hand takes the field; applying again conflicts with the editor and force heals it") {
  const auto live = applied(nullptr, parse(kWeb), by("steersman"));
  auto edited = live;
  edited["spec"]
      .as_object()["template"]
      .as_object()["spec"]
      .as_object()["containers"]
      .as_array()[0]
      .as_object()["image"] = "nginx:evil";
  trackUpdate(kindOf(live), &live, edited, by("kubectl-edit", "2026-02-02T00:00:00Z"));
  const auto owners = readOwners(edited);
  CHECK(ownerNamed(owners, "kubectl-edit")->fields.paths() ==
        std::vector<std::string>{".spec.template.spec.containers[name=\"web\"].image"});
  const auto refused = applyServerSide(kindOf(live), &edited, parse(kWeb), by("steersman"));
  REQUIRE_FALSE(refused.ok());
  CHECK(refused.error().message ==
        "Apply failed with 1 conflict: conflict with \"kubectl-edit\" using apps/v1 at 2026-02-02T00:00:00Z: "
        ".spec.template.spec.containers[name=\"web\"].image");
  const auto healed = applied(&edited, parse(kWeb), forcedBy("steersman"));
  CHECK(jsonCanonical(healed) == jsonCanonical(live));
}

TEST_CASE("A write that changes nothing keeps the owners and their times") {
  const auto live = applied(nullptr, parse(kWeb), by("steersman"));
  auto same = live;
  trackUpdate(kindOf(live), &live, same, by("kubectl-edit"));
  CHECK(jsonText(same) == jsonText(live));
}

TEST_CASE("A created object belongs to who created it") {
  auto created = parse(kConfig);
  trackUpdate(kindOf(created), nullptr, created, by("kubectl-create"));
  const auto owners = readOwners(created);
  REQUIRE(owners.size() == 1);
  CHECK(owners[0].operation == "Update");
  CHECK(owners[0].fields.paths() == std::vector<std::string>{".data", ".data.a", ".data.b"});
}

TEST_CASE("Text of a secret is stored as bytes and applying it again changes nothing") {
  const auto secret = parse(
      R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"stringData":{"user":"tester","a":"a","ab":"ab"}})");
  const auto once = applied(nullptr, secret, by("steersman"));
  CHECK(jsonText(*find(once, {"data"})) == R"({"user":"dGVzdGVy","a":"YQ==","ab":"YWI="})");
  CHECK(find(once, {"stringData"}) == nullptr);
  CHECK(jsonText(applied(&once, secret, by("steersman", "2027-01-01T00:00:00Z"))) == jsonText(once));
}

TEST_CASE("Any sequence of applies by several managers is idempotent and forgets no one's fields") {
  Random random(42);
  const auto config = [&] {
    json::object data;
    for (const auto* key : {"a", "b", "c", "d", "e"})
      if (random.below(2) == 0) data[key] = std::to_string(random.below(3));
    json::array finalizers;
    for (const auto* name : {"x/a", "x/b", "x/c"})
      if (random.below(2) == 0) finalizers.emplace_back(name);
    auto object = parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","labels":{}}})");
    object["data"] = data;
    if (!finalizers.empty()) object["metadata"].as_object()["finalizers"] = finalizers;
    return object;
  };
  for (int round = 0; round < 200; ++round) {
    std::optional<json::object> live;
    std::map<std::string, json::object> last;
    for (int step = 0; step < 6; ++step) {
      const auto manager = std::string(1, static_cast<char>('p' + random.below(3)));
      const auto said = config();
      live = applied(live ? &*live : nullptr, said, forcedBy(manager));
      last[manager] = said;
      // All that was just said is there, and saying it again changes nothing.
      for (const auto& [key, value] : objectAt(said, {"data"}))
        CHECK(*find(*live, {"data", {key.data(), key.size()}}) == value);
      const auto again = applied(&*live, said, by(manager, "2030-01-01T00:00:00Z"));
      REQUIRE(jsonText(again) == jsonText(*live));
      // Every field there has an owner, and every owner's last word names it.
      for (const auto& [key, value] : objectAt(*live, {"data"})) {
        const auto step_ = "f:" + std::string(key.data(), key.size());
        bool owned = false;
        for (const auto& owner : readOwners(*live)) {
          const auto* data = owner.fields.find("f:data");
          const bool has = data != nullptr && data->find(step_) != nullptr;
          owned = owned || has;
          if (has) CHECK(objectAt(last.at(owner.manager), {"data"}).contains(key));
        }
        CHECK(owned);
      }
    }
  }
}

TEST_CASE("A field that is said to be empty belongs to who said so, though the server does not keep it") {
  const auto config = [](const std::string& spec) {
    return parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{)" + spec + R"(
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{"containers":[
        {"name":"a","image":"a:1"}]}}}})");
  };
  const auto first = applied(nullptr, config(R"("paused":false,)"), by("git"));
  CHECK(applied(&first, config(R"("paused":false,)"), by("git", "2030-01-01T00:00:00Z")) == first);
  // For another manager it is a change each time, as on a Kubernetes server: it is not there, and is said.
  CHECK_FALSE(applyServerSide(kindOf(first), &first, config(R"("paused":false,)"), by("other")).ok());
  CHECK_FALSE(applyServerSide(kindOf(first), &first, config(R"("paused":true,)"), by("third")).ok());
  const auto paused = applied(&first, config(R"("paused":true,)"), forcedBy("third"));
  CHECK(find(paused, {"spec", "paused"}) != nullptr);
  CHECK_FALSE(applyServerSide(kindOf(paused), &paused, config(R"("paused":false,)"), by("git")).ok());
  const auto back = applied(&paused, config(R"("paused":false,)"), forcedBy("git"));
  CHECK(find(back, {"spec", "paused"}) == nullptr);
}

TEST_CASE("A thousand objects are applied again in a moment") {
  const auto web = parse(kWeb);
  const auto live = applied(nullptr, web, by("steersman"));
  const auto start = std::chrono::steady_clock::now();
  for (int i = 0; i < 1002; ++i) REQUIRE(applyServerSide(kindOf(web), &live, web, by("steersman")).ok());
  const auto took = std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - start).count();
  WARN("1,002 applies in " << took << " ms");
  CHECK(took < 5000);  // generous: debug builds with sanitizers on busy machines
}

TEST_CASE("Another spelling of the same quantity is no change") {
  const auto pod = [](const std::string& cpu) {
    return parse(
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":"a:1","resources":{"limits":{"cpu":)" +
        cpu + "}}}]}}");
  };
  const auto once = applied(nullptr, pod(R"("0.5")"), by("steersman"));
  CHECK(stringAt(arrayAt(once, {"spec", "containers"})[0], {"resources", "limits", "cpu"}) == "500m");
  for (const auto* spelling : {R"("0.5")", R"("500m")", "0.5"})
    CHECK(jsonText(applied(&once, pod(spelling), by("steersman", "2027-01-01T00:00:00Z"))) == jsonText(once));
}

TEST_CASE("A deprecated copy goes with its original") {
  const auto config = [](const char* account) {
    return parse(std::string(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{
      "selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{)") +
                 account + R"("containers":[{"name":"c","image":"i:1"}]}}}})");
  };
  const auto with = applied(nullptr, config(R"("serviceAccountName":"foo",)"), by("git"));
  REQUIRE(stringAt(with, {"spec", "template", "spec", "serviceAccount"}) == "foo");
  const auto without = applied(&with, config(""), by("git"));
  CHECK(find(without, {"spec", "template", "spec", "serviceAccountName"}) == nullptr);
  CHECK(find(without, {"spec", "template", "spec", "serviceAccount"}) == nullptr);
  // Another manager that says the account, or the copy, keeps both.
  const auto shared = applied(&with, config(R"("serviceAccountName":"foo",)"), by("other"));
  CHECK(stringAt(applied(&shared, config(""), by("git")), {"spec", "template", "spec", "serviceAccount"}) == "foo");
}

TEST_CASE("A status in an apply is nobody's where the status has a door of its own") {
  auto config = parse(kWeb);
  const auto plain = applied(nullptr, config, by("git"));
  config["status"] = json::object();
  const auto with = applied(nullptr, config, by("git"));
  CHECK(arrayAt(with, {"metadata", "managedFields"}) == arrayAt(plain, {"metadata", "managedFields"}));
  CHECK(jsonText(applied(&plain, config, by("git", "2030-01-01T00:00:00Z"))) == jsonText(plain));
  config["status"] = json::object{{"replicas", 7}};
  CHECK(jsonText(applied(&plain, config, by("git", "2030-01-01T00:00:00Z"))) == jsonText(plain));
}

TEST_CASE("Of many who change an object, the oldest are kept together") {
  auto live = applied(nullptr, parse(kConfig), by("git"));
  for (int i = 0; i < 14; ++i) {
    auto after = live;
    after["data"].as_object()["k" + std::to_string(i)] = "v";
    trackUpdate(kindOf(live), &live, after,
                by("u" + std::to_string(i), "2026-01-01T00:00:" + std::to_string(10 + i) + "Z"));
    live = after;
  }
  const auto owners = readOwners(live);
  REQUIRE(owners.size() == 11);
  REQUIRE(ownerNamed(owners, "git") != nullptr);
  REQUIRE(ownerNamed(owners, "ancient-changes") != nullptr);
  CHECK(ownerNamed(owners, "ancient-changes")->fields.paths().size() == 5);
  CHECK(ownerNamed(owners, "u13") != nullptr);
  CHECK(ownerNamed(owners, "u4") == nullptr);
}

TEST_CASE("A struct that is said to be null goes, though nobody owns it") {
  const auto config = [](const char* strategy) {
    return parse(std::string(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{)") +
                 strategy + R"("selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},
      "spec":{"containers":[{"name":"c","image":"i:1"}]}}}})");
  };
  const auto rolling = applied(nullptr, config(""), by("git"));
  REQUIRE(find(rolling, {"spec", "strategy", "rollingUpdate"}) != nullptr);
  const auto other = config(R"("strategy":{"type":"Recreate","rollingUpdate":null},)");
  const auto recreated = applied(&rolling, other, by("git"));
  CHECK(jsonText(*find(recreated, {"spec", "strategy"})) == R"({"type":"Recreate"})");
  CHECK(applied(&recreated, other, by("git", "2030-01-01T00:00:00Z")) == recreated);
}
