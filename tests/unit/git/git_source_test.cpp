#include <catch2/catch.hpp>

#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "temp_repository.h"

using namespace steer;

namespace {

GitSource sourceOf(const TempDir& dir, const std::string& url, const std::string& revision = "") {
  SourceOptions options;
  options.url = url;
  options.revision = revision;
  auto source = GitSource::open(options, dir.at("clone"));
  REQUIRE(source.ok());
  return std::move(*source);
}

std::string kindOf(const Error& e) { return e.causes.empty() ? "" : e.causes.front().reason; }

std::string fileAt(const GitSource& source, const std::string& tree, const std::string& name) {
  auto reader = GitTreeReader::open(source.cloneDir());
  REQUIRE(reader.ok());
  const auto entries = (*reader)->list(tree);
  for (const auto& entry : *entries)
    if (entry.name == name) return (*reader)->read(entry.id, 1000).valueOr("unreadable");
  return "missing";
}

}  // namespace

TEST_CASE("a fetch brings the commit, its author and its files") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a.yaml", "kind: A\n");
  const auto id = repo.push("First");
  auto source = sourceOf(dir, "file://" + repo.url());
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == id);
  CHECK(out->commit.author == "Ada");
  CHECK(out->commit.summary == "First");
  CHECK(out->before.empty());
  CHECK(fileAt(source, out->commit.tree, "a.yaml") == "kind: A\n");
}

TEST_CASE("a second push is fetched and is no rewrite") {
  const TempDir dir;
  const TempRepository repo(dir);
  const auto first = repo.push("First");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  const auto print = source.fingerprint();
  const auto second = repo.push("Second");
  CHECK(source.fingerprint() != print);
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == second);
  CHECK(out->before == first);
  CHECK_FALSE(out->rewritten);
}

TEST_CASE("a force-push that drops history is seen as a rewrite") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  repo.push("Second");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  repo.git("reset -q --hard HEAD~1");
  const auto other = repo.push("Other", "--force");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == other);
  CHECK(out->rewritten);
}

TEST_CASE("an annotated tag is peeled to its commit, and a commit id is found") {
  const TempDir dir;
  const TempRepository repo(dir);
  const auto id = repo.push("First");
  repo.git("tag -a v1 -m release");
  repo.git("push -q origin v1");
  repo.push("Second");
  auto byTag = sourceOf(dir, repo.url(), "v1");
  const auto tagged = byTag.fetch();
  REQUIRE(tagged.ok());
  CHECK(tagged->commit.id == id);
  SourceOptions options;
  options.url = repo.url();
  options.revision = id;
  auto byId = GitSource::open(options, dir.at("clone2"));
  const auto exact = byId->fetch();
  REQUIRE(exact.ok());
  CHECK(exact->commit.id == id);
}

TEST_CASE("the newest tag in a range is followed, and a tag that is no descendant is no rewrite") {
  const TempDir dir;
  const TempRepository repo(dir);
  const auto first = repo.push("First");
  repo.git("tag v1.2.9");
  const auto second = repo.push("Second");
  repo.git("tag -a 1.2.10 -m release");
  repo.push("Third");
  repo.git("tag v2.0.0");
  repo.git("push -q origin --tags");
  SourceOptions options;
  options.url = repo.url();
  options.semver = "~1.2";
  auto source = GitSource::open(options, dir.at("clone"));
  REQUIRE(source.ok());
  const auto out = source->fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == second);
  CHECK(out->ref == "refs/tags/1.2.10");
  const auto print = source->fingerprint();
  repo.git("tag v1.2.11 " + first);
  repo.git("push -q origin v1.2.11");
  CHECK(source->fingerprint() != print);
  const auto older = source->fetch();
  REQUIRE(older.ok());
  CHECK(older->commit.id == first);
  CHECK_FALSE(older->rewritten);
  options.semver = "3.x";
  CHECK(kindOf(GitSource::open(options, dir.at("none"))->fetch().error()) == "RevisionNotFound");
  options.semver = "newest";
  CHECK(kindOf(GitSource::open(options, dir.at("none")).error()) == "InvalidAddress");
}

TEST_CASE("an empty repository, a missing branch and a vanished remote are told apart") {
  const TempDir dir;
  const TempRepository repo(dir);
  auto source = sourceOf(dir, repo.url(), "main");
  const auto empty = source.fetch();
  REQUIRE_FALSE(empty.ok());
  CHECK(kindOf(empty.error()) == "EmptyRepository");

  const auto id = repo.push("First");
  REQUIRE(source.fetch().ok());
  auto other = GitSource::open({repo.url(), "nowhere", "", {}}, dir.at("clone3"));
  const auto missing = other->fetch();
  REQUIRE_FALSE(missing.ok());
  CHECK(kindOf(missing.error()) == "RevisionNotFound");

  std::filesystem::rename(repo.url(), dir.at("elsewhere"));
  const auto gone = source.fetch();
  REQUIRE_FALSE(gone.ok());
  CHECK(kindOf(gone.error()) == "RemoteGone");
  REQUIRE(source.lastGood());
  CHECK(source.lastGood()->id == id);
}

TEST_CASE("a damaged clone is made anew and keeps our records") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a.yaml", "one");
  const auto id = repo.push("First");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  REQUIRE(keepCommit(source.cloneDir(), id).ok());
  sh("find " + source.cloneDir() + "/objects -type f -delete");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->recloned);
  CHECK(fileAt(source, out->commit.tree, "a.yaml") == "one");
}

TEST_CASE("links and submodules are listed by kind and large files are refused") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("big", std::string(2000, 'x'));
  repo.git("-c core.symlinks=true status");
  std::filesystem::create_symlink("/etc/passwd", repo.work() + "/link");
  const auto first = repo.push("First");
  repo.git("update-index --add --cacheinfo 160000," + first + ",module");
  repo.git("commit -q -m module");
  repo.git("push -q origin HEAD");
  auto source = sourceOf(dir, repo.url(), "main");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  auto reader = GitTreeReader::open(source.cloneDir());
  const auto entries = (*reader)->list(out->commit.tree);
  for (const auto& entry : *entries) {
    if (entry.name == "link") CHECK(entry.kind == TreeEntry::Kind::link);
    if (entry.name == "module") CHECK(entry.kind == TreeEntry::Kind::submodule);
    if (entry.name != "big") continue;
    const auto big = (*reader)->read(entry.id, 1000);
    REQUIRE_FALSE(big.ok());
    CHECK(big.error().code == Errc::tooLarge);
  }
  CHECK(entries->size() == 3);
}

TEST_CASE("a directory of the repository is found, and one outside is not") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("deploy/prod/a.yaml", "x");
  repo.push("First");
  auto source = sourceOf(dir, repo.url());
  const auto out = source.fetch();
  REQUIRE(out.ok());
  auto reader = GitTreeReader::open(source.cloneDir());
  const auto sub = (*reader)->subtree(out->commit.tree, "deploy/prod");
  REQUIRE(sub.ok());
  CHECK((*reader)->list(*sub)->at(0).name == "a.yaml");
  CHECK_FALSE((*reader)->subtree(out->commit.tree, "deploy/../..").ok());
  CHECK_FALSE((*reader)->subtree(out->commit.tree, "nowhere").ok());
}

namespace {

std::string packsOf(const GitSource& source) { return sh("ls " + source.cloneDir() + "/objects/pack | sort"); }

}  // namespace

TEST_CASE("a small push to a local repository is taken over whole, without another pack") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a/one.yaml", "one");
  repo.write("b/two.yaml", "two");
  repo.push("First");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  const auto packs = packsOf(source);
  repo.git("checkout -q -b side");
  repo.write("c/deep/three.yaml", "three");
  repo.git("add -A");
  repo.git("commit -q -m Side");
  repo.git("checkout -q main");
  repo.git("mv a/one.yaml b/moved.yaml");
  repo.write("top.yaml", "top");
  repo.git("add -A");
  repo.git("commit -q -m Main");
  repo.git("merge -q --no-edit side");
  const auto merged = repo.push("Last");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == merged);
  CHECK_FALSE(out->rewritten);
  CHECK(fileAt(source, out->commit.tree, "top.yaml") == "top");
  CHECK(packsOf(source) == packs);
  const auto clone = "git -C " + source.cloneDir() + " ";
  CHECK(sh(clone + "ls-tree -r " + merged) == repo.git("ls-tree -r " + merged));
  CHECK(sh(clone + "log --format=%H " + merged) == repo.git("log --format=%H " + merged));
  sh(clone + "fsck --full --strict");  // throws when an object is missing or damaged
}

TEST_CASE("a push that changes very much comes as a pack") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  const auto packs = packsOf(source);
  for (int i = 0; i < 300; ++i) repo.write("many/" + std::to_string(i) + ".yaml", std::to_string(i));
  const auto second = repo.push("Second");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.id == second);
  CHECK(packsOf(source) != packs);
  const auto clone = "git -C " + source.cloneDir() + " ";
  CHECK(sh(clone + "ls-tree -r " + second) == repo.git("ls-tree -r " + second));
  sh(clone + "fsck --full --strict");
}

TEST_CASE("a clone that lost an object beneath what it has is made anew, not patched") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a/kept.yaml", "kept");
  repo.push("First");
  auto source = sourceOf(dir, repo.url(), "main");
  REQUIRE(source.fetch().ok());
  repo.write("b/new.yaml", "new");
  repo.push("Second");
  sh("find " + source.cloneDir() + "/objects -type f -delete");
  const auto out = source.fetch();
  REQUIRE(out.ok());
  CHECK(fileAt(source, out->commit.tree, "a") != "missing");
  sh("git -C " + source.cloneDir() + " fsck --full --strict");
}
