// SSH remotes, against Debian's sshd.
#include <catch2/catch.hpp>
#include <sstream>

#include "reconciler/git/git_source.h"
#include "reconciler/git/key_kind.h"
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
  for (const char* kind : {"ed25519", "ecdsa"}) {
    auto options = w.options();
    options.credentials.knownHostsFile = w.server.knownHosts(kind);
    const auto out = w.source(options).fetch();
    INFO(kind << ": " << (out.ok() ? "" : out.error().message));
    CHECK(out.ok());
  }
  auto options = w.options();
  options.credentials.knownHostsFile = w.server.knownHosts("rsa");
  const auto rsa = w.source(options).fetch();
  REQUIRE_FALSE(rsa.ok());
  CHECK(rsa.error().message.find("ed25519 or ecdsa key") != std::string::npos);
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
  CHECK(stranger.error().message.find("RSA") == std::string::npos);
}

TEST_CASE("an RSA key that today's servers cannot take is refused with what to use instead") {
  if (skipped()) return;
  World w;
  const auto fetched = w.source(w.options("old")).fetch();
  if (fetched.ok()) return;  // a later libssh2 signs with SHA-2
  CHECK(kindOf(fetched.error()) == "AuthenticationFailed");
  CHECK(fetched.error().message.find("is an RSA key") != std::string::npos);
  CHECK(fetched.error().message.find("use an ed25519 or ecdsa key") != std::string::npos);
}

TEST_CASE("the kind of a private key is read from its file, with and without a passphrase") {
  TempDir dir;
  for (const std::string kind : {"ed25519", "ecdsa", "rsa"})
    for (const std::string phrase : {"", "secret words"}) {
      const auto file = dir.at(kind + (phrase.empty() ? "-open" : "-locked"));
      sh("ssh-keygen -q -t " + kind + " -N '" + phrase + "' -f " + file);
      CHECK(isRsaKey(readFile(file)) == (kind == "rsa"));
    }
  const auto pem = dir.at("pem");
  sh("ssh-keygen -q -t rsa -m PEM -N '' -f " + pem);
  CHECK(isRsaKey(readFile(pem)));
  CHECK_FALSE(isRsaKey(""));
  CHECK_FALSE(isRsaKey("-----BEGIN OPENSSH PRIVATE KEY-----\n!!!"));
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
