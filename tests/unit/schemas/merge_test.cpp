#include "schemas/merge.h"

#include "schema_test.h"
#include "schemas/defaults.h"

using namespace steer;
using namespace steer::test;

namespace {

std::string merged(const std::string& typeName, std::string_view live, std::string_view patch) {
  const auto result =
      applyStrategicMerge(SchemaRegistry::builtin().type(typeName), parseJson(live).value(), parseJson(patch).value());
  return result.ok() ? jsonText(result.value()) : "error: " + result.error().message;
}

}  // namespace

TEST_CASE("Strategic merge meets items of a list by their merge key") {
  CHECK(
      merged("core/v1.PodSpec", R"({"containers":[{"name":"a","image":"a:1","tty":true},{"name":"b","image":"b:1"}]})",
             R"({"containers":[{"name":"a","image":"a:2"},{"name":"c","image":"c:1"}]})") ==
      R"({"containers":[{"name":"a","image":"a:2","tty":true},{"name":"c","image":"c:1"},{"name":"b","image":"b:1"}]})");
  CHECK(merged("core/v1.PodSpec", R"({"containers":[{"name":"a"}]})", R"({"containers":[{"image":"a:2"}]})") ==
        "error: strategic merge patch: an item of containers does not contain its merge key: name");
}

TEST_CASE("Directives delete and replace items and whole lists and objects") {
  const auto* live = R"({"containers":[{"name":"a"},{"name":"b"}],"nodeSelector":{"x":"y"}})";
  CHECK(merged("core/v1.PodSpec", live, R"({"containers":[{"name":"a","$patch":"delete"}]})") ==
        R"({"containers":[{"name":"b"}],"nodeSelector":{"x":"y"}})");
  CHECK(merged("core/v1.PodSpec", live, R"({"containers":[{"$patch":"replace"},{"name":"c"}]})") ==
        R"({"containers":[{"name":"c"}],"nodeSelector":{"x":"y"}})");
  CHECK(merged("core/v1.PodSpec", live, R"({"nodeSelector":{"$patch":"replace","z":"1"},"containers":null})") ==
        R"({"nodeSelector":{"z":"1"}})");
}

TEST_CASE("Lists without a merge key are replaced, lists of values with merge are united") {
  CHECK(merged("core/v1.Container", R"({"args":["a"]})", R"({"args":["b"]})") == R"({"args":["b"]})");
  CHECK(merged("meta/v1.ObjectMeta", R"({"finalizers":["a","b"]})",
               R"({"finalizers":["c"],"$deleteFromPrimitiveList/finalizers":["a"]})") == R"({"finalizers":["c","b"]})");
  CHECK(merged("meta/v1.ObjectMeta", R"({"finalizers":["a","b"]})",
               R"({"$deleteFromPrimitiveList/finalizers":["a"]})") == R"({"finalizers":["b"]})");
}

TEST_CASE("The order directive sorts what it names and leaves the items of others where they stood") {
  CHECK(
      merged("core/v1.PodSpec", R"({"containers":[{"name":"a"},{"name":"x"},{"name":"b"}]})",
             R"({"$setElementOrder/containers":[{"name":"b"},{"name":"a"}],"containers":[{"name":"b","tty":true}]})") ==
      R"({"containers":[{"name":"x"},{"name":"b","tty":true},{"name":"a"}]})");
}

TEST_CASE("Only the retained keys of a union survive") {
  CHECK(merged("apps/v1.DeploymentSpec", R"({"strategy":{"type":"RollingUpdate","rollingUpdate":{"maxSurge":1}}})",
               R"({"strategy":{"$retainKeys":["type"],"type":"Recreate"}})") == R"({"strategy":{"type":"Recreate"}})");
}

TEST_CASE("A patch onto nothing leaves no directive behind") {
  CHECK(
      merged(
          "core/v1.Pod", R"({})",
          R"({"spec":{"$setElementOrder/containers":[{"name":"a"}],"containers":[{"name":"a"}],"volumes":[{"name":"v","$retainKeys":["name"]}]}})") ==
      R"({"spec":{"containers":[{"name":"a"}],"volumes":[{"name":"v"}]}})");
}

TEST_CASE("Without a schema the patch is a merge patch") {
  const auto result = applyStrategicMerge(nullptr, parseJson(R"({"a":{"b":1,"c":2},"l":[1]})").value(),
                                          parseJson(R"({"a":{"b":null},"l":[2]})").value());
  CHECK(jsonText(result.value()) == R"({"a":{"c":2},"l":[2]})");
}

TEST_CASE("New items of a list stand before those that the patch does not name, unless the live order says otherwise") {
  CHECK(merged("core/v1.Container", R"({"env":[{"name":"A"},{"name":"B"},{"name":"C"}]})",
               R"({"env":[{"name":"N"},{"name":"C"},{"name":"A"}]})") ==
        R"({"env":[{"name":"N"},{"name":"B"},{"name":"C"},{"name":"A"}]})");
  CHECK(merged("core/v1.Container", R"({"env":[{"name":"A"},{"name":"B"}]})",
               R"({"env":[{"name":"A","$patch":"delete"},{"name":"N"}]})") == R"({"env":[{"name":"N"},{"name":"B"}]})");
}

TEST_CASE("A selector that is replaced as a whole keeps nothing of the old one") {
  CHECK(merged("policy/v1.PodDisruptionBudgetSpec", R"({"selector":{"matchLabels":{"a":"b"}},"minAvailable":1})",
               R"({"selector":{"matchLabels":{"c":"d"}}})") ==
        R"({"selector":{"matchLabels":{"c":"d"}},"minAvailable":1})");
}

TEST_CASE("Patches of tens of thousands of entries take time in step with their length") {
  const auto entries = [](const char* list, int n, const char* rest) {
    std::string out = std::string("{\"") + list + "\":[";
    for (int i = 0; i < n; ++i) out += (i == 0 ? "" : ",") + ("{\"name\":\"E" + std::to_string(i)) + "\"" + rest + "}";
    return out + "]}";
  };
  constexpr int kMany = 40'000;
  const auto live = entries("env", kMany, "");
  // Compared pair by pair, each of these would take minutes.
  CHECK(merged("core/v1.Container", live, entries("env", kMany, R"(,"value":"x")")).size() > live.size());
  CHECK(merged("core/v1.Container", live, entries("env", kMany, R"(,"$patch":"delete")")) == R"({"env":[]})");
  CHECK(merged("core/v1.Container", live, entries("$setElementOrder/env", kMany, "")) == live);
  std::string keys = "{\"data\":{";
  std::string nulls = keys;
  for (int i = 0; i < kMany; ++i) {
    keys += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":\"v\"";
    nulls += (i == 0 ? "\"k" : ",\"k") + std::to_string(i) + "\":null";
  }
  CHECK(merged("core/v1.ConfigMap", keys + "}}", nulls + "}}") == R"({"data":{}})");
}
