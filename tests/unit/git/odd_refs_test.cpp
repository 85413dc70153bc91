// Refs that lead to no commit, and clones that are no clones any more: they concern their follower, or are made anew.
#include <algorithm>
#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "temp_repository.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

GitSource sourceAt(const std::string& url, const std::string& clone) {
  SourceOptions options;
  options.url = url;
  options.revision = "main";
  auto source = GitSource::open(options, clone);
  REQUIRE(source.ok());
  return std::move(*source);
}

std::string gitIn(const std::string& clone, const std::string& args) { return sh("git -C " + clone + " " + args); }

std::string kindOf(const Error& e) { return e.causes.empty() ? "" : e.causes.front().reason; }

/// Tags `file` on a blob, `tree` on a tree, `deep` on a tag on a blob.
void tagOddly(const TempRepository& repo) {
  repo.write("key.pub", "a public key");
  repo.push("Key");
  repo.git("tag file HEAD:key.pub");
  repo.git("tag tree HEAD^{tree}");
  repo.git("tag -a -m deep deep file");
  repo.git("push -q origin --tags");
}

}  // namespace

TEST_CASE("a tag on a file or a tree concerns its follower alone and leaves nothing behind") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  tagOddly(repo);
  const auto blob = repo.git("rev-parse file");
  auto source = sourceAt(repo.url(), dir.at("clone"));
  const std::vector<RevisionChoice> all{
      {"main", ""}, {"refs/tags/file", ""}, {"refs/tags/tree", ""}, {"refs/tags/deep", ""},
      {blob, ""},   {"nonesuch", ""},       {"a b~^:?*[\\", ""}};
  for (int round = 0; round < 3; ++round) {
    const auto id = repo.push("Next");
    const auto out = source.fetch(all);
    REQUIRE(out.ok());
    REQUIRE((*out)[0].ok());
    CHECK((*out)[0]->commit.id == id);
    CHECK_FALSE((*out)[0]->recloned);
    for (std::size_t i = 1; i < all.size(); ++i) {
      INFO(all[i].revision);
      REQUIRE(!(*out)[i].ok());
      CHECK(kindOf((*out)[i].error()) == "RevisionNotFound");
    }
    CHECK(gitIn(dir.at("clone"), "for-each-ref --format='%(objecttype)' | grep -vx commit | wc -l") == "0");
  }
  // More than is copied by hand: a pack, which libgit2 asks for by the refs that it has.
  for (int i = 0; i < 400; ++i) repo.write("f" + std::to_string(i) + ".txt", std::to_string(i));
  const auto large = repo.push("Many files");
  const auto out = source.fetch({{"main", ""}});
  REQUIRE(out.ok());
  REQUIRE((*out)[0].ok());
  CHECK((*out)[0]->commit.id == large);
}

TEST_CASE("odd refs that an older version left in a clone are taken out") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  auto source = sourceAt(repo.url(), dir.at("clone"));
  REQUIRE(source.fetch().ok());
  const auto tree = repo.git("rev-parse HEAD^{tree}");
  gitIn(dir.at("clone"), "update-ref refs/steersman/fetched/0123456789abcdef " + tree);
  gitIn(dir.at("clone"), "update-ref refs/steersman/fetched/tags/old " + tree);
  for (int i = 0; i < 400; ++i) repo.write("f" + std::to_string(i) + ".txt", std::to_string(i));
  const auto large = repo.push("Many files");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == large);
}

TEST_CASE("whatever is broken in a clone, it is made anew, and its own records come along") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a.yaml", "kind: A\n");
  const auto id = repo.push("First");
  const auto clone = dir.at("clone");
  {
    auto source = sourceAt(repo.url(), clone);
    REQUIRE(source.fetch().ok());
  }
  const auto spoil = GENERATE(as<std::string>{}, "HEAD", "config", "refs", "objects");
  INFO(spoil);
  if (spoil == "HEAD") std::ofstream(clone + "/HEAD", std::ios::trunc) << "nonsense";
  if (spoil == "config") std::ofstream(clone + "/config", std::ios::trunc) << "[core\nbare = maybe";
  if (spoil == "refs") std::ofstream(clone + "/packed-refs", std::ios::trunc) << "this is no ref\n\xff\xfe";
  if (spoil == "objects") {
    for (const auto& entry : fs::recursive_directory_iterator(clone + "/objects")) {
      if (!entry.is_regular_file()) continue;
      fs::permissions(entry.path(), fs::perms::owner_all);
      std::ofstream(entry.path(), std::ios::trunc) << "x";
    }
  }
  auto source = sourceAt(repo.url(), clone);
  const auto out = source.fetch();
  INFO((out.ok() ? "" : out.error().message));
  REQUIRE(out.ok());
  CHECK(out->commit.id == id);
  const auto again = source.fetch();
  REQUIRE(again.ok());
  CHECK(again->commit.id == id);
  const auto reader = GitTreeReader::open(clone);
  REQUIRE(reader.ok());
  const auto entries = (*reader)->list(again->commit.tree);
  REQUIRE(entries.ok());
  REQUIRE(entries->size() == 1);
  CHECK((*reader)->read((*entries)[0].id, 100).valueOr("unreadable") == "kind: A\n");
}
