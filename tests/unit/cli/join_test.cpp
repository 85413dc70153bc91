// How a machine becomes a node: token, request, certificate, and its renewal.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/cluster/control_plane.h"
#include "cli/cluster/node_certificates.h"
#include "cli/cluster/node_identity.h"

using namespace steer;
using namespace steer::cli;

namespace {

struct Dir {
  Dir() {
    std::string name = (std::filesystem::temp_directory_path() / "steer-join-XXXXXX").string();
    path = ::mkdtemp(name.data());
  }
  ~Dir() { std::filesystem::remove_all(path); }
  std::string path;
};

std::string textOf(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream out;
  out << in.rdbuf();
  return out.str();
}

Object requestBy(const std::string& user, const std::string& group,
                 const std::string& signer = "kubernetes.io/kube-apiserver-client-kubelet",
                 json::array usages = {"client auth", "digital signature"}) {
  return Object({{"metadata", json::object{{"name", "r"}}},
                 {"spec", json::object{{"signerName", signer},
                                       {"usages", std::move(usages)},
                                       {"username", user},
                                       {"groups", json::array{json::string(group)}}}}});
}

Object nodeThatIs(const char* ready) {
  return Object(
      {{"metadata", json::object{{"name", "n1"}}},
       {"status", json::object{{"conditions", json::array{json::object{{"type", "Ready"}, {"status", ready}}}}}}});
}

constexpr const char* kJoins = "system:bootstrappers";

}  // namespace

TEST_CASE("a certificate is signed for a machine that joins and for the node itself, and for nobody else") {
  const Result<AskedCertificate> n1 = AskedCertificate{"system:node:n1", {"system:nodes"}};
  const auto why = [&](const Object& request, const Result<AskedCertificate>& asked, const Object* node = nullptr) {
    return judgeNodeRequest(request, asked, node).why;
  };
  CHECK(why(requestBy("system:bootstrap:*", kJoins), n1).empty());
  CHECK(why(requestBy("system:bootstrap:n1", kJoins), n1).empty());
  CHECK(why(requestBy("system:node:n1", "system:nodes"), n1).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:n2", kJoins), n1).empty());
  CHECK_FALSE(why(requestBy("system:node:n2", "system:nodes"), n1).empty());
  CHECK_FALSE(why(requestBy("joe", "system:authenticated"), n1).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", "system:authenticated"), n1).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins, "example.org/x"), n1).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins, "kubernetes.io/kube-apiserver-client"), n1).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins, "kubernetes.io/kube-apiserver-client-kubelet",
                            {"client auth", "server auth"}),
                  n1)
                  .empty());
  CHECK_FALSE(
      why(requestBy("system:bootstrap:*", kJoins, "kubernetes.io/kube-apiserver-client-kubelet", {}), n1).empty());
  for (const AskedCertificate& asked :
       {AskedCertificate{"admin", {"system:masters"}},
        AskedCertificate{"system:node:n1", {"system:nodes", "system:masters"}}, AskedCertificate{"system:node:n1", {}},
        AskedCertificate{"system:node:", {"system:nodes"}}, AskedCertificate{"system:node:*", {"system:nodes"}},
        AskedCertificate{"system:node:N1", {"system:nodes"}},
        AskedCertificate{"system:node:n1", {"system:nodes"}, true},
        AskedCertificate{"steersman-apiserver", {"system:nodes"}}})
    CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins), asked).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins), makeError(Errc::invalid, "no request")).empty());
  // Nobody takes the place of a node that is there; one that is gone comes back.
  const auto there = nodeThatIs("True"), lost = nodeThatIs("Unknown");
  const auto taken = judgeNodeRequest(requestBy("system:bootstrap:*", kJoins), n1, &there);
  CHECK_FALSE(taken.why.empty());
  CHECK_FALSE(taken.final);
  CHECK(why(requestBy("system:bootstrap:*", kJoins), n1, &lost).empty());
  CHECK(why(requestBy("system:bootstrap:n1", kJoins), n1, &there).empty());
  CHECK(why(requestBy("system:node:n1", "system:nodes"), n1, &there).empty());
}

TEST_CASE("a serving certificate is signed for the node that asks, its own name and the addresses that it shows") {
  const auto node = Object(parseJson(R"({"metadata":{"name":"n1"},
      "status":{"addresses":[{"type":"InternalIP","address":"10.0.0.7"}]}})")
                               ->as_object());
  const auto asks = [](std::vector<std::string> hosts, std::vector<std::string> addresses, bool others = false) {
    return AskedCertificate{"system:node:n1", {"system:nodes"}, true, std::move(hosts), std::move(addresses), others};
  };
  const auto by = [](const std::string& user, json::array usages = {"server auth", "digital signature"}) {
    return requestBy(user, "system:nodes", "kubernetes.io/kubelet-serving", std::move(usages));
  };
  const auto why = [&](const Object& request, const AskedCertificate& asked) {
    return judgeNodeRequest(request, asked, &node).why;
  };
  CHECK(why(by("system:node:n1"), asks({"n1"}, {"10.0.0.7"})).empty());
  CHECK_FALSE(why(by("system:node:n2"), asks({"n1"}, {"10.0.0.7"})).empty());
  CHECK_FALSE(why(requestBy("system:bootstrap:*", kJoins, "kubernetes.io/kubelet-serving", {"server auth"}),
                  asks({"n1"}, {"10.0.0.7"}))
                  .empty());
  CHECK_FALSE(why(by("system:node:n1", {"server auth", "client auth"}), asks({"n1"}, {"10.0.0.7"})).empty());
  CHECK_FALSE(why(by("system:node:n1", {"digital signature"}), asks({"n1"}, {"10.0.0.7"})).empty());
  for (const auto& asked :
       {asks({"n2"}, {"10.0.0.7"}), asks({"n1", "n2"}, {"10.0.0.7"}), asks({}, {"10.0.0.7"}), asks({"n1"}, {}),
        asks({"n1"}, {"10.0.0.8"}), asks({"n1"}, {"10.0.0.7", "10.0.0.8"}), asks({"n1"}, {"10.0.0.7"}, true)})
    CHECK_FALSE(why(by("system:node:n1"), asked).empty());
  // The Node may come after the request.
  const auto early = judgeNodeRequest(by("system:node:n1"), asks({"n1"}, {"10.0.0.7"}), nullptr);
  CHECK_FALSE(early.why.empty());
  CHECK_FALSE(early.final);
  // The names of the request are read as they were written.
  const auto made = makeSigningRequest("system:node:n1", {"system:nodes"}, {"n1", "10.0.0.7", "fd00::7"});
  REQUIRE(made.ok());
  const auto read = readSigningRequest(made->requestPem);
  REQUIRE(read.ok());
  CHECK(read->hosts == std::vector<std::string>{"n1"});
  CHECK(read->addresses == std::vector<std::string>{"10.0.0.7", "fd00::7"});
  CHECK_FALSE(read->otherNames);
}

TEST_CASE("a machine joins by a token, is a node by its certificate, and needs the token no more") {
  Dir server, node;
  SystemClock clock;
  Random random;
  ControlPlaneOptions options;
  options.dataDir = {server.path};
  options.listen = "127.0.0.1:0";
  REQUIRE(options.dataDir.ensure().ok());
  auto plane = ControlPlane::start(options, clock, random);
  INFO((plane.ok() ? "" : plane.error().message));
  REQUIRE(plane.ok());
  const auto token = (*plane)->agentToken("");
  REQUIRE(token.ok());
  CHECK(textOf(options.dataDir.agentToken().string()) == *token + "\n");
  auto joined = NodeIdentity::open({(*plane)->url(), *token, node.path, "n1", "10.0.0.7"}, clock.now());
  INFO((joined.ok() ? "" : joined.error().message));
  REQUIRE(joined.ok());
  CHECK((std::filesystem::status(node.path + "/pki/node.key").permissions() & std::filesystem::perms::mask) ==
        (std::filesystem::perms::owner_read | std::filesystem::perms::owner_write));
  const auto client =
      makeHttpClient({.server = (*plane)->url(), .caPem = joined->caPem(), .certificate = joined->certificate()});
  const auto made = (*client)->write(
      Write::create("nodes", {{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", json::object{{"name", "n1"}}}}));
  INFO((made.ok() ? "" : made.error().message));
  CHECK(made.ok());
  CHECK((*client)->list("secrets", {}).error().code == Errc::forbidden);
  // Its serving certificate, for what its Node shows; it is kept, and another address needs another one.
  REQUIRE((*client)
              ->write(Write::patch(
                  {"nodes", "", "n1"}, PatchType::merge,
                  parseJson(R"({"status":{"addresses":[{"type":"InternalIP","address":"10.0.0.7"}]}})")->as_object(),
                  "status"))
              .ok());
  REQUIRE(joined->renewServingWhenDue(clock.now()).ok());
  const auto serving = textOf(node.path + "/pki/serving.crt");
  CHECK_FALSE(serving.empty());
  CHECK(joined->serving()->get().certificatePem == serving);
  REQUIRE(joined->renewServingWhenDue(clock.now()).ok());
  CHECK(textOf(node.path + "/pki/serving.crt") == serving);
  REQUIRE(joined->renewServingWhenDue(clock.now() + std::chrono::hours(24 * 13)).ok());
  CHECK(textOf(node.path + "/pki/serving.crt") != serving);
  // Without the token, by what is in the directory; the key is the same.
  const auto key = textOf(node.path + "/pki/node.key");
  REQUIRE(NodeIdentity::open({(*plane)->url(), "", node.path, "n1"}, clock.now()).ok());
  CHECK(textOf(node.path + "/pki/node.key") == key);
  // When little of its life is left another one is asked for, with another key, and clients show it at once.
  REQUIRE(joined->renewWhenDue(clock.now() + std::chrono::hours(24 * 13)).ok());
  CHECK(textOf(node.path + "/pki/node.key") != key);
  CHECK((*client)->get({"nodes", "", "n1"}).ok());
  CHECK_FALSE(NodeIdentity::open({(*plane)->url(), "", node.path + "/other", "n2"}, clock.now()).ok());
}
