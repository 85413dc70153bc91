// SSH remotes, against Debian's sshd.
#include <catch2/catch.hpp>
#include <sstream>

#include "reconciler/git/git_source.h"
#include "reconciler/git/status_ledger.h"
#include "test_servers.h"

using namespace steer;

namespace {

std::string kindOf(const Error& e) { return e.causes.empty() ? "" : e.causes.front().reason; }

struct World {
  TempDir dir;
  SshServer server{dir};
  TempRepository repo{dir};
  std::string commit;

  World() {
    useTestTransfer();
    repo.write("a.yaml", "kind: A\n");
    commit = repo.push("First");
  }
  SourceOptions options(const std::string& key = "user") const {
    SourceOptions out;
    out.url = server.url(repo.url());
    out.credentials.sshKeyFile = server.key(key);
    out.credentials.knownHostsFile = server.knownHosts("ed25519");
    out.timeout = seconds(20);
    return out;
  }
  GitSource source(SourceOptions from) const {
    auto opened = GitSource::open(std::move(from), dir.at("clone"));
    REQUIRE(opened.ok());
    return std::move(*opened);
  }
};

const StatusLedger::Page kPage = [](const std::vector<std::string>&) { return std::string("# Page\n"); };

bool skipped() {
  if (SshServer::available()) return false;
  WARN("skipped: there is no /usr/sbin/sshd (Debian package openssh-server)");
  return true;
}

}  // namespace

TEST_CASE("a repository is fetched and reported to over SSH with a key") {
  if (skipped()) return;
  World w;
  auto source = w.source(w.options());
  const auto out = source.fetch();
  INFO((out.ok() ? "" : out.error().message));
  REQUIRE(out.ok());
  CHECK(out->commit.id == w.commit);
  StatusLedger ledger(source.cloneDir(), source.access());
  const auto published =
      ledger.publish({"records/2026-01-01/1.json", "{}\n", "steersman", w.commit, "healthy\n"}, kPage, Time{});
  REQUIRE(published.ok());
  INFO(published->whyLocal);
  CHECK(published->pushed);
  CHECK(w.repo.remoteGit("show steersman/status:README.md") == "# Page");
}

TEST_CASE("whichever of the server's host keys is known, that one is checked") {
  if (skipped()) return;
  World w;
  for (const char* kind : {"ed25519", "ecdsa", "rsa"}) {
    auto options = w.options();
    options.credentials.knownHostsFile = w.server.knownHosts(kind);
    const auto out = w.source(options).fetch();
    INFO(kind << ": " << (out.ok() ? "" : out.error().message));
    CHECK(out.ok());
  }
}

TEST_CASE("an unknown host, a changed host key and a key without access are refused") {
  if (skipped()) return;
  World w;
  auto options = w.options();
  options.credentials.knownHostsFile = w.server.emptyHosts();
  const auto unknown = w.source(options).fetch();
  REQUIRE_FALSE(unknown.ok());
  CHECK(kindOf(unknown.error()) == "HostKeyRefused");
  CHECK(unknown.error().message.find("is not in") != std::string::npos);

  options.credentials.knownHostsFile = w.server.outdatedHosts();
  const auto changed = w.source(options).fetch();
  REQUIRE_FALSE(changed.ok());
  CHECK(kindOf(changed.error()) == "HostKeyRefused");
  CHECK(changed.error().message.find("differs") != std::string::npos);

  const auto stranger = w.source(w.options("nobody")).fetch();
  REQUIRE_FALSE(stranger.ok());
  CHECK(kindOf(stranger.error()) == "AuthenticationFailed");
}

TEST_CASE("keys of every kind are accepted, also RSA and under a passphrase") {
  if (skipped()) return;
  World w;
  for (const char* key : {"user", "rsa-user", "locked", "rsa-locked"}) {
    auto options = w.options(key);
    if (std::string(key).ends_with("locked")) options.credentials.sshKeyPassphrase = "secret words";
    const auto out = w.source(options).fetch();
    INFO(key << ": " << (out.ok() ? "" : out.error().message));
    CHECK(out.ok());
  }
  auto wrong = w.options("locked");
  for (const char* passphrase : {"other words", ""}) {
    wrong.credentials.sshKeyPassphrase = passphrase;
    const auto refused = w.source(wrong).fetch();
    REQUIRE_FALSE(refused.ok());
    CHECK(kindOf(refused.error()) == "AuthenticationFailed");
    CHECK(refused.error().message.find("other words") == std::string::npos);
  }
}

TEST_CASE("a revoked host key is refused, and a repository that is not there is told in the server's words") {
  if (skipped()) return;
  World w;
  auto options = w.options();
  options.credentials.knownHostsFile = w.server.revokedHosts();
  const auto revoked = w.source(options).fetch();
  REQUIRE_FALSE(revoked.ok());
  CHECK(kindOf(revoked.error()) == "HostKeyRefused");
  options = w.options();
  options.url = w.server.url(w.dir.at("nowhere.git"));
  const auto missing = w.source(options).fetch();
  REQUIRE_FALSE(missing.ok());
  CHECK(kindOf(missing.error()) == "RemoteGone");
  CHECK(missing.error().message.find("does not appear to be a git repository") != std::string::npos);
}

TEST_CASE("a silent server ends a conversation at its deadline or when it is stopped, and no ssh stays behind") {
  if (skipped()) return;
  World w;
  const SilentServer silent;
  const std::string mark = w.dir.at("silent-hosts");
  std::ofstream(mark) << "";
  auto options = w.options();
  options.url = silent.url();
  options.credentials.knownHostsFile = mark;
  options.timeout = milliseconds(1500);
  const auto running = [&] { return sh("pgrep -c -f UserKnownHostsFile=." + mark + " || true"); };
  const auto late = w.source(options).fetch();
  REQUIRE_FALSE(late.ok());
  CHECK(kindOf(late.error()) == "Timeout");
  options.timeout = seconds(60);
  options.interrupt = std::make_shared<Interrupt>();
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(500));
    options.interrupt->raise();
  });
  const auto stopped = w.source(options).fetch();
  stopper.join();
  REQUIRE_FALSE(stopped.ok());
  CHECK(kindOf(stopped.error()) == "Stopped");
  // pgrep finds the shell that runs it.
  for (int i = 0; i < 100 && std::stoi(running()) > 1; ++i) std::this_thread::sleep_for(milliseconds(50));
  CHECK(std::stoi(running()) <= 1);
}

TEST_CASE("records stay local while a key may only read, and are pushed when it may write") {
  if (skipped()) return;
  World w;
  auto source = w.source(w.options("reader"));
  REQUIRE(source.fetch().ok());
  StatusLedger ledger(source.cloneDir(), source.access());
  const auto first =
      ledger.publish({"records/2026-01-01/1.json", "{}\n", "steersman", w.commit, "healthy\n"}, kPage, Time{});
  REQUIRE(first.ok());
  CHECK_FALSE(first->pushed);
  CHECK_FALSE(first->whyLocal.empty());
  w.server.allowWriting();
  const auto again = ledger.pushAgain(kPage, Time{});
  REQUIRE(again.ok());
  INFO(first->whyLocal << " / " << again->whyLocal);
  CHECK(again->pushed);
}
