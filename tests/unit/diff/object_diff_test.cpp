#include "diff/object_diff.h"

#include <catch2/catch.hpp>

#include "diff/text.h"

using namespace steer;

namespace {

json::object parse(const std::string& text) { return parseJson(text).value().as_object(); }

std::string diff(const std::string& before, const std::string& after) {
  const auto a = parse(before), b = parse(after);
  const auto gvk = Gvk::from(stringAt(b, {"apiVersion"}), stringAt(b, {"kind"}));
  return changesText(diffObjects(SchemaRegistry::builtin().find(gvk), a, b), {.indent = ""});
}

std::string deployment(const std::string& spec) {
  return R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"},"spec":)" + spec + "}";
}

}  // namespace

TEST_CASE("a changed scalar is one line with its path") {
  CHECK(diff(deployment(R"({"replicas":2})"), deployment(R"({"replicas":3})")) == "~ spec.replicas: 2 → 3\n");
}

TEST_CASE("list items are matched by the keys of their schema, so an insertion is one addition") {
  const auto before = deployment(R"({"template":{"spec":{"containers":[{"name":"web","image":"web:1"}]}}})");
  const auto after = deployment(
      R"({"template":{"spec":{"containers":[{"name":"proxy","image":"p"},{"name":"web","image":"web:2"}]}}})");
  CHECK(diff(before, after) ==
        "+ spec.template.spec.containers[name=proxy]:\n"
        "+     name: proxy\n"
        "+     image: p\n"
        "~ spec.template.spec.containers[name=web].image: \"web:1\" → \"web:2\"\n");
}

TEST_CASE("what the server maintains is not a difference") {
  const auto before = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","uid":"1","resourceVersion":"5",
                          "managedFields":[]},"data":{"a":"b"}})";
  const auto after = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a":"b"}})";
  CHECK(diff(before, after).empty());
}

TEST_CASE("quantities that mean the same are not a difference") {
  const auto spec = [](const char* cpu) {
    return deployment(std::string(R"({"template":{"spec":{"containers":[{"name":"a","resources":{"limits":{"cpu":")") +
                      cpu + R"("}}}]}}})");
  };
  CHECK(diff(spec("0.5"), spec("500m")).empty());
  CHECK(diff(spec("0.5"), spec("501m")).find("limits.cpu") != std::string::npos);
}

TEST_CASE("a secret's change is visible and its content is not") {
  const auto secret = [](const char* value) {
    return std::string(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"password":")") + value +
           R"("}})";
  };
  const auto text = diff(secret("aHVudGVyMg=="), secret("aHVudGVyMw=="));
  CHECK(text == "~ data.password: (sensitive) → (sensitive) changed\n");
  CHECK(diff(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}})", secret("aHVudGVyMw==")) ==
        "+ data: (sensitive)\n");
}

TEST_CASE("keys that look like paths are quoted") {
  CHECK(diff(R"({"apiVersion":"v1","kind":"ConfigMap","data":{}})",
             R"({"apiVersion":"v1","kind":"ConfigMap","data":{"nginx.conf":"x"}})") == "+ data['nginx.conf']: \"x\"\n");
}
