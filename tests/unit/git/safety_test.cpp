// What repositories have done to others: each must come to nothing here.
#include <catch2/catch.hpp>
#include <fstream>

#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "reconciler/git/status_ledger.h"
#include "temp_repository.h"

using namespace steer;

namespace {

std::string kindOf(const Error& e) { return e.causes.empty() ? "" : e.causes.front().reason; }

Result<GitSource> sourceOf(const TempDir& dir, const std::string& url, const std::string& revision = "main") {
  SourceOptions options;
  options.url = url;
  options.revision = revision;
  return GitSource::open(options, dir.at("clone"));
}

void writeProgram(const std::string& file, const std::string& marker) {
  std::ofstream(file) << "#!/bin/sh\ntouch " << marker << "\ncat\n";
  sh("chmod 755 " + file);
}

}  // namespace

TEST_CASE("hooks, filters and attributes of a repository never run") {
  const TempDir dir;
  const TempRepository repo(dir);
  const auto marker = dir.at("it-ran");
  repo.write(".gitattributes", "* filter=evil diff=evil merge=evil text eol=crlf\n");
  repo.write("a.yaml", "one\ntwo\n");
  const auto commit = repo.push("First");
  auto source = sourceOf(dir, repo.url());
  REQUIRE(source->fetch().ok());
  const auto prepare = [&](const std::string& gitDir) {
    std::filesystem::create_directories(gitDir + "/hooks");
    for (const char* hook : {"pre-receive", "update", "post-receive", "post-update", "reference-transaction",
                             "pre-auto-gc", "post-checkout", "post-merge", "proc-receive", "fsmonitor"})
      writeProgram(gitDir + "/hooks/" + hook, marker);
    writeProgram(dir.at("program"), marker);
    for (const char* key : {"filter.evil.smudge", "filter.evil.clean", "filter.evil.process", "diff.evil.textconv",
                            "core.fsmonitor", "core.sshCommand", "credential.helper", "uploadpack.packObjectsHook"})
      sh("git config --file " + gitDir + "/config " + key + " " + dir.at("program"));
  };
  prepare(repo.url());
  prepare(source->cloneDir());
  sh("git config --file " + repo.url() + "/config core.hooksPath " + repo.url() + "/hooks");
  const auto plumbing = sh("GIT_CONFIG_NOSYSTEM=1 git -C " + repo.work() + " rev-parse HEAD^{tree}");
  sh("git -C " + repo.url() + " -c core.hooksPath=/dev/null update-ref refs/heads/other " + commit);
  std::filesystem::remove(marker);
  const auto out = source->fetch();
  REQUIRE(out.ok());
  CHECK(out->commit.tree == plumbing);
  const auto reader = GitTreeReader::open(source->cloneDir());
  const auto entries = (*reader)->list(out->commit.tree);
  for (const auto& entry : *entries)
    if (entry.name == "a.yaml") CHECK((*reader)->read(entry.id, 100).valueOr("") == "one\ntwo\n");
  StatusLedger ledger(source->cloneDir(), source->access());
  const auto published = ledger.publish(
      {"records/2026-01-01/1.json", "{}\n", "steersman", commit, "healthy\n"},
      [](const std::vector<std::string>&) { return std::string("# Page\n"); }, Time{});
  REQUIRE(published.ok());
  CHECK(published->pushed);
  CHECK_FALSE(std::filesystem::exists(marker));
}

TEST_CASE("a revision is a name, never a path, an option or an expression") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  const auto second = repo.push("Second");
  for (const char* revision : {"../../../etc/passwd", "refs/heads/../../config", "main^{tree}", "main~1", "@{-1}",
                               "main:", ":/First", "HEAD@{0}", "a..b", "refs/steersman/tip", "main\n", "*", "refs/*"}) {
    INFO(revision);
    const auto out = sourceOf(dir, repo.url(), revision)->fetch();
    REQUIRE_FALSE(out.ok());
    CHECK(kindOf(out.error()) == "RevisionNotFound");
  }
  CHECK(kindOf(sourceOf(dir, repo.url(), "--upload-pack=touch").error()) == "InvalidAddress");
  CHECK(sourceOf(dir, repo.url(), second.substr(0, 12))->fetch()->commit.id == second);
}

TEST_CASE("a blob that unpacks to very much is refused before it is unpacked") {
  const TempDir dir;
  const TempRepository repo(dir);
  sh("head -c 300000000 /dev/zero > " + repo.work() + "/bomb.yaml");
  repo.push("Bomb");
  auto source = sourceOf(dir, repo.url());
  const auto out = source->fetch();
  REQUIRE(out.ok());
  const auto reader = GitTreeReader::open(source->cloneDir());
  const auto entries = (*reader)->list(out->commit.tree);
  REQUIRE(entries->size() == 1);
  const auto read = (*reader)->read(entries->front().id, 32 << 20);
  REQUIRE_FALSE(read.ok());
  CHECK(read.error().code == Errc::tooLarge);
}

TEST_CASE("a remote whose objects are damaged is an error, and the last good state stays") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.write("a.yaml", "one");
  const auto good = repo.push("First");
  auto source = sourceOf(dir, repo.url());
  REQUIRE(source->fetch().ok());
  repo.write("a.yaml", "two");
  repo.push("Second");
  const auto blob = repo.git("rev-parse HEAD:a.yaml");
  const auto file = repo.url() + "/objects/" + blob.substr(0, 2) + "/" + blob.substr(2);
  REQUIRE(std::filesystem::exists(file));
  sh("chmod u+w " + file);
  std::ofstream(file, std::ios::binary) << "no zlib stream";
  const auto damaged = source->fetch();
  REQUIRE_FALSE(damaged.ok());
  REQUIRE(source->lastGood());
  CHECK(source->lastGood()->id == good);
  const auto reader = GitTreeReader::open(source->cloneDir());
  CHECK((*reader)->list(source->lastGood()->tree)->size() == 1);
}

TEST_CASE("locks that a killed transfer left behind do not stop the next one") {
  const TempDir dir;
  const TempRepository repo(dir);
  repo.push("First");
  REQUIRE(sourceOf(dir, repo.url())->fetch().ok());
  const auto second = repo.push("Second");
  sh("for ref in " + dir.at("clone/refs/steersman/tips/*") + " " + dir.at("clone/refs/steersman/fetched/*") +
     "; do : >$ref.lock; done");
  std::ofstream(dir.at("clone/packed-refs.lock")) << "";
  const auto out = sourceOf(dir, repo.url())->fetch();
  INFO((out.ok() ? "" : out.error().message));
  REQUIRE(out.ok());
  CHECK(out->commit.id == second);
}
