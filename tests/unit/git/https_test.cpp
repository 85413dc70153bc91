// HTTPS remotes, against a real server.
#include <catch2/catch.hpp>

#include "reconciler/git/git_source.h"
#include "reconciler/git/status_ledger.h"
#include "test_servers.h"

using namespace steer;

namespace {

std::string kindOf(const Error& e) { return e.causes.empty() ? "" : e.causes.front().reason; }

/// A server with one repository of one commit.
struct World {
  TempDir dir;
  HttpsServer server{dir};
  TempRepository repo{dir, "repos/repo"};
  std::string commit;

  World() {
    useTestTransfer();
    repo.write("a.yaml", "kind: A\n");
    commit = repo.push("First");
    repo.remoteGit("config http.receivepack true");
    std::ofstream(dir.at("password")) << "secret\n";
    std::ofstream(dir.at("wrong")) << "guessed\n";
  }

  SourceOptions options(const std::string& mode) const {
    SourceOptions out;
    out.url = server.url(mode);
    out.credentials.caFile = server.authority();
    out.credentials.username = "ada";
    out.credentials.passwordFile = dir.at("password");
    out.timeout = seconds(20);
    return out;
  }
  GitSource source(SourceOptions from) const {
    auto opened = GitSource::open(std::move(from), dir.at("clone"));
    REQUIRE(opened.ok());
    return std::move(*opened);
  }
};

LedgerRecord recordOf(const std::string& commit, const std::string& path) {
  return {path, "{}\n", "steersman: healthy", commit, "healthy\n"};
}

const StatusLedger::Page kPage = [](const std::vector<std::string>&) { return std::string("# Page\n"); };

}  // namespace

TEST_CASE("a repository behind a password is fetched and reported to over HTTPS") {
  World w;
  auto source = w.source(w.options("auth"));
  const auto out = source.fetch();
  INFO((out.ok() ? "" : out.error().message));
  REQUIRE(out.ok());
  CHECK(out->commit.id == w.commit);
  CHECK(out->commit.summary == "First");
  CHECK(out->ref == "HEAD");
  const StatusLedger ledger(source.cloneDir(), source.access());
  auto mutableLedger = ledger;
  const auto published = mutableLedger.publish(recordOf(w.commit, "records/2026-01-01/1.json"), kPage, Time{});
  REQUIRE(published.ok());
  INFO(published->whyLocal);
  CHECK(published->pushed);
  CHECK(w.repo.remoteGit("show refs/heads/steersman/status:README.md") == "# Page");
  CHECK(w.repo.remoteGit("notes --ref steersman show " + w.commit) == "healthy");
  const auto next = w.repo.push("Second");
  CHECK(source.fetch()->commit.id == next);
}

TEST_CASE("a wrong password, none at all, and a stranger's certificate are told apart") {
  World w;
  auto options = w.options("auth");
  options.credentials.passwordFile = w.dir.at("wrong");
  const auto wrong = w.source(options).fetch();
  REQUIRE_FALSE(wrong.ok());
  CHECK(kindOf(wrong.error()) == "AuthenticationFailed");
  CHECK(wrong.error().message.find("guessed") == std::string::npos);

  options.credentials.passwordFile.clear();
  const auto none = w.source(options).fetch();
  REQUIRE_FALSE(none.ok());
  CHECK(kindOf(none.error()) == "AuthenticationFailed");
  CHECK(none.error().message.find("asks for a password") != std::string::npos);

  options = w.options("auth");
  options.credentials.caFile = w.server.strangerAuthority();
  const auto stranger = w.source(options).fetch();
  REQUIRE_FALSE(stranger.ok());
  CHECK(kindOf(stranger.error()) == "HostKeyRefused");
  options.credentials.caFile.clear();
  const auto system = w.source(options).fetch();
  REQUIRE_FALSE(system.ok());
  CHECK(kindOf(system.error()) == "HostKeyRefused");
  // No password goes to whom we do not trust.
  CHECK(w.server.requests().find(" yes\n") < w.server.requests().size());  // the wrong one was sent
  const auto before = w.server.requests().size();
  (void)w.source(options).fetch();
  CHECK(w.server.requests().size() == before);
}

TEST_CASE("a redirect to another host is not followed and carries no credentials") {
  World w;
  const auto out = w.source(w.options("away")).fetch();
  REQUIRE_FALSE(out.ok());
  CHECK(kindOf(out.error()) == "Redirected");
  CHECK(out.error().message.find("write the new address") != std::string::npos);
  CHECK(w.server.requests().find("127.0.0.1") == std::string::npos);
  CHECK(w.server.requests().find(" yes\n") == std::string::npos);
}

TEST_CASE("no redirect to another address is followed, wherever it leads and whenever it comes") {
  World w;
  const auto own = w.server.url("auth");
  const auto port = own.substr(own.find("localhost:") + 10, own.find("/auth") - own.find("localhost:") - 10);
  for (const std::string& target :
       {"https://127.0.0.1:" + port + "/open/repo.git", "http://127.0.0.1:" + port + "/open/repo.git",
        std::string("http://169.254.169.254/latest"), "file://" + w.dir.at("repos/repo.git"),
        std::string("ssh://git@127.0.0.1/x"), std::string("//127.0.0.1/open/x")}) {
    std::ofstream(w.dir.at("repos/target"), std::ios::trunc) << target;
    for (const char* how : {"moved-301", "moved-307", "moved-308", "later-302", "later-308"}) {
      INFO(how << " to " << target);
      const auto out = w.source(w.options(how)).fetch();
      CHECK_FALSE(out.ok());
    }
  }
  CHECK(w.server.requests().find(" 127.0.0.1") == std::string::npos);
  CHECK(w.server.requests().find(" /open/") == std::string::npos);
}

TEST_CASE("a server that wants fewer requests says when to come again") {
  World w;
  for (const auto& [mode, after] : {std::pair{"limited", 120}, {"busy", 7}}) {
    const auto out = w.source(w.options(mode)).fetch();
    REQUIRE_FALSE(out.ok());
    CHECK(kindOf(out.error()) == "RateLimited");
    CHECK(out.error().code == Errc::tooMany);
    CHECK(out.error().retryAfterSeconds == after);
  }
}

TEST_CASE("a server that stops in the middle of a pack is given up, and the last good state stays") {
  World w;
  REQUIRE(w.source(w.options("auth")).fetch().ok());
  w.repo.push("Second");
  auto options = w.options("hang");
  options.timeout = seconds(1);
  auto source = w.source(options);
  const auto start = std::chrono::steady_clock::now();
  const auto out = source.fetch();
  REQUIRE_FALSE(out.ok());
  CHECK(kindOf(out.error()) == "Timeout");
  CHECK(std::chrono::steady_clock::now() - start < seconds(5));
  REQUIRE(source.lastGood());
  CHECK(source.lastGood()->id == w.commit);
  CHECK(w.source(w.options("auth")).fetch()->commit.summary == "Second");
}

TEST_CASE("a server that talks without end, and one that sends nonsense, are given up") {
  World w;
  REQUIRE(w.source(w.options("auth")).fetch().ok());
  w.repo.push("Second");
  auto options = w.options("endless");
  options.timeout = milliseconds(300);  // all of it may take ten times as long
  const auto endless = w.source(options).fetch();
  REQUIRE_FALSE(endless.ok());
  CHECK(kindOf(endless.error()) == "Timeout");
  auto source = w.source(w.options("garbage"));
  const auto garbage = source.fetch();
  REQUIRE_FALSE(garbage.ok());
  REQUIRE(source.lastGood());
  CHECK(source.lastGood()->id == w.commit);
  for (const auto& entry : std::filesystem::directory_iterator(source.cloneDir() + "/objects/pack"))
    CHECK_FALSE(entry.path().filename().string().starts_with("pack_git2_"));
}

TEST_CASE("a transfer is ended by an interrupt at once") {
  World w;
  auto options = w.options("hang");
  options.timeout = seconds(60);
  options.interrupt = std::make_shared<Interrupt>();
  auto source = w.source(options);
  const auto start = std::chrono::steady_clock::now();
  std::thread other([&] {
    std::this_thread::sleep_for(milliseconds(700));
    options.interrupt->raise();
  });
  const auto out = source.fetch();
  other.join();
  REQUIRE_FALSE(out.ok());
  CHECK(kindOf(out.error()) == "Stopped");
  CHECK(std::chrono::steady_clock::now() - start < seconds(5));
  CHECK(kindOf(source.fetch().error()) == "Stopped");
}

TEST_CASE("records stay local while a server refuses writing, and are pushed when it allows it") {
  World w;
  auto source = w.source(w.options("readonly"));
  REQUIRE(source.fetch().ok());
  StatusLedger ledger(source.cloneDir(), source.access());
  const auto first = ledger.publish(recordOf(w.commit, "records/2026-01-01/1.json"), kPage, Time{});
  REQUIRE(first.ok());
  CHECK_FALSE(first->pushed);
  CHECK(first->whyLocal.find("does not allow") != std::string::npos);
  CHECK(ledger.newest(5)->size() == 1);
  CHECK_FALSE(ledger.pushAgain(kPage, Time{})->pushed);
  w.server.allowWriting();
  const auto again = ledger.pushAgain(kPage, Time{});
  REQUIRE(again.ok());
  INFO(again->whyLocal);
  CHECK(again->pushed);
  CHECK(w.repo.remoteGit("ls-tree -r --name-only steersman/status") == "README.md\nrecords/2026-01-01/1.json");
  CHECK(w.repo.remoteGit("notes --ref steersman show " + w.commit) == "healthy");
}

TEST_CASE("a remote that leads to this machine is not spoken to where only the network is open") {
  World w;
  auto options = w.options("auth");
  options.credentials.reach = Reach::network;
  auto opened = GitSource::open(options, w.dir.at("kept-away"));
  REQUIRE(opened.ok());
  const auto out = opened->fetch();
  REQUIRE_FALSE(out.ok());
  CHECK(out.error().message.find("leads to the server's own machine") != std::string::npos);
  options.url = w.dir.at("repos/repo");
  CHECK(kindOf(GitSource::open(options, w.dir.at("kept-away-too")).error()) == "AddressRefused");
}
