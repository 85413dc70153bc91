// Bounded, seeded mutation of inputs that a stranger may write: whatever they contain, readers end,
// stay inside their limits and answer with a value or a finding. STEER_FUZZ_SECONDS and
// STEER_FUZZ_SEED change the run; a failing seed is printed.
#include <catch2/catch.hpp>
#include <chrono>
#include <cstdlib>
#include <random>

#include "core/patch.h"
#include "core/quantity.h"
#include "core/selector.h"
#include "core/yaml.h"
#include "render/blob_parser.h"

using namespace steer;

namespace {

double secondsEach() {
  const char* text = std::getenv("STEER_FUZZ_SECONDS");
  return text == nullptr ? 2.0 : std::atof(text);
}

std::uint64_t seed() {
  const char* text = std::getenv("STEER_FUZZ_SEED");
  return text == nullptr ? 20260101 : std::strtoull(text, nullptr, 10);
}

class Mutator {
 public:
  Mutator(std::vector<std::string> corpus, std::vector<std::string> dictionary)
      : corpus_(std::move(corpus)), dictionary_(std::move(dictionary)), random_(seed()) {}

  std::string next() {
    std::string out = corpus_[pick(corpus_.size())];
    for (auto n = 1 + pick(8); n > 0; --n) mutate(out);
    if (out.size() > 20'000) out.resize(20'000);
    // Keeping some results lets mutations build upon each other.
    if (pick(50) == 0) corpus_[pick(corpus_.size())] = out;
    return out;
  }
  std::size_t pick(std::size_t n) { return n == 0 ? 0 : random_() % n; }

 private:
  void mutate(std::string& s) {
    const auto at = pick(s.size() + 1);
    switch (pick(7)) {
      case 0:
        s.insert(at, dictionary_[pick(dictionary_.size())]);
        break;
      case 1:
        s.erase(at, pick(10));
        break;
      case 2:
        s.insert(at, 1, static_cast<char>(pick(256)));
        break;
      case 3:
        if (at < s.size()) s[at] = static_cast<char>(s[at] ^ (1 << pick(8)));
        break;
      case 4:
        s.insert(at, s.substr(pick(s.size()), pick(200)));
        break;
      case 5:
        s += corpus_[pick(corpus_.size())];
        break;
      default:
        s.insert(at, std::string(pick(300), dictionary_[pick(dictionary_.size())][0]));
        break;
    }
  }

  std::vector<std::string> corpus_;
  std::vector<std::string> dictionary_;
  std::mt19937_64 random_;
};

template <class Try>
void fuzz(Mutator& mutator, Try attempt) {
  const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(secondsEach());
  std::size_t runs = 0;
  INFO("seed " << seed());
  while (std::chrono::steady_clock::now() < end) {
    const std::string text = mutator.next();
    const auto start = std::chrono::steady_clock::now();
    const bool well = attempt(text);
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - start;
    if (!well || took.count() > 5) {
      INFO("input: " << json::serialize(json::string(text)));
      INFO("seconds: " << took.count());
      FAIL("a property does not hold");
    }
    ++runs;
  }
  CHECK(runs > 20);
}

const std::vector<std::string> kYaml{
    "apiVersion: v1\nkind: Pod\nmetadata:\n  name: web\nspec:\n  containers:\n  - name: c\n    image: 'x'\n",
    "a: &x {b: [1, 2.5, \"t\\u00e9\"]}\nc: *x\nd:\n  <<: *x\n  e: |\n    text\n    more\n  f: >-\n    folded\n",
    "%YAML 1.2\n%TAG ! tag:x,2000:\n--- !!map\n? a\n: !!binary aGk=\n...\n---\n- ~\n- 0x1f\n- 1e3\n",
    R"({"kind":"List","apiVersion":"v1","items":[{"a":"\ud83d\ude00"}]})"};

}  // namespace

TEST_CASE("Mutated YAML ends with values or findings, and what was read can be written and read again") {
  Mutator mutator(kYaml, {"&x ",    "*x",    "<<: ",         "- ", ": ",  "\n  ", "[", "]",  "{", "}",
                          "!!int ", "---\n", "\"",           "'",  "|\n", ">",    "#", "\t", "%", "? ",
                          "yes",    "\xff",  "\xef\xbb\xbf", ",",  "*a",  "&a "});
  fuzz(mutator, [](const std::string& text) {
    Diagnostics d;
    const auto documents = parseYaml(text, "f", d, YamlLimits{1 << 20, 100, 50'000});
    if (d.hasErrors()) return true;
    for (const auto& document : documents) {
      Diagnostics again;
      const auto reread = parseYaml(yamlText(document.value), "g", again);
      if (again.hasErrors() || reread.size() != 1 || !(reread[0].value == document.value)) return false;
    }
    return true;
  });
}

TEST_CASE("Mutated manifests are parsed and validated without harm") {
  Mutator mutator(kYaml, {"spec:", "metadata:", "labels:", "null", "[]", "{}", "- ", "\n  ", ": ", "kind: Deployment\n",
                          "apiVersion: apps/v1\n", "ports:", "-1", "1e99", "items:", "kind: List\n"});
  fuzz(mutator, [](const std::string& text) {
    const auto parsed = parseBlob(text, &SchemaRegistry::builtin());
    for (const auto& f : parsed->findings.items())
      if (f.message.empty()) return false;
    return true;
  });
}

TEST_CASE("Mutated JSON patches are applied or refused") {
  Mutator mutator(
      {R"([{"op":"add","path":"/a/b","value":{"c":[1,2]}},{"op":"copy","from":"/a","path":"/d/-"}])",
       R"([{"op":"move","from":"/d/0","path":"/a/x~1y"},{"op":"test","path":"/a","value":{}}])",
       R"([{"op":"replace","path":"","value":1},{"op":"remove","path":"/d/2"}])"},
      {"/", "/-", "~0", "~1", "\"op\":", "\"copy\"", "\"from\":\"\"", "/0", "/d", "{", "}", "[", "]", ",", "null"});
  const auto document = json::parse(R"({"a":{"b":1,"x/y":2},"d":[1,[2],{"e":3}]})");
  fuzz(mutator, [&](const std::string& text) {
    const auto patch = parseJson(text);
    if (!patch.ok()) return true;
    applyMergePatch(document, *patch);
    const auto once = applyJsonPatch(document, *patch);
    const auto twice = applyJsonPatch(document, *patch);
    if (once.ok() != twice.ok()) return false;
    return !once.ok() || *applyJsonPatch(document, makeJsonPatch(document, *once)) == *once;
  });
}

TEST_CASE("Mutated selectors that parse keep their meaning in text form") {
  Mutator mutator({"app=web,tier!=db", "env in (a,b),!x,y", "size>3,size<9", "x notin (a)"},
                  {",", "=", "==", "!=", "!", " in ", " notin ", "(", ")", ">", "<", " ", "a.b/c", "\\"});
  const auto pod = Object::make(json::parse(R"({"metadata":{"name":"a"},"spec":{"nodeName":"n"}})").as_object());
  fuzz(mutator, [&](const std::string& text) {
    if (const auto fields = FieldSelector::parse(text); fields.ok()) fields->matches(*pod);
    const auto selector = LabelSelector::parse(text);
    if (!selector.ok()) return true;
    const auto again = LabelSelector::parse(selector->text());
    const json::object labels{{"app", "web"}, {"env", "a"}, {"size", "5"}};
    return again.ok() && again->text() == selector->text() && again->matches(labels) == selector->matches(labels);
  });
}

TEST_CASE("Mutated quantities that parse are canonical after one step") {
  Mutator mutator({"100m", "1.5Gi", "-0.1", "12e6", "1Ei", "999999999999999999999n"},
                  {"0", "9", ".", "e", "E", "-", "+", "Ki", "m", "n", "i", "k", "000000"});
  fuzz(mutator, [](const std::string& text) {
    const auto q = Quantity::parse(text);
    if (!q.ok()) return true;
    const auto again = Quantity::parse(q->text());
    return again.ok() && again->text() == q->text() && (q->units() >= 0) == !(*q < Quantity());
  });
}
