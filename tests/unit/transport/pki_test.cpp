#include "cluster/apiserver/transport/pki.h"
#include "cluster/apiserver/transport/signing_request.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "cluster/apiserver/transport/authenticator.h"
#include "cluster/client/join_token.h"

using namespace steer;

namespace {

struct Dir {
  Dir() {
    std::string name = (std::filesystem::temp_directory_path() / "steer-pki-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Dir() { std::filesystem::remove_all(path); }
  std::string path;
};

unsigned modeOf(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 ? info.st_mode & 0777U : 0;
}

}  // namespace

TEST_CASE("the authority and its certificates are made once and used again") {
  Dir dir;
  ManualClock clock;
  const auto first = Pki::open(dir.path, clock);
  REQUIRE(first.ok());
  const auto server = first->server({"localhost", "10.0.0.1", "::1"});
  REQUIRE(server.ok());
  CHECK(modeOf(dir.path + "/pki") == 0700);
  CHECK(modeOf(dir.path + "/pki/ca.key") == 0600);
  CHECK(modeOf(dir.path + "/pki/server.key") == 0600);
  const auto again = Pki::open(dir.path, clock);
  REQUIRE(again.ok());
  CHECK(again->caHash() == first->caHash());
  CHECK(again->server({"localhost", "10.0.0.1", "::1"})->certificatePem == server->certificatePem);
  CHECK(again->server({"localhost", "10.0.0.2"})->certificatePem != server->certificatePem);
}

TEST_CASE("the key of service accounts is made once, for its owner's eyes only") {
  Dir dir;
  ManualClock clock;
  int made = 0;
  const auto make = [&]() -> Result<std::string> { return "key " + std::to_string(++made); };
  CHECK(Pki::open(dir.path, clock)->accountKey(make).value() == "key 1");
  CHECK(Pki::open(dir.path, clock)->accountKey(make).value() == "key 1");
  CHECK(modeOf(dir.path + "/pki/sa.key") == 0600);
}

TEST_CASE("web tokens are judged by who signs them, before the file of tokens is asked") {
  Dir dir;
  const auto tokens = TokenFile::open(dir.path + "/tokens");
  const Authenticator authenticator(**tokens, "hash", [](const std::string& token) -> Result<Identity> {
    if (token == "eyJ.good") return Identity{"system:serviceaccount:a:b", {}};
    return makeError(Errc::unauthorized, "no");
  });
  const auto who = authenticator.identify({}, "Bearer eyJ.good");
  REQUIRE(who.ok());
  CHECK(who->user == "system:serviceaccount:a:b");
  CHECK(who->groups == std::vector<std::string>{"system:authenticated"});
  CHECK(authenticator.identify({}, "Bearer eyJ.bad").error().code == Errc::unauthorized);
}

TEST_CASE("a certificate is renewed before it ends and when the authority is another") {
  Dir dir, other;
  ManualClock clock;
  const auto pki = Pki::open(dir.path, clock);
  const auto before = pki->client("alice", {"ops"});
  REQUIRE(before.ok());
  clock.advance(std::chrono::hours(24 * 300));
  CHECK(pki->client("alice", {"ops"})->certificatePem == before->certificatePem);
  clock.advance(std::chrono::hours(24 * 40));
  CHECK(pki->client("alice", {"ops"})->certificatePem != before->certificatePem);
  CHECK(pki->client("alice", {"admins"})->certificatePem != pki->client("alice", {"ops"})->certificatePem);
  const auto stranger = Pki::open(other.path, clock);
  const KeyPair authority{stranger->caPem(), ""};
  CHECK(!stillServes(*pki->client("alice", {"ops"}), authority, {}, clock.now()));
}

TEST_CASE("half an authority is an error, not a new one") {
  Dir dir;
  ManualClock clock;
  REQUIRE(Pki::open(dir.path, clock).ok());
  std::filesystem::remove(dir.path + "/pki/ca.key");
  CHECK(Pki::open(dir.path, clock).error().code == Errc::io);
}

TEST_CASE("tokens survive a restart and name their identity") {
  Dir dir;
  const std::string path = dir.path + "/tokens";
  std::string secret;
  {
    auto tokens = TokenFile::open(path);
    REQUIRE(tokens.ok());
    secret = (*tokens)->secretFor("robot", {"system:nodes", "more"}).value();
    CHECK((*tokens)->secretFor("robot", {"system:nodes", "more"}).value() == secret);
    CHECK((*tokens)->secretFor("other", {}).value() != secret);
  }
  CHECK(modeOf(path) == 0600);
  auto tokens = TokenFile::open(path);
  const auto who = (*tokens)->find(secret);
  REQUIRE(who);
  CHECK(who->user == "robot");
  CHECK(who->groups == std::vector<std::string>{"system:nodes", "more"});
  CHECK(!(*tokens)->find("guess"));

  const Authenticator authenticator(**tokens, std::string(64, 'a'));
  const JoinToken mine{std::string(64, 'a'), secret}, theirs{std::string(64, 'b'), secret};
  CHECK(authenticator.identify({}, "Bearer " + mine.text())->user == "robot");
  CHECK(authenticator.identify({}, "Bearer " + theirs.text()).error().code == Errc::unauthorized);
  CHECK(authenticator.identify({}, "Basic abc").error().code == Errc::unauthorized);
  CHECK(authenticator.identify({}, "")->user == "system:anonymous");
}

TEST_CASE("a join token is read back, and a damaged one is refused without quoting it") {
  const JoinToken token{std::string(64, 'e'), "0123456789abcdef"};
  CHECK(JoinToken::parse(token.text())->secret == token.secret);
  for (const std::string& text : {std::string("steer1.ab.cd"), token.text() + "!", std::string("x"), std::string()}) {
    const auto result = JoinToken::parse(text);
    REQUIRE(!result.ok());
    CHECK(result.error().code == Errc::invalid);
    CHECK(result.error().message.find("0123456789abcdef") == std::string::npos);
  }
}

TEST_CASE("a token that ends is good until then, and a token that once was a node is none any more") {
  Dir dir;
  const std::string path = dir.path + "/tokens";
  std::ofstream(path) << "oldsecret1234567 system:node:* system:nodes,system:authenticated\n";
  const Time now = SystemClock().now();
  const Time until = now + std::chrono::hours(24);
  auto tokens = TokenFile::open(path);
  REQUIRE(tokens.ok());
  CHECK_FALSE((*tokens)->find("oldsecret1234567"));
  const auto secret = (*tokens)->temporarySecretFor("system:bootstrap:*", {"system:bootstrappers"}, now, until).value();
  CHECK((*tokens)->temporarySecretFor("system:bootstrap:*", {"system:bootstrappers"}, now, until).value() == secret);
  CHECK((*tokens)->find(secret, until - seconds(1)));
  CHECK_FALSE((*tokens)->find(secret, until));
  tokens = TokenFile::open(path);
  CHECK((*tokens)->find(secret, until - seconds(2)));
  CHECK_FALSE((*tokens)->find(secret, until + seconds(1)));
  const Time later = now + std::chrono::hours(13);
  const auto next = (*tokens)->temporarySecretFor("system:bootstrap:*", {"system:bootstrappers"}, later,
                                                  later + std::chrono::hours(24));
  CHECK(next.value() != secret);
}

TEST_CASE("a certificate is made for a key that the authority never sees") {
  Dir dir;
  ManualClock clock;
  clock.advanceTo(SystemClock().now());
  const auto pki = Pki::open(dir.path, clock);
  const auto request = makeSigningRequest("system:node:n1", {"system:nodes"});
  REQUIRE(request.ok());
  const auto asked = readSigningRequest(request->requestPem);
  REQUIRE(asked.ok());
  CHECK(asked->commonName == "system:node:n1");
  CHECK(asked->organizations == std::vector<std::string>{"system:nodes"});
  CHECK_FALSE(asked->names);
  const auto certificate = pki->certify(
      request->requestPem,
      {asked->commonName, asked->organizations, {}, CertificateRequest::Use::client, std::chrono::hours(24 * 14)});
  REQUIRE(certificate.ok());
  CHECK(stillServes({*certificate, request->keyPem}, {pki->caPem(), ""}, {}, clock.now()));
  CHECK_FALSE(
      stillServes({*certificate, request->keyPem}, {pki->caPem(), ""}, {}, clock.now() + std::chrono::hours(24 * 10)));
  CHECK(pemFromBase64(pemToBase64(request->requestPem)).value() == request->requestPem);
  for (const std::string& bad : {std::string(), std::string("x"), pki->caPem(), request->keyPem})
    CHECK_FALSE(readSigningRequest(bad).ok());
  // Another key in it: its signature does not fit any more.
  const auto other = makeSigningRequest("system:node:n2", {"system:nodes"});
  auto forged = pemFromBase64(pemToBase64(request->requestPem)).value();
  forged.replace(170, 10, other->requestPem.substr(170, 10));
  CHECK_FALSE(readSigningRequest(forged).ok());
}
