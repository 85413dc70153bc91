#include "reconciler/git/clone_packing.h"

#include <algorithm>
#include <atomic>
#include <catch2/catch.hpp>
#include <filesystem>
#include <thread>

#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "temp_repository.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

std::size_t packs(const std::string& clone) {
  std::size_t n = 0;
  for (const auto& entry : fs::directory_iterator(clone + "/objects/pack")) n += entry.path().extension() == ".pack";
  return n;
}

struct Clone {
  TempDir dir;
  TempRepository repo{dir};
  std::string path = dir.at("clone");
  std::string first = repo.push("First");
  GitSource source = [&] {
    SourceOptions options;
    options.url = repo.url();
    options.revision = "main";
    return std::move(*GitSource::open(options, path));
  }();
  int commits = 0;

  std::string grow(int files = 40) {
    for (int i = 0; i < files; ++i)
      repo.write("f" + std::to_string(i) + ".txt", "content " + std::to_string(++commits) + "\n");
    const auto id = repo.push("More");
    REQUIRE(source.fetch().ok());
    return id;
  }
};

}  // namespace

TEST_CASE("packs stay when each is twice as large as all smaller ones, and are merged when not") {
  using git::packsToMerge;
  CHECK(packsToMerge({}, 10) == 0);
  CHECK(packsToMerge({20, 100, 1000}, 10) == 0);
  CHECK(packsToMerge({10, 100, 1000}, 10) == 1);
  CHECK(packsToMerge({10, 30, 1000}, 10) == 2);
  CHECK(packsToMerge({1000, 1001}, 10) == 2);
  CHECK(packsToMerge({5, std::size_t{1} << 30}, 10) == 1);
  // As it goes on for ever: the number of packs stays small.
  std::vector<std::size_t> sizes;
  for (int i = 0; i < 10'000; ++i) {
    const auto merged = packsToMerge(sizes, 100);
    std::size_t sum = 100;
    for (std::size_t k = 0; k < merged; ++k) sum += sizes[k];
    sizes.erase(sizes.begin(), sizes.begin() + static_cast<std::ptrdiff_t>(merged));
    sizes.insert(std::lower_bound(sizes.begin(), sizes.end(), sum), sum);
    REQUIRE(sizes.size() < 20);
  }
}

TEST_CASE("packing keeps every object, leaves none loose, and packs grow together") {
  Clone c;
  std::vector<std::string> commits{c.first};
  std::size_t most = 0;
  for (int i = 0; i < 12; ++i) {
    commits.push_back(c.grow());
    if (git::wantsPacking(c.path)) REQUIRE(git::packClone(c.path).ok());
    most = std::max(most, packs(c.path));
  }
  REQUIRE(git::packClone(c.path).ok());
  CHECK(git::countLoose(c.path, 1000) == 0);
  CHECK(sh("find " + c.path + "/objects -mindepth 1 -type d ! -name pack ! -name info | wc -l") == "0");
  CHECK(most < 8);
  CHECK(sh("git -C " + c.path + " fsck --full --strict 2>&1 | grep -v dangling | grep -v '^notice' | wc -l") == "0");
  for (const auto& id : commits) CHECK(sh("git -C " + c.path + " cat-file -t " + id) == "commit");
  REQUIRE(git::packClone(c.path).ok());  // nothing to do
}

TEST_CASE("a reader that was there before the packing reads on") {
  Clone c;
  c.grow();
  auto fetched = c.source.fetch();
  REQUIRE(fetched.ok());
  auto reader = GitTreeReader::open(c.path);
  REQUIRE(reader.ok());
  const auto entries = (*reader)->list(fetched->commit.tree);
  REQUIRE(entries.ok());
  REQUIRE((*reader)->read((*entries)[0].id, 1000).ok());
  REQUIRE(git::packClone(c.path).ok());
  for (const auto& entry : *entries) CHECK((*reader)->read(entry.id, 1000).ok());
  c.grow();
  REQUIRE(git::packClone(c.path).ok());  // merges the pack that the reader has open
  CHECK(packs(c.path) == 1);
  for (const auto& entry : *entries) CHECK((*reader)->read(entry.id, 1000).ok());
  REQUIRE((*reader)->list(fetched->commit.tree).ok());
}

TEST_CASE("readers on other threads never miss an object while it is packed") {
  Clone c;
  c.grow();
  const auto tree = c.source.fetch()->commit.tree;
  std::atomic<bool> stop{false};
  std::atomic<int> failures{0}, reads{0};
  std::vector<std::thread> readers;
  for (int i = 0; i < 3; ++i)
    readers.emplace_back([&] {
      while (!stop) {
        const auto reader = GitTreeReader::open(c.path);
        if (!reader.ok()) {
          ++failures;
          continue;
        }
        const auto entries = (*reader)->list(tree);
        if (!entries.ok()) ++failures;
        else
          for (const auto& entry : *entries) {
            if (!(*reader)->read(entry.id, 1000).ok()) ++failures;
            ++reads;
          }
      }
    });
  for (int i = 0; i < 6; ++i) {
    c.grow(20);
    CHECK(git::packClone(c.path).ok());
  }
  stop = true;
  for (auto& reader : readers) reader.join();
  CHECK(failures == 0);
  CHECK(reads > 0);
}

TEST_CASE("a pack that is to be kept stays, and a damaged object keeps everything where it is") {
  Clone c;
  c.grow();
  REQUIRE(git::packClone(c.path).ok());
  for (const auto& entry : fs::directory_iterator(c.path + "/objects/pack"))
    if (entry.path().extension() == ".pack") {
      auto keep = entry.path();
      sh("touch " + keep.replace_extension(".keep").string());
    }
  c.grow();
  REQUIRE(git::packClone(c.path).ok());
  CHECK(packs(c.path) == 2);
  c.grow();
  const auto before = git::countLoose(c.path, 1000);
  const auto victim = sh("find " + c.path + "/objects -type f -path '*/[0-9a-f][0-9a-f]/*' | head -1");
  sh("chmod u+w " + victim + " && echo x > " + victim);
  CHECK(!git::packClone(c.path).ok());
  CHECK(git::countLoose(c.path, 1000) == before);
}
