#include "core/selector.h"

#include <catch2/catch.hpp>

using namespace steer;

namespace {

bool selects(const std::string& text, const char* labels) {
  auto s = LabelSelector::parse(text);
  REQUIRE(s.ok());
  return s->matches(json::parse(labels).as_object());
}

bool selectsBy(const char* selector, const char* labels) {
  const auto v = json::parse(selector);
  auto s = LabelSelector::fromObject(&v);
  REQUIRE(s.ok());
  return s->matches(json::parse(labels).as_object());
}

}  // namespace

TEST_CASE("Label selectors of the text form match labels") {
  CHECK(selects("app=web", R"({"app":"web"})"));
  CHECK(selects("app==web , tier!=db", R"({"app":"web"})"));
  CHECK_FALSE(selects("app=web,tier!=db", R"({"app":"web","tier":"db"})"));
  CHECK(selects("env in (a, b)", R"({"env":"b"})"));
  CHECK_FALSE(selects("env notin (a,b)", R"({"env":"b"})"));
  CHECK(selects("env notin (a,b)", R"({})"));
  CHECK(selects("!canary,app", R"({"app":""})"));
  CHECK(selects("size>3", R"({"size":"4"})"));
  CHECK_FALSE(selects("size<3", R"({"size":"x"})"));
  CHECK(selects("", R"({"a":"b"})"));
  CHECK(selects("a=", R"({"a":""})"));
  CHECK(selects("example.com/role=web", R"({"example.com/role":"web"})"));
}

TEST_CASE("What is not a label selector is an error") {
  for (const auto* bad : {"=a", "a in", "a in (b", "a in b", "a,", ",a", "a b", "a=b c", "-a", "a=-b", "a>x", "A/b=c"})
    CHECK_FALSE(LabelSelector::parse(bad).ok());
}

TEST_CASE("Label selector objects follow matchLabels and matchExpressions") {
  CHECK(selectsBy(R"({})", R"({"a":"b"})"));
  CHECK_FALSE(LabelSelector::fromObject(nullptr)->matches({}));
  CHECK(selectsBy(R"({"matchLabels":{"a":"b"},"matchExpressions":[{"key":"c","operator":"In","values":["d"]}]})",
                  R"({"a":"b","c":"d"})"));
  CHECK_FALSE(selectsBy(R"({"matchExpressions":[{"key":"c","operator":"DoesNotExist"}]})", R"({"c":"d"})"));
  const auto bad = json::parse(R"({"matchExpressions":[{"key":"c","operator":"In"}]})");
  CHECK_FALSE(LabelSelector::fromObject(&bad).ok());
  const auto odd = json::parse(R"({"matchExpressions":[{"key":"c","operator":"Near","values":["d"]}]})");
  CHECK_FALSE(LabelSelector::fromObject(&odd).ok());
}

TEST_CASE("An empty plain map selects nothing") {
  CHECK_FALSE(LabelSelector::fromMap({}).matches({}));
  CHECK(LabelSelector::fromMap({{"a", "b"}}).matches({{"a", "b"}, {"c", "d"}}));
}

TEST_CASE("A selector's text form reads as the same selector") {
  const std::string text = "a=b,c!=d,e in (f,g),h notin (i,j),k,!l,m>1,n<2,o=";
  CHECK(LabelSelector::parse(text)->text() == text);
}

TEST_CASE("Field selectors compare the text of fields") {
  const auto pod = Object::make(
      json::parse(R"({"kind":"Pod","metadata":{"name":"a,b"},"spec":{"nodeName":"n1","hostNetwork":true}})")
          .as_object());
  CHECK(FieldSelector::parse("spec.nodeName=n1,spec.hostNetwork==true")->matches(*pod));
  CHECK_FALSE(FieldSelector::parse("spec.nodeName!=n1")->matches(*pod));
  CHECK(FieldSelector::parse("status.phase=")->matches(*pod));
  CHECK(FieldSelector::parse("status.phase!=Failed")->matches(*pod));
  CHECK(FieldSelector::parse("metadata.name=a\\,b")->matches(*pod));
  for (const auto* bad : {"a", "a!b", "=b", "a=b,", "a=\\x", "a=b=c"}) CHECK_FALSE(FieldSelector::parse(bad).ok());
}
