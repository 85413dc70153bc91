#include "schemas/served.h"
#include "tests/source_path.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <set>
#include <sstream>

using namespace steer;

namespace {

/// The words in backquotes of the item of a list that begins so.
std::set<std::string> quotedIn(const std::string& text, const std::string& begin) {
  std::set<std::string> out;
  const auto from = text.find(begin);
  REQUIRE(from != std::string::npos);
  const auto item = text.substr(from, text.find("\n- ", from) - from);
  for (auto open = item.find('`'); open != std::string::npos;) {
    const auto close = item.find('`', open + 1);
    REQUIRE(close != std::string::npos);
    out.insert(item.substr(open + 1, close - open - 1));
    open = item.find('`', close + 1);
  }
  return out;
}

std::string readme() {
  std::ifstream in(sourcePath("README.md"));
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

}  // namespace

TEST_CASE("The README names just the kinds of which nothing comes") {
  std::set<std::string> unserved;
  for (const auto* kind : SchemaRegistry::builtin().kinds())
    if (!unservedText(*kind).empty()) unserved.insert(kind->gvk.kind);
  const auto text = readme();
  const std::string item = "- Kinds that are validated but not served: ";
  if (unserved.empty()) CHECK(text.find(item) == std::string::npos);
  else CHECK(quotedIn(text, item) == unserved);
}

TEST_CASE("Whoever asks for such a kind is told which") {
  KindSchema kind;
  kind.gvk = {"apps", "v1", "StatefulSet"};
  CHECK(unservedText(kind).starts_with("StatefulSet (apps/v1) is not served yet"));
  kind.served = true;
  CHECK(unservedText(kind).empty());
}
