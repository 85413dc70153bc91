#include "diff/object_diff.h"
#include "diff/line_diff.h"

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

TEST_CASE("a password in an address is shown nowhere, and neither is a copy of a secret in its annotations") {
  const auto shop = [](const std::string& url) {
    return R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"url":")" + url + R"("}})";
  };
  const auto none = R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"}})";
  const std::pair<const char*, const char*> shown[] = {
      {"https://ada:pw@example.org/x", "https://(sensitive)@example.org/x"},
      {"https://token@example.org/x", "https://(sensitive)@example.org/x"},
      {"postgres://ada:p%40w@db:5432/x", "postgres://ada:(sensitive)@db:5432/x"},
      {"ssh://git@example.org/x", "ssh://git@example.org/x"},
      {"one HTTP://a:b@c/ two redis://:d@e", "one HTTP://(sensitive)@c/ two redis://:(sensitive)@e"},
      {"https://x.org/?a=b&access_token=c&d=e#f", "https://x.org/?a=b&access_token=(sensitive)&d=e#f"},
      {"https://ada:p/w@x.org/y", "https://(sensitive)@x.org/y"},
      {"https://x.org:8443/@home", "https://x.org:8443/@home"},
      {"https://fd00.org:1/@home", "https://fd00.org:1/@home"},
      {"https://x.org/@home", "https://x.org/@home"}};
  for (const auto& [written, seen] : shown) {
    INFO(written);
    CHECK(diff(none, shop(written)) == "+ data:\n+     url: " + std::string(seen) + "\n");
  }
  CHECK(diff(none, shop("https://[fd00::1]/@home")).find("https://[fd00::1]/@home") != std::string::npos);
  CHECK(diff(shop("https://a:one@x/"), shop("https://a:two@x/")).starts_with("~ data.url: "));
  const auto secret = R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"}})";
  const auto copied = R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s","annotations":
      {"a":"b","kubectl.kubernetes.io/last-applied-configuration":"hunter2"}}})";
  CHECK(diff(secret, copied).find("hunter2") == std::string::npos);
  CHECK(diff(copied, secret).find("hunter2") == std::string::npos);
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

TEST_CASE("A text of many lines shows the lines that change, with what stands around them") {
  std::string before, after;
  for (int i = 1; i <= 40; ++i) {
    before += "line " + std::to_string(i) + "\n";
    after += i == 20 ? "another line\n" : "line " + std::to_string(i) + "\n";
  }
  FieldChange change{FieldChange::Kind::change, "data.conf", json::value(before), json::value(after)};
  CHECK(changesText({change}, {.indent = ""}) ==
        "~ data.conf:\n"
        "      … 17 lines as they are\n"
        "      line 18\n"
        "      line 19\n"
        "-     line 20\n"
        "+     another line\n"
        "      line 21\n"
        "      line 22\n"
        "      … 18 lines as they are\n");
}

TEST_CASE("Long values that differ late are cut where they differ") {
  const std::string same(300, 'x');
  FieldChange change{FieldChange::Kind::change, "data.k", json::value(same + "one"), json::value(same + "two")};
  const auto text = changesText({change}, {.indent = ""});
  CHECK(text.find("one") != std::string::npos);
  CHECK(text.find("two") != std::string::npos);
  CHECK(text.size() < 400);
}

TEST_CASE("A line diff is a shortest script, and tells a newline that goes at the end") {
  const auto script = [](std::string_view a, std::string_view b) {
    std::string out;
    for (const auto& line : lineDiff(a, b))
      out += std::string(line.kind == LineChange::Kind::removed ? "-"
                         : line.kind == LineChange::Kind::added ? "+"
                                                                : " ") +
             line.text + "|";
    return out;
  };
  CHECK(script("a\nb\nc\n", "a\nc\nd\n") == " a|-b| c|+d|");
  CHECK(script("a\n", "a") == " a|+\\ no newline at the end|");
  CHECK(script("", "a\n") == "+a|");
  CHECK(script("a\n", "a\n").find('-') == std::string::npos);
}
