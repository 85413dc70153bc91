// Properties of the values that people write: what is written reads back, patches reproduce
// differences, arithmetic keeps its laws.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "core/patch.h"
#include "core/quantity.h"
#include "core/selector.h"
#include "core/yaml.h"

using namespace steer;

namespace {

std::string anyText() {
  static const std::vector<std::string> kPieces{"a",           "Z",    "0",        "12",
                                                "-",           " ",    "  ",       ":",
                                                ": ",          "#",    " #",       "\n",
                                                "\n\n",        "\t",   "'",        "\"",
                                                "\\",          "{",    "[",        "]",
                                                "}",           ",",    "&",        "*",
                                                "!",           "|",    ">",        "%",
                                                "@",           "`",    "yes",      "no",
                                                "y",           "~",    "=",        "null",
                                                "true",        "0x1",  "1e3",      ".",
                                                "---",         "...",  "<<",       "?",
                                                "? ",          "- ",   "\r",       "é",
                                                "\x01",        "\x7f", "\xc2\x85", "\xe2\x80\xa8",
                                                "/",           "2026", "-01",      "_",
                                                "$",           "😀",    "\xc2\xa0", "\xef\xbb\xbf",
                                                "\xef\xbf\xbe"};
  std::string out;
  const auto n = *rc::gen::inRange<std::size_t>(0, 7);
  for (std::size_t i = 0; i < n; ++i) out += *rc::gen::elementOf(kPieces);
  if (*rc::gen::inRange(0, 40) == 0) out += std::string(1500, 'k');
  return out;
}

json::value anyValue(int depth) {
  switch (*rc::gen::inRange(0, depth > 0 ? 8 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return *rc::gen::arbitrary<bool>();
    case 2:
      return *rc::gen::arbitrary<std::int64_t>();
    case 3:
      return json::value(static_cast<double>(*rc::gen::inRange(-100000, 100000)) + 0.375);
    case 5: {
      json::array out;
      const auto n = *rc::gen::inRange(0, 4);
      for (int i = 0; i < n; ++i) out.push_back(anyValue(depth - 1));
      return out;
    }
    case 6:
    case 7: {
      json::object out;
      const auto n = *rc::gen::inRange(0, 5);
      for (int i = 0; i < n; ++i) out[anyText()] = anyValue(depth - 1);
      return out;
    }
    default:
      return json::value(json::string(anyText()));
  }
}

bool holds(bool result) { return result; }

}  // namespace

TEST_CASE("What is written as YAML reads back as the same value") {
  CHECK(holds(rc::check([] {
    const json::value v = anyValue(4);
    const auto text = yamlText(v);
    Diagnostics d;
    const auto documents = parseYaml(text, "t", d);
    RC_LOG() << text << d.text();
    RC_ASSERT(d.empty());
    RC_ASSERT(documents.size() == 1);
    RC_ASSERT(documents[0].value == v);
    RC_ASSERT(jsonText(documents[0].value) == jsonText(v));
  })));
}

TEST_CASE("JSON text reads as YAML to the same value") {
  CHECK(holds(rc::check([] {
    json::object v;
    v["k"] = anyValue(3);
    const auto text = jsonPretty(v);
    // YAML cannot hold these few characters unescaped, and JSON does not escape them.
    for (const auto* refused : {"\x7f", "\xef\xbf\xbe", "\xef\xbb\xbf", "\xc2\x85", "\xe2\x80\xa8"})
      RC_PRE(text.find(refused) == std::string::npos);
    RC_PRE(text.find(std::string(1000, 'k')) == std::string::npos);  // longer keys need '?' in YAML
    Diagnostics d;
    const auto documents = parseYaml(text, "t.json", d);
    RC_LOG() << text << d.text();
    RC_ASSERT(documents.size() == 1);
    RC_ASSERT(documents[0].value == json::value(v));
  })));
}

TEST_CASE("The JSON patch between two values turns the one into the other") {
  CHECK(holds(rc::check([] {
    const json::value a = anyValue(3);
    const json::value b = anyValue(3);
    const auto patched = applyJsonPatch(a, makeJsonPatch(a, b));
    RC_ASSERT(patched.ok());
    RC_ASSERT(*patched == b);
    RC_ASSERT(makeJsonPatch(a, a).empty());
  })));
}

TEST_CASE("A merge patch has said all with its second application") {
  CHECK(holds(rc::check([] {
    // A list that takes the place of an object keeps its nulls, one that takes the place of a list does not: so do
    // Kubernetes' servers.
    const json::value patch = anyValue(3);
    const auto twice = applyMergePatch(applyMergePatch(anyValue(3), patch), patch);
    RC_ASSERT(applyMergePatch(twice, patch) == twice);
  })));
}

TEST_CASE("Quantities add exactly and their canonical form is stable") {
  CHECK(holds(rc::check([] {
    static const std::vector<std::string> kSuffixes{"", "n", "u", "m", "k", "M", "G", "Ki", "Mi", "Gi", "e3", "e-3"};
    const auto any = [] {
      const auto text = std::to_string(*rc::gen::inRange(-100000, 100000)) + *rc::gen::elementOf(kSuffixes);
      return *Quantity::parse(text);
    };
    const auto a = any();
    const auto b = any();
    RC_ASSERT((a + b) - b == a);
    RC_ASSERT(a + b == b + a);
    const auto again = Quantity::parse(a.text());
    RC_ASSERT(again.ok());
    RC_ASSERT(again->text() == a.text());
    RC_ASSERT(*again == a);
  })));
}

TEST_CASE("A label selector and its negation never agree") {
  CHECK(holds(rc::check([] {
    static const std::vector<std::string> kWords{"a", "b", "c"};
    json::object labels;
    for (const auto& key : kWords)
      if (*rc::gen::arbitrary<bool>()) labels[key] = *rc::gen::elementOf(kWords);
    const auto key = *rc::gen::elementOf(kWords);
    const auto value = *rc::gen::elementOf(kWords);
    RC_ASSERT(LabelSelector::parse(key + "=" + value)->matches(labels) !=
              LabelSelector::parse(key + "!=" + value)->matches(labels));
    RC_ASSERT(LabelSelector::parse(key)->matches(labels) != LabelSelector::parse("!" + key)->matches(labels));
  })));
}
