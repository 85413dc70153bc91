// What `steer validate` says about the mistakes people make: tests/golden/validate/<case>/ holds manifests
// beside the findings in expected.txt. ACCEPT=1 rewrites them, and such a run counts as skipped.
#include <algorithm>
#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "render/desired_set.h"
#include "render/tree_renderer.h"
#include "tests/source_path.h"
#include "tests/unit/render/memory_tree.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

constexpr int kSkipped = 77;

std::string textOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::stringstream out;
  out << in.rdbuf();
  return out.str();
}

std::string findingsOf(const fs::path& folder) {
  std::map<std::string, std::string> files;
  for (const auto& entry : fs::recursive_directory_iterator(folder))
    if (entry.is_regular_file() && entry.path().filename() != "expected.txt")
      files[fs::relative(entry.path(), folder).string()] = textOf(entry.path());
  MemoryTree memory;
  TreeRenderer renderer(&SchemaRegistry::builtin());
  const auto tree = renderer.render(memory, memory.add(files));
  REQUIRE(tree.ok());
  const auto set = makeDesiredSet(*tree);
  std::string out;
  for (const auto& finding : set.findings.items())  // which kinds are served changes, and has its own test
    if (finding.message.find(" is not served yet") == std::string::npos) out += finding.text() + "\n";
  return out;
}

}  // namespace

TEST_CASE("Every mistake is found at its place, with what to write instead") {
  const fs::path root = sourcePath("tests/golden/validate");
  std::vector<fs::path> cases;
  for (const auto& entry : fs::directory_iterator(root)) cases.push_back(entry.path());
  std::sort(cases.begin(), cases.end());
  REQUIRE(cases.size() >= 25);
  const bool accept = std::getenv("ACCEPT") != nullptr;
  for (const auto& folder : cases) {
    INFO(folder.filename().string());
    const auto found = findingsOf(folder);
    if (accept) std::ofstream(folder / "expected.txt", std::ios::binary) << found;
    else CHECK(found == textOf(folder / "expected.txt"));
  }
  if (accept) std::exit(kSkipped);
}
