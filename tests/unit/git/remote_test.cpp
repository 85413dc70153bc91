#include <catch2/catch.hpp>

#include "reconciler/git/network_stream.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/git/ssh_transport.h"

using namespace steer;

TEST_CASE("addresses are understood as git understands them") {
  CHECK(RemoteUrl::parse("/srv/repo")->path == "/srv/repo");
  CHECK(RemoteUrl::parse("file:///srv/repo")->path == "/srv/repo");
  const auto scp = RemoteUrl::parse("git@example.com:team/app.git");
  REQUIRE(scp.ok());
  CHECK(scp->kind == RemoteUrl::Kind::ssh);
  CHECK(scp->url == "ssh://git@example.com/team/app.git");
  const auto ssh = RemoteUrl::parse("ssh://me@[::1]:2222/app");
  REQUIRE(ssh.ok());
  CHECK(ssh->host == "[::1]");
  CHECK(ssh->port == 2222);
}

TEST_CASE("a password in an address is kept out of what is shown") {
  const auto url = RemoteUrl::parse("https://ada:secret@example.com/app.git");
  REQUIRE(url.ok());
  CHECK(url->password == "secret");
  CHECK(url->url == "https://example.com/app.git");
  CHECK(url->user == "ada");
  CHECK(RemoteUrl::parse("https://token-of-ada@example.com/app.git")->url == "https://example.com/app.git");
  CHECK_FALSE(RemoteUrl::parse("https://example.com/app.git?private_token=x").ok());
  CHECK_FALSE(RemoteUrl::parse("https://example.com/app.git#x").ok());
}

TEST_CASE("addresses that could become options or programs are refused") {
  for (const char* text : {"", "--upload-pack=x", "ssh://-oProxyCommand=x/y", "ssh://-x@host/y", "ext::sh -c x", "-x:y",
                           "ftp://host/x", "https://host/\nx", "file://host", "ssh://host/-x", "https://host:99999/x"})
    CHECK_FALSE(RemoteUrl::parse(text).ok());
  // What programs read in different ways would be judged as one host and reached as another.
  for (const char* host : {"host\\.example.org", "ho st", "h%6fst", "[::1]x", "[::1%lo]", "h\xc3\xb6st", "a[b]"})
    CHECK_FALSE(RemoteUrl::parse("https://" + std::string(host) + "/x").ok());
  for (const char* user : {"example.org#", "example.org?a", "example.org\\", "a@b", "[::1]:80"})
    CHECK_FALSE(RemoteUrl::parse("https://" + std::string(user) + "@127.0.0.1/x").ok());
}

namespace {

RemoteAccess sshAccess(const std::string& url, const std::string& key = "/keys/it",
                       const std::string& hosts = "/keys/hosts") {
  RemoteCredentials credentials;
  credentials.sshKeyFile = key;
  credentials.knownHostsFile = hosts;
  return {*RemoteUrl::parse(url), credentials, seconds(60)};
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += word + "|";
  return out;
}

}  // namespace

TEST_CASE("a name that leads to this machine is refused where only the network is open, in any writing") {
  for (const char* host : {"localhost", "127.0.0.1", "127.1", "2130706433", "0x7f.1", "0", "::1", "::ffff:127.0.0.1",
                           "169.254.169.254", "fe80::1"}) {
    INFO(host);
    const auto address = git::networkAddressOf(host, "22");
    REQUIRE_FALSE(address.ok());
    CHECK(address.error().message.find("own machine") != std::string::npos);
  }
  CHECK(*git::networkAddressOf("192.0.2.7", "22") == "192.0.2.7");
  auto access = sshAccess("ssh://ada@localhost:2222/app");
  const auto open = git::sshCommand(access, "git-upload-pack");
  CHECK(open.ok());
  RemoteCredentials kept = access.credentials();
  kept.reach = Reach::network;
  CHECK_FALSE(git::sshCommand({access.url(), kept, seconds(60)}, "git-upload-pack").ok());
  // The address that was looked at is the one that ssh is told, and the host's key is still known by its name.
  const auto away =
      git::sshCommand({*RemoteUrl::parse("ssh://ada@192.0.2.7/app"), kept, seconds(60)}, "git-upload-pack");
  REQUIRE(away.ok());
  CHECK(joined(*away).find("HostName=192.0.2.7|") != std::string::npos);
  CHECK(joined(*away).find("HostKeyAlias=192.0.2.7|") != std::string::npos);
}

TEST_CASE("ssh is told everything by us, and a path stays one word at the other end") {
  const auto argv = git::sshCommand(sshAccess("ssh://ada@example.org:2222/it's/a repo.git"), "git-upload-pack");
  REQUIRE(argv.ok());
  const auto text = joined(*argv);
  for (const char* part : {"-F|/dev/null|", "-l|ada|", "-p|2222|", "BatchMode=yes|", "StrictHostKeyChecking=yes|",
                           "UserKnownHostsFile=\"/keys/hosts\"|", "IdentityFile=\"/keys/it\"|", "IdentitiesOnly=yes|",
                           "IdentityAgent=none|", "ProxyCommand=none|"}) {
    INFO(part);
    CHECK(text.find(part) != std::string::npos);
  }
  CHECK(text.ends_with("|--|example.org|git-upload-pack '/it'\\''s/a repo.git'|"));
  CHECK(git::sshCommand(sshAccess("ssh://example.org/~ada/x"), "git-upload-pack")->back() ==
        "git-upload-pack '~ada/x'");
  CHECK(git::sshCommand(sshAccess("ssh://[::1]/x"), "git-upload-pack")->rbegin()[1] == "::1");
}

TEST_CASE("what ssh or a shell could take for more than a host, a user or a file is refused") {
  for (const char* url : {"ssh://host;id/x", "ssh://ho`id`st/x"}) CHECK_FALSE(RemoteUrl::parse(url).ok());
  for (const char* url : {"ssh://a$(id)@host/x", "ssh://a|b@host/x"}) {
    INFO(url);
    const auto argv = git::sshCommand(sshAccess(url), "git-upload-pack");
    REQUIRE_FALSE(argv.ok());
    CHECK(argv.error().causes.front().reason == "InvalidAddress");
  }
  CHECK_FALSE(RemoteUrl::parse("ssh://-oProxyCommand=id/x").ok());
  CHECK_FALSE(RemoteUrl::parse("ssh://-l@host/x").ok());
  for (const char* file : {"/keys/\"it", "/keys/${HOME}", "/keys/a\\b"})
    CHECK_FALSE(git::sshCommand(sshAccess("ssh://host/x", file), "git-upload-pack").ok());
  CHECK(joined(*git::sshCommand(sshAccess("ssh://host/x", "/keys/100%h"), "git-upload-pack"))
            .find("IdentityFile=\"/keys/100%%h\"|") != std::string::npos);
  CHECK(git::sshCommand(sshAccess("ssh://host/x", ""), "git-upload-pack").error().causes.front().reason ==
        "AuthenticationFailed");
}

TEST_CASE("what ssh complains of is told in our words") {
  const auto access = sshAccess("ssh://host/x");
  const auto kind = [&](const std::string& text) { return git::sshError(access, text).causes.front().reason; };
  const auto unknown = git::sshError(access,
                                     "No ED25519 host key is known for host and you have requested strict checking.\r\n"
                                     "Host key verification failed.\r\n");
  CHECK(unknown.causes.front().reason == "HostKeyRefused");
  CHECK(unknown.message == "host is not in /keys/hosts");
  const auto changed = git::sshError(access, "@@@\n@ WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED! @\n@@@\n");
  CHECK(changed.causes.front().reason == "HostKeyRefused");
  CHECK(changed.message.find("differs") != std::string::npos);
  CHECK(git::sshError(access, "@ WARNING: REVOKED HOST KEY DETECTED! @\nHost key verification failed.\n")
            .message.find("revoked") != std::string::npos);
  CHECK(kind("git@host: Permission denied (publickey).\r\n") == "AuthenticationFailed");
  CHECK(kind("ssh: connect to host host port 22: Connection refused\r\n") == "RemoteGone");
  CHECK(kind("ssh: connect to host host port 22: Connection timed out\r\n") == "Timeout");
}
