#include <unistd.h>
#include <catch2/catch.hpp>

#include "reconciler/git/git_source.h"
#include "reconciler/git/status_ledger.h"
#include "temp_repository.h"

using namespace steer;

namespace {

struct World {
  TempDir dir;
  TempRepository repo{dir};
  std::string commit = repo.push("First");
  GitSource source = *GitSource::open({repo.url(), "main", "", {}}, dir.at("clone"));
  StatusLedger ledger{source.cloneDir(), source.access()};

  World() { REQUIRE(source.fetch().ok()); }
  LedgerRecord record(const std::string& name, const std::string& note = "healthy") const {
    return {"records/2026-01-01/" + name + ".json", "{\"run\":\"" + name + "\"}", "status of " + name, commit,
            note + "\n"};
  }
  Result<PublishOutcome> publish(const LedgerRecord& r) {
    return ledger.publish(
        r, [](const auto& all) { return "page of " + std::to_string(all.size()); }, Time{seconds(1)});
  }
};

}  // namespace

TEST_CASE("a published record is a commit on the status branch and a note on the source commit") {
  World w;
  const auto out = w.publish(w.record("100000Z-a"));
  REQUIRE(out.ok());
  CHECK(out->pushed);
  CHECK(w.repo.remoteGit("show steersman/status:records/2026-01-01/100000Z-a.json") == "{\"run\":\"100000Z-a\"}");
  CHECK(w.repo.remoteGit("show steersman/status:README.md") == "page of 1");
  CHECK(w.repo.remoteGit("log --notes=steersman -1 --format=%N main") == "healthy");
  CHECK(w.repo.remoteGit("rev-parse main") == w.commit);
}

TEST_CASE("the history only grows, and one record is written once") {
  World w;
  REQUIRE(w.publish(w.record("100000Z-a"))->pushed);
  const auto before = w.repo.remoteGit("rev-parse steersman/status");
  REQUIRE(w.publish(w.record("100001Z-b", "degraded"))->pushed);
  const auto again = w.publish(w.record("100001Z-b", "degraded"));
  REQUIRE(again.ok());
  CHECK(again->alreadyThere);
  CHECK(w.repo.remoteGit("rev-list --count steersman/status") == "2");
  CHECK(w.repo.remoteGit("rev-parse steersman/status~1") == before);
  CHECK(w.repo.remoteGit("notes --ref=steersman show main") == "healthy\ndegraded");
}

TEST_CASE("a status branch that someone else moved is built upon, not overwritten") {
  World w;
  REQUIRE(w.publish(w.record("100000Z-a"))->pushed);
  GitSource twin = *GitSource::open({w.repo.url(), "main", "", {}}, w.dir.at("twin"));
  REQUIRE(twin.fetch().ok());
  StatusLedger other(twin.cloneDir(), twin.access());
  REQUIRE(other
              .publish(
                  w.record("100005Z-other"), [](const auto&) { return "theirs"; }, Time{seconds(2)})
              ->pushed);
  REQUIRE(w.publish(w.record("100009Z-c"))->pushed);
  CHECK(w.repo.remoteGit("ls-tree -r --name-only steersman/status") ==
        "README.md\nrecords/2026-01-01/100000Z-a.json\nrecords/2026-01-01/100005Z-other.json\n"
        "records/2026-01-01/100009Z-c.json");
  CHECK(w.repo.remoteGit("show steersman/status:README.md") == "page of 3");
}

TEST_CASE("notes follow an existing fan-out") {
  World w;
  w.repo.git("config notes.displayRef refs/notes/steersman");
  const std::string sub = w.commit.substr(0, 2);
  const std::string rest = w.commit.substr(2);
  w.repo.remoteGit("-c user.name=x -c user.email=x@x config core.bare true");
  const auto blob = sh("printf 'earlier' | git -C " + w.repo.url() + " hash-object -w --stdin");
  const auto inner = sh("printf '100644 blob " + blob + "\\t" + rest + "\\n' | git -C " + w.repo.url() + " mktree");
  const auto tree = sh("printf '040000 tree " + inner + "\\t" + sub + "\\n' | git -C " + w.repo.url() + " mktree");
  const auto commit = w.repo.remoteGit("-c user.name=x -c user.email=x@x commit-tree -m notes " + tree);
  w.repo.remoteGit("update-ref refs/notes/steersman " + commit);
  REQUIRE(w.publish(w.record("100000Z-a"))->pushed);
  CHECK(w.repo.remoteGit("notes --ref=steersman show main") == "earlier\nhealthy");
  CHECK(w.repo.remoteGit("ls-tree -r --name-only refs/notes/steersman") == sub + "/" + rest);
}

TEST_CASE("a remote that cannot be written keeps the records local, and they follow later") {
  World w;
  // A branch of this name makes refs/heads/steersman/status impossible, also for root.
  w.repo.remoteGit("update-ref refs/heads/steersman " + w.commit);
  const auto out = w.publish(w.record("100000Z-a"));
  REQUIRE(out.ok());
  CHECK_FALSE(out->pushed);
  CHECK_FALSE(out->whyLocal.empty());
  CHECK(w.ledger.has("records/2026-01-01/100000Z-a.json"));
  CHECK(w.ledger.newest(5)->size() == 1);
  w.repo.remoteGit("update-ref -d refs/heads/steersman");
  REQUIRE(w.publish(w.record("100001Z-b"))->pushed);
  CHECK(w.repo.remoteGit("ls-tree -r --name-only steersman/status records/") ==
        "records/2026-01-01/100000Z-a.json\nrecords/2026-01-01/100001Z-b.json");
}

TEST_CASE("a vanished remote keeps the records local") {
  World w;
  std::filesystem::rename(w.repo.url(), w.dir.at("elsewhere"));
  const auto out = w.publish(w.record("100000Z-a"));
  REQUIRE(out.ok());
  CHECK_FALSE(out->pushed);
  CHECK(w.ledger.has("records/2026-01-01/100000Z-a.json"));
}

TEST_CASE("a draft survives until it is dropped") {
  World w;
  CHECK_FALSE(w.ledger.loadDraft("root"));
  REQUIRE(w.ledger.saveDraft("root", "half done").ok());
  CHECK(StatusLedger(w.source.cloneDir(), w.source.access()).loadDraft("root") ==
        std::optional<std::string>("half done"));
  REQUIRE(w.ledger.dropDraft("root").ok());
  CHECK_FALSE(w.ledger.loadDraft("root"));
}
