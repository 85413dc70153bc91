// Tokens of service accounts: what they say, and when they stop to hold.
#include <catch2/catch.hpp>

#include "cluster/apiserver/account_tokens.h"
#include "core/rfc3339.h"
#include "fixture.h"

using namespace steer;

namespace {

std::shared_ptr<const TokenKeys> freshKeys() { return *TokenKeys::fromPem(*TokenKeys::newPem()); }

struct TokenServer : TestServer {
  explicit TokenServer(const std::shared_ptr<const TokenKeys>& keys = freshKeys())
      : TestServer(ApiServerOptions{.advertiseAddress = "192.0.2.7", .tokenKeys = keys}), signer(keys) {
    clock.advanceTo(*parseTime("2026-11-21T10:00:00Z"));
    account("builder");
  }
  void account(const std::string& name) {
    make("serviceaccounts",
         R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"namespace":"default","name":")" + name + R"("}})");
  }
  ObjectPtr make(const std::string& resource, const std::string& text) {
    const auto made = client->write(Write::create(resource, parsed(text)));
    REQUIRE(made.ok());
    return *made;
  }
  ObjectPtr podOf(const std::string& name, const std::string& account, const std::string& node) {
    return make("pods", R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"default","name":")" + name +
                            R"("},"spec":{"nodeName":")" + node + R"(","serviceAccountName":")" + account +
                            R"(","containers":[{"name":"c","image":"nginx"}]}})");
  }
  Response ask(const std::string& spec, const std::string& account = "builder") {
    return call("POST", "/api/v1/namespaces/default/serviceaccounts/" + account + "/token",
                R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenRequest","spec":)" + spec + "}");
  }
  std::string token(const std::string& spec = "{}") {
    const auto answer = ask(spec);
    REQUIRE(answer.status == 201);
    return std::string(stringAt(object(answer), {"status", "token"}));
  }
  std::string refusalOf(const std::string& token) {
    const auto who = api.identify(token);
    return who.ok() ? "" : who.error().message;
  }
  std::shared_ptr<const TokenKeys> signer;
};

std::string boundTo(const Object& pod) {
  return R"({"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":")" + pod.name() + R"(","uid":")" + pod.uid() +
         R"("}})";
}

}  // namespace

TEST_CASE("a service account's token says whose it is, for whom and until when") {
  TokenServer s;
  const auto answer = s.ask(R"({"expirationSeconds":1200})");
  CHECK(answer.status == 201);
  const auto body = s.object(answer);
  CHECK(stringAt(body, {"kind"}) == "TokenRequest");
  CHECK(stringAt(body, {"status", "expirationTimestamp"}) == "2026-11-21T10:20:00Z");
  const auto claims = s.signer->verify(stringAt(body, {"status", "token"}));
  REQUIRE(claims.ok());
  CHECK(stringAt(*claims, {"iss"}) == "https://kubernetes.default.svc.cluster.local");
  CHECK(stringAt(*claims, {"sub"}) == "system:serviceaccount:default:builder");
  CHECK(jsonText(*find(*claims, {"aud"})) == R"(["https://kubernetes.default.svc.cluster.local"])");
  CHECK(intAt(*claims, {"exp"}) - intAt(*claims, {"iat"}) == 1200);
  CHECK(intAt(*claims, {"nbf"}) == intAt(*claims, {"iat"}));
  CHECK_FALSE(stringAt(*claims, {"jti"}).empty());
  CHECK(stringAt(*claims, {"kubernetes.io", "namespace"}) == "default");
  CHECK(stringAt(*claims, {"kubernetes.io", "serviceaccount", "uid"}) ==
        s.client->get({"serviceaccounts", "default", "builder"}).value()->uid());
}

TEST_CASE("who shows a service account's token is that account, in its groups") {
  TokenServer s;
  const auto who = s.api.identify(s.token());
  REQUIRE(who.ok());
  CHECK(who->user == "system:serviceaccount:default:builder");
  CHECK(who->groups ==
        std::vector<std::string>{"system:serviceaccounts", "system:serviceaccounts:default", "system:authenticated"});
  CHECK(who->uid == s.client->get({"serviceaccounts", "default", "builder"}).value()->uid());
}

TEST_CASE("a token ends with its time, and is for nobody but its audience") {
  TokenServer s;
  const auto token = s.token(R"({"expirationSeconds":600})");
  const auto other = s.token(R"({"audiences":["vault"]})");
  CHECK(s.refusalOf(other) == "the token is meant for another audience");
  s.clock.advance(seconds(599));
  CHECK(s.refusalOf(token).empty());
  s.clock.advance(seconds(1));
  CHECK(s.refusalOf(token) == "the token has expired");
  s.clock.advance(seconds(-601));
  CHECK(s.refusalOf(token) == "the token is not valid yet");
}

TEST_CASE("a changed token, another key's token and a token without a signature are nobody's") {
  TokenServer s;
  const auto token = s.token();
  const std::string untrusted = "the token is not one that this cluster signed";
  for (const std::size_t at : {token.find('.') + 5, token.size() - 3, token.size() - 1}) {
    auto changed = token;
    changed[at] = changed[at] == 'A' ? 'B' : 'A';
    CHECK(s.refusalOf(changed) == untrusted);
  }
  TokenServer stranger;
  CHECK(s.refusalOf(stranger.token()) == untrusted);
  // {"alg":"none"} and the claims of a good one.
  const auto first = token.find('.'), last = token.rfind('.');
  CHECK(s.refusalOf("eyJhbGciOiJub25lIn0" + token.substr(first, last - first) + ".") == untrusted);
  CHECK(s.refusalOf("eyJ") == untrusted);
  CHECK(s.refusalOf("eyJ..") == untrusted);
}

TEST_CASE("a token dies with its service account, and a new account of that name does not revive it") {
  TokenServer s;
  const auto token = s.token();
  REQUIRE(s.client->write(Write::remove({"serviceaccounts", "default", "builder"})).ok());
  CHECK(s.refusalOf(token) == "the token's service account is gone");
  s.account("builder");
  CHECK(s.refusalOf(token) == "the token's service account is gone");
  CHECK(s.refusalOf(s.token()).empty());
}

TEST_CASE("a token that is bound to a pod names it and dies with it") {
  TokenServer s;
  const auto pod = s.podOf("p", "builder", "n1");
  const auto token = s.token(boundTo(*pod));
  const auto who = s.api.identify(token);
  REQUIRE(who.ok());
  CHECK(who->extra.at("authentication.kubernetes.io/pod-name") == std::vector<std::string>{"p"});
  CHECK(who->extra.at("authentication.kubernetes.io/pod-uid") == std::vector<std::string>{pod->uid()});
  DeleteOptions now;
  now.gracePeriodSeconds = 0;
  REQUIRE(s.client->write(Write::remove({"pods", "default", "p"}, now)).ok());
  CHECK(s.refusalOf(token) == "the pod that the token is bound to is gone");
  s.podOf("p", "builder", "n1");
  CHECK(s.refusalOf(token) == "the pod that the token is bound to is gone");
}

TEST_CASE("a token request that makes no sense is refused with the reason") {
  TokenServer s;
  const auto pod = s.podOf("p", "builder", "n1");
  CHECK(s.ask(R"({"expirationSeconds":599})").status == 422);
  CHECK(s.ask(R"({"expirationSeconds":599})").body.find("less than 10 minutes") != std::string::npos);
  CHECK(s.ask("{}", "nobody").status == 404);
  CHECK(s.ask(R"({"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"q"}})").status == 404);
  CHECK(s.ask(R"({"boundObjectRef":{"apiVersion":"v1","kind":"Pod","name":"p","uid":"other"}})").status == 409);
  CHECK(s.ask(R"({"boundObjectRef":{"apiVersion":"v1","kind":"Node","name":"n1"}})").status == 400);
  s.account("other");
  CHECK(s.ask(boundTo(*pod), "other").status == 400);
}

TEST_CASE("a node gets tokens for the pods that run on it and for nothing else") {
  TokenServer s;
  const auto mine = s.podOf("mine", "builder", "n1"), theirs = s.podOf("theirs", "builder", "n2");
  s.account("idle");
  s.admin = {"system:node:n1", {"system:nodes", "system:authenticated"}};
  CHECK(s.ask(boundTo(*mine)).status == 201);
  const auto elsewhere = s.ask(boundTo(*theirs));
  CHECK(elsewhere.status == 403);
  CHECK(elsewhere.body.find("bound to a pod scheduled on a different node") != std::string::npos);
  CHECK(s.ask("{}").status == 403);
  CHECK(s.ask("{}", "idle").status == 403);
}

TEST_CASE("a token review tells others whose token it is, and not the token") {
  TokenServer s;
  const auto token = s.token(R"({"audiences":["vault","https://kubernetes.default.svc.cluster.local"]})");
  const auto review = [&](const std::string& shown, const std::string& audiences) {
    const auto answer = s.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews",
                               R"({"apiVersion":"authentication.k8s.io/v1","kind":"TokenReview","spec":{"token":")" +
                                   shown + R"(","audiences":)" + audiences + "}}");
    CHECK(answer.status == 201);
    CHECK(answer.body.find(shown) == std::string::npos);
    return s.object(answer);
  };
  const auto good = review(token, R"(["vault","else"])");
  CHECK(boolAt(good, {"status", "authenticated"}));
  CHECK(stringAt(good, {"status", "user", "username"}) == "system:serviceaccount:default:builder");
  CHECK(jsonText(*find(good, {"status", "audiences"})) == R"(["vault"])");
  CHECK_FALSE(boolAt(review(token, R"(["else"])"), {"status", "authenticated"}));
  CHECK_FALSE(boolAt(review("steer1.nonsense", "[]"), {"status", "authenticated"}));
  s.admin = serviceAccountIdentity("default", "builder");
  CHECK(s.call("POST", "/apis/authentication.k8s.io/v1/tokenreviews", "{}").status == 403);
}

TEST_CASE("anyone with the published keys can check a token, and a restart keeps them") {
  const auto pem = *TokenKeys::newPem();
  TokenServer s(*TokenKeys::fromPem(pem));
  const auto document = s.object(s.call("GET", "/.well-known/openid-configuration"));
  CHECK(stringAt(document, {"issuer"}) == "https://kubernetes.default.svc.cluster.local");
  CHECK(stringAt(document, {"jwks_uri"}) == "https://192.0.2.7:6443/openid/v1/jwks");
  const auto keys = s.call("GET", "/openid/v1/jwks");
  CHECK(keys.contentType == "application/jwk-set+json");
  CHECK(s.object(keys) == (*TokenKeys::fromPem(pem))->published());
  CHECK(keys.body.find("PRIVATE") == std::string::npos);
  CHECK((*TokenKeys::fromPem(pem))->verify(s.token()).ok());
  CHECK_FALSE(TokenKeys::fromPem("nonsense").ok());
}

TEST_CASE("a server without a key gives no tokens and accepts none") {
  TestServer s;
  REQUIRE(s.client
              ->write(Write::create("serviceaccounts", parsed(R"({"apiVersion":"v1","kind":"ServiceAccount",
    "metadata":{"namespace":"default","name":"builder"}})")))
              .ok());
  CHECK(s.call("POST", "/api/v1/namespaces/default/serviceaccounts/builder/token", R"({"spec":{}})").status == 415);
  CHECK(s.api.identify("eyJhbGciOiJub25lIn0.e30.").error().code == Errc::unauthorized);
}

TEST_CASE("a pod takes from its account what it leaves open itself") {
  TestServer s;
  REQUIRE(s.client
              ->write(Write::patch(
                  {"serviceaccounts", "default", "default"}, PatchType::merge,
                  parsed(R"({"automountServiceAccountToken":false,"imagePullSecrets":[{"name":"pull"}]})")))
              .ok());
  const auto open = s.client->write(Write::create("pods", pod("open")));
  REQUIRE(open.ok());
  CHECK_FALSE(boolAt((*open)->spec(), {"automountServiceAccountToken"}, true));
  CHECK(jsonText(*find((*open)->spec(), {"imagePullSecrets"})) == R"([{"name":"pull"}])");
  auto own = pod("own");
  own["spec"].as_object()["automountServiceAccountToken"] = true;
  own["spec"].as_object()["imagePullSecrets"] = json::array{json::object{{"name", "mine"}}};
  const auto kept = s.client->write(Write::create("pods", own));
  REQUIRE(kept.ok());
  CHECK(boolAt((*kept)->spec(), {"automountServiceAccountToken"}));
  CHECK(jsonText(*find((*kept)->spec(), {"imagePullSecrets"})) == R"([{"name":"mine"}])");
}
