// Which expressions compile; the recorded facts are what a kube-apiserver 1.35 said to definitions that hold them.
#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "schemas/cel/checker.h"
#include "schemas/cel/syntax.h"
#include "tests/source_path.h"

using namespace steer;

namespace {

bool compiles(const std::string& expression, const CelVariables& variables = {}) {
  return !checkCel(expression, variables).problem.has_value();
}

std::string typeOf(const std::string& expression, const CelVariables& variables = {}) {
  const auto judged = checkCel(expression, variables);
  return judged.problem ? "refused: " + *judged.problem : judged.type.text();
}

}  // namespace

TEST_CASE("expressions compile where Kubernetes compiles them and are refused where it refuses them") {
  std::ifstream in(sourcePath("tests/answers/expressions.json"));
  const std::string text{std::istreambuf_iterator<char>(in), {}};
  const auto facts = parseJson(text).value();
  const auto self = celTypeOf(facts.at("schema").get_object(), CelScope::value);
  const CelVariables seen{{"self", self}, {"oldSelf", self}};
  REQUIRE(arrayAt(facts, {"answers"}).size() > 100);
  for (const auto& row : arrayAt(facts, {"answers"})) {
    const std::string rule(stringAt(row, {"rule"}));
    const auto problem = celProblem(rule, seen, {CelType::Kind::boolean});
    INFO(rule << (problem ? ": " + *problem : ""));
    CHECK(problem.has_value() == (stringAt(row, {"answer"}) == "compile"));
  }
}

TEST_CASE("expressions have the types of what they call") {
  const CelVariables seen{{"object", {}}, {"names", CelType::named("list(string)")}};
  CHECK(typeOf("1 + 2") == "int");
  CHECK(typeOf("object.a + object.b", seen) == "dyn");
  CHECK(typeOf("object.a + 1", seen) == "int");
  CHECK(typeOf("object.a.startsWith('x')", seen) == "bool");
  CHECK(typeOf("names.map(n, size(n))", seen) == "list(int)");
  CHECK(typeOf("names.filter(n, n != '')[0]", seen) == "string");
  CHECK(typeOf("{'a': 1}.transformMap(k, v, k)") == "map(string, string)");
  CHECK(typeOf("object.?a.orValue('x')", seen) == "dyn");
  CHECK(typeOf("true ? 'a' : 'b'") == "string");
  CHECK(typeOf("has(object.a) && names.all(n, n in object.b)", seen) == "bool");
}

TEST_CASE("what is no expression is refused") {
  for (const auto* text : {"",
                           "1 +",
                           "a b",
                           "(1",
                           "[1, 2",
                           "{1: 2",
                           "'open",
                           "1 ? 2",
                           "!-1",
                           "for",
                           "a.in",
                           "\"\\q\"",
                           "Foo{a: 1}",
                           "x",
                           "f(1)",
                           "size()",
                           "size(1)",
                           "has(1)",
                           "'a' && true",
                           "-'a'",
                           "[1].all(1, true)",
                           "'a'.all(x, true)",
                           "9223372036854775808",
                           "'a' == 1",
                           "{'a': 1}.a.b"}) {
    INFO(text);
    CHECK_FALSE(compiles(text));
  }
  CHECK(compiles("-9223372036854775808 < 0"));
}

TEST_CASE("an expression of any depth is read without harm") {
  for (const auto* part : {"(", "[", "!", "a.", "1+", "f(", "{1:", "true ? "}) {
    std::string text;
    for (int i = 0; i < 200'000; ++i) text += part;
    CHECK_FALSE(compiles(text + "1"));
  }
}

TEST_CASE("calls one after the other cost no more than they are long, and neither do their types") {
  for (const auto* link : {".map(x, x)", ".filter(x, true)", ".map(x, {x: x})", ".map(x, [x])", ".reverse()"}) {
    std::string text = "[1]";
    for (int i = 0; i < 200; ++i) text += link;
    CHECK(compiles(text + ".size() == 1"));
  }
}

TEST_CASE("names of variables are identifiers and no words of the language") {
  for (const auto* name : {"a", "_x", "A1", "aaaa"}) CHECK(isCelIdentifier(name));
  for (const auto* name : {"", "1a", "a-b", "a.b", "in", "true", "for", "namespace"})
    CHECK_FALSE(isCelIdentifier(name));
  CHECK(celMemberName("a-b") == "a__dash__b");
  CHECK(celMemberName("a__b") == "a__underscores__b");
  CHECK(celMemberName("for") == "__for__");
}
