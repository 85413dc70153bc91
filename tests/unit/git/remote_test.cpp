#include <catch2/catch.hpp>

#include "reconciler/git/known_hosts.h"
#include "reconciler/git/remote_url.h"

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
  CHECK(url->url == "https://ada@example.com/app.git");
}

TEST_CASE("addresses that could become options or programs are refused") {
  for (const char* text : {"", "--upload-pack=x", "ssh://-oProxyCommand=x/y", "ssh://-x@host/y", "ext::sh -c x", "-x:y",
                           "ftp://host/x", "https://host/\nx", "file://host", "ssh://host/-x", "https://host:99999/x"})
    CHECK_FALSE(RemoteUrl::parse(text).ok());
}

TEST_CASE("host keys are checked against plain, hashed and revoked lines") {
  // base64("key1") = a2V5MQ==, base64("key2") = a2V5Mg==
  const auto hosts = KnownHosts::parse(
      "# comment\n"
      "example.com,10.0.0.1 ssh-ed25519 a2V5MQ==\n"
      "[example.com]:2222 ssh-ed25519 a2V5Mg==\n"
      "*.corp,!bad.corp ssh-ed25519 a2V5MQ==\n"
      "@revoked * ssh-ed25519 a2V5Mw==\n");
  using V = KnownHosts::Verdict;
  CHECK(hosts.check("example.com", 0, "key1") == V::known);
  CHECK(hosts.check("10.0.0.1", 22, "key1") == V::known);
  CHECK(hosts.check("example.com", 0, "key2") == V::keyDiffers);
  CHECK(hosts.check("example.com", 2222, "key2") == V::known);
  CHECK(hosts.check("a.corp", 0, "key1") == V::known);
  CHECK(hosts.check("bad.corp", 0, "key1") == V::unknownHost);
  CHECK(hosts.check("other.org", 0, "key1") == V::unknownHost);
  CHECK(hosts.check("example.com", 0, "key3") == V::revoked);
}
