#include "core/yaml.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

json::value read(const std::string& text) {
  Diagnostics d;
  auto documents = parseYaml(text, "a.yaml", d);
  INFO(d.text());
  REQUIRE(d.empty());
  REQUIRE(documents.size() == 1);
  return documents[0].value;
}

std::string findings(const std::string& text, const YamlLimits& limits = {}) {
  Diagnostics d;
  parseYaml(text, "a.yaml", d, limits);
  return d.text();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Plain scalars read as Kubernetes reads them") {
  CHECK(jsonText(read("[true, True, TRUE, yes, Yes, on, ON, y]")) == "[true,true,true,true,true,true,true,true]");
  CHECK(jsonText(read("[false, no, off, Off, n]")) == "[false,false,false,false,false]");
  CHECK(jsonText(read("[~, null, Null, NULL]")) == "[null,null,null,null]");
  CHECK(jsonText(read("a:")) == R"({"a":null})");
  CHECK(jsonText(read("[12, -7, +5, 0x1F, 0o17, 017, 0b101, 1_000, 08]")) == "[12,-7,5,31,15,15,5,1000,8]");
  CHECK(read("[18446744073709551615]").at(0).as_uint64() == 18446744073709551615ULL);
  CHECK(jsonText(read("[3.0, 1e3]")) == "[3,1000]");
  CHECK(read("[1.5, .5]").at(0).as_double() == 1.5);
  CHECK(jsonText(read("['true', \"12\", !!str 12, 1.2.3, 2026-01-01, 12:30, 0x, 1e, truth]")) ==
        R"(["true","12","12","1.2.3","2026-01-01","12:30","0x","1e","truth"])");
  CHECK(jsonText(read("{1: a, 1.5: c}")) == R"({"1":"a","1.5E0":"c"})");
}

TEST_CASE("Tags of YAML itself are understood, others are findings") {
  CHECK(jsonText(read("a: !!binary aGVsbG8=")) == R"({"a":"hello"})");
  CHECK(jsonText(read("a: !!int \"7\"")) == R"({"a":7})");
  CHECK(has(findings("a: !Ref b"), "a.yaml:1:4: error: unknown tag !Ref"));
  CHECK(has(findings("a: !!binary gA=="), "not text"));
  CHECK(has(findings("a: !!int web"), "does not read as !!int"));
  CHECK(has(findings("a: .inf"), "no form in JSON"));
}

TEST_CASE("Aliases repeat their anchor and merge keys fill what is not written") {
  CHECK(jsonText(read("a: &x {k: 1}\nb: *x")) == R"({"a":{"k":1},"b":{"k":1}})");
  CHECK(read("d: &d {a: 1, b: 2}\ne:\n  <<: *d\n  b: 3").at("e") == json::parse(R"({"a":1,"b":3})"));
  CHECK(read("d: &d {a: 1}\nf: &f {a: 2, c: 4}\ne:\n  b: 3\n  <<: [*d, *f]").at("e") ==
        json::parse(R"({"a":1,"b":3,"c":4})"));
  CHECK(has(findings("a: *x"), "a.yaml:1:4: error: alias *x has no anchor &x before it"));
  CHECK(has(findings("a: &x [*x]"), "stands inside the value it names"));
}

TEST_CASE("A key that reads as a boolean is a warning") {
  CHECK(has(findings("y: 1"), "a.yaml:1:1: warning: the key y reads as \"true\"; quote it if the text is meant"));
  CHECK(findings("'y': 1").empty());
}

TEST_CASE("A duplicate key names both places") {
  const auto text = findings("spec:\n  replicas: 1\n  paused: true\n  replicas: 2\n");
  CHECK(has(text, "a.yaml:4:3: error: duplicate key \"replicas\", first written at line 2, column 3"));
}

TEST_CASE("Every value knows its line and column") {
  Diagnostics d;
  auto documents = parseYaml("a: 1\n---\nspec:\n  containers:\n    - name: web\n      image: x\n", "a.yaml", d);
  REQUIRE(documents.size() == 2);
  const auto& places = documents[1].places;
  CHECK(documents[1].line == 3);
  CHECK(places.at("/spec/containers/0") == std::pair<std::size_t, std::size_t>(5, 7));
  CHECK(places.at("/spec/containers/0/image") == std::pair<std::size_t, std::size_t>(6, 7));
  CHECK(places.at("/spec/containers/0/command/3") == std::pair<std::size_t, std::size_t>(5, 7));
  CHECK(places.at("/a") == std::pair<std::size_t, std::size_t>(3, 1));
}

TEST_CASE("A place that is set is found, and its descendants fall back to it") {
  SourceMap places;
  places.set("/a~1b", 7, 3);
  places.set("/a~1b", 8, 4);
  CHECK(places.at("/a~1b/c") == std::pair<std::size_t, std::size_t>(8, 4));
  CHECK(places.at("/x") == std::pair<std::size_t, std::size_t>(0, 0));
}

TEST_CASE("Syntax errors say what to write instead") {
  CHECK(has(findings("a:\n\tb: 1\n"), "a.yaml:2:1: error: a tab where spaces belong"));
  CHECK(has(findings("a:\n\tb: 1\n"), "indent with spaces"));
  CHECK(has(findings("name:web\nkind: Pod\n"), "write \"name: …\" on the line before, with a space after the colon"));
  CHECK(has(findings("a: b: c\n"), "a.yaml:1:5"));
  CHECK(has(findings("a: @b\n"), "quote a value that begins with '@'"));
  CHECK(has(findings("a: \"b\nc: d\n"), "close the quotes"));
  CHECK(has(findings("a: [1, 2\nb: 3\n"), "a.yaml:2"));
  CHECK(has(findings("a: {{ name }}\n"), "template"));
  CHECK(has(findings("a: 1\nb: \x01\n"), "a.yaml:2:4: error: control characters are not allowed"));
  CHECK(has(findings("a: \xff\n"), "save the file as UTF-8"));
}

TEST_CASE("Documents before a syntax error are returned") {
  Diagnostics d;
  const auto documents = parseYaml("a: 1\n---\nb: [\n", "a.yaml", d);
  CHECK(d.errorCount() == 1);
  REQUIRE(documents.size() == 1);
  CHECK(jsonText(documents[0].value) == R"({"a":1})");
}

TEST_CASE("An alias bomb is one finding") {
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 12; ++i) {
    const auto before = "*a" + std::to_string(i - 1);
    bomb += "a" + std::to_string(i) + ": &a" + std::to_string(i) + " [" + before;
    for (int k = 0; k < 9; ++k) bomb += ", " + before;
    bomb += "]\n";
  }
  Diagnostics d;
  parseYaml(bomb, "bomb.yaml", d, YamlLimits{1 << 20, 200, 100'000});
  REQUIRE(d.errorCount() == 1);
  CHECK(has(d.text(), "values once its aliases are expanded"));
}

TEST_CASE("A long text repeated by aliases counts by its length") {
  std::string text = "a: &a \"" + std::string(1'000'000, 'x') + "\"\nb: [";
  for (int i = 0; i < 1000; ++i) text += "*a,";
  CHECK(has(findings(text + "1]"), "values once its aliases are expanded"));
}

TEST_CASE("Nesting of 100,000 levels is one finding in every notation") {
  const std::size_t n = 100'000;
  CHECK(has(findings(std::string(n, '[')), "nested deeper than 200 levels"));
  CHECK(has(findings("{\"a\":" + std::string(n, '{')), "error"));
  std::string maps;
  for (std::size_t i = 0; i < n; ++i) maps += "{a: ";
  CHECK(has(findings(maps), "nested deeper than 200 levels"));
  std::string dashes;
  for (std::size_t i = 0; i < n; ++i) dashes += "- ";
  CHECK(has(findings(dashes + "x"), "nested deeper than 200 levels"));
}

TEST_CASE("A file over the limit is refused before it is read") {
  CHECK(has(findings(std::string(100, ' '), YamlLimits{99, 200, 100}), "100 bytes; at most 99"));
}

TEST_CASE("JSON is read with its escapes and its places") {
  Diagnostics d;
  const auto documents = parseYaml("{\n\t\"a\":\"\\u00e9\\ud83d\\ude00\\/\\\\ud83d\",\"b\" : [1,2]}", "a.json", d);
  INFO(d.text());
  REQUIRE(documents.size() == 1);
  CHECK(documents[0].value.at("a").as_string() == "\xc3\xa9\xf0\x9f\x98\x80/\\ud83d");
  CHECK(documents[0].places.at("/a") == std::pair<std::size_t, std::size_t>(2, 2));
}

TEST_CASE("YAML out is block style with texts quoted only where they would read otherwise") {
  const auto v = json::parse(
      R"({"a":"web","b":"true","c":"12","d":[{"x":1,"z":[]},"- z"],"e":"one\ntwo\n","f":{},"g":null,"h":"2026-01-01"})");
  CHECK(yamlText(v) ==
        "a: web\nb: \"true\"\nc: \"12\"\nd:\n  - x: 1\n    z: []\n  - \"- z\"\ne: |\n  one\n  two\nf: {}\ng: null\n"
        "h: \"2026-01-01\"\n");
}

TEST_CASE("Nothing of a file that may hold secrets stands in what is found in it") {
  const std::vector<std::string> mistakes{"p: *CANARY",        "p: !CANARY",         "p: !CANARY x",
                                          "p: !!CANARY x",     "p: &CANARY",         "%CANARY",
                                          "p: @CANARY",        "p: `CANARY",         "p: a: CANARY",
                                          "p: {CANARY",        "p: [CANARY, b",      "p: \"\\qCANARY\"",
                                          "p: |CANARY",        "p: >CANARY",         "CANARY",
                                          "p: - CANARY",       "<<: CANARY",         "<<: *CANARY",
                                          "p: {{ CANARY }}",   "p: 'a'CANARY",       "p:\tCANARY\n\tq: CANARY",
                                          "p: \"CANARY\x01\"", "? CANARY\n: CANARY", "CANARY: 1\nCANARY: 2",
                                          "CANARY:1\nb: 2",    "p: !CANARY [x]",     "p: !CANARY {a: x}",
                                          "*CANARY : x",       "&CANARY a: x",       "p: x\n--- CANARY",
                                          "p: ?CANARY",        "p: \\CANARY",        "CANARY:x: y: z",
                                          "!CANARY : 1",       "- CANARY\np: 1"};
  for (const auto& mistake : mistakes)
    for (const std::string kind : {"kind: Secret\n", "data: {password: x}\n", "# the API-KEY of\n"}) {
      Diagnostics found;
      (void)parseYaml(kind + mistake + "\n", "f.yaml", found);
      (void)parseYaml(mistake + "\n" + kind, "f.yaml", found);
      Diagnostics never;
      (void)parseYaml(mistake + "\n", "f.yaml", never, {.quotes = YamlLimits::Quotes::never});
      INFO(mistake);
      CHECK(found.text().find("CANARY") == std::string::npos);
      CHECK(never.text().find("CANARY") == std::string::npos);
    }
  Diagnostics harmless;
  (void)parseYaml("p: *nowhere\n", "f.yaml", harmless);
  CHECK(harmless.text().find("*nowhere") != std::string::npos);
}
