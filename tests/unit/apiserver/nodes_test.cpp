// What a node may, and what it may say of itself.
#include <catch2/catch.hpp>

#include "cluster/apiserver/node_rights.h"
#include "core/ip_address.h"
#include "fixture.h"

using namespace steer;

namespace {

struct NodeServer : TestServer {
  Identity mine{"system:node:n1", {"system:nodes", "system:authenticated"}};
  std::unique_ptr<Client> node = makeInProcessClient(api, mine);

  NodeServer() {
    for (const char* name : {"n1", "n2"})
      make("nodes", R"({"apiVersion":"v1","kind":"Node","metadata":{"name":")" + std::string(name) + R"("}})");
    for (const char* name : {"used", "other"}) {
      make("secrets", R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"default","name":")" +
                          std::string(name) + R"("}})");
      make("configmaps", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"namespace":"default","name":")" +
                             std::string(name) + R"("}})");
    }
    podOn("mine", "n1", "used");
    podOn("theirs", "n2", "other");
  }
  void make(const std::string& resource, const std::string& text) const {
    const auto done = client->write(Write::create(resource, parsed(text)));
    INFO((done.ok() ? "" : done.error().message));
    REQUIRE(done.ok());
  }
  void podOn(const std::string& name, const std::string& on, const std::string& uses) const {
    auto body = pod(name);
    body["spec"].get_object()["nodeName"] = on;
    body["spec"].get_object()["volumes"] =
        json::array{json::object{{"name", "s"}, {"secret", json::object{{"secretName", uses}}}},
                    json::object{{"name", "m"}, {"configMap", json::object{{"name", uses}}}}};
    REQUIRE(client->write(Write::create("pods", std::move(body))).ok());
  }
  template <class T>
  static bool refused(const Result<T>& result) {
    return !result.ok() && result.error().code == Errc::forbidden;
  }
  Result<ObjectList> list(const std::string& resource, const std::string& fields) const {
    ListOptions options;
    options.fieldSelector = fields;
    return node->list(resource, options);
  }
  Result<ObjectPtr> patch(const ObjectRef& ref, const std::string& body, const std::string& subresource = "") const {
    return node->write(Write::patch(ref, PatchType::merge, *parseJson(body), subresource));
  }
};

const ObjectRef kNode{"nodes", "", "n1"};

}  // namespace

TEST_CASE("a node reads what its own pods name, and lists its own pods alone") {
  NodeServer s;
  for (const char* resource : {"secrets", "configmaps"}) {
    CHECK(s.node->get({resource, "default", "used"}).ok());
    CHECK(s.refused(s.node->get({resource, "default", "other"})));
    CHECK(s.refused(s.list(resource, "")));
  }
  CHECK(s.list("secrets", "metadata.name=used").ok() == false);  // not without the namespace
  CHECK(s.list("pods", "spec.nodeName=n1").ok());
  CHECK(s.refused(s.list("pods", "")));
  CHECK(s.refused(s.list("pods", "spec.nodeName=n2")));
  CHECK(s.refused(s.list("pods", "spec.nodeName!=n2")));
  CHECK(s.node->get({"pods", "default", "mine"}).ok());
  CHECK(s.refused(s.node->get({"pods", "default", "theirs"})));
  for (const char* resource : {"services", "nodes", "endpointslices.discovery.k8s.io"})
    CHECK(s.list(resource, "").ok());
  for (const char* resource : {"namespaces", "serviceaccounts", "deployments.apps", "applications.steersman.dev",
                               "events", "clusterroles.rbac.authorization.k8s.io"})
    CHECK(s.refused(s.list(resource, "")));
  CHECK(s.refused(s.node->watch("pods", {}, 0, {})));
}

TEST_CASE("a node writes its own Node and its own pods' status, and nothing that draws pods to it") {
  NodeServer s;
  CHECK(s.patch(kNode,
                R"({"metadata":{"labels":{"team":"a","topology.kubernetes.io/zone":"z","node.kubernetes.io/x":"y"}}})")
            .ok());
  for (const char* label :
       {"node-role.kubernetes.io/control-plane", "node-restriction.kubernetes.io/pci", "foo.k8s.io/x"})
    CHECK(s.refused(s.patch(kNode, R"({"metadata":{"labels":{")" + std::string(label) + R"(":""}}})")));
  CHECK(s.refused(s.patch(kNode, R"({"spec":{"taints":[{"key":"a","effect":"NoSchedule"}]}})")));
  CHECK(s.refused(s.patch(kNode, R"({"spec":{"podCIDR":"10.0.0.0/8"}})")));
  CHECK(s.refused(s.patch({"nodes", "", "n2"}, R"({"metadata":{"labels":{"a":"b"}}})")));
  CHECK(s.refused(s.patch({"nodes", "", "n2"}, R"({"status":{"phase":"x"}})", "status")));
  CHECK(s.refused(s.node->write(Write::remove(kNode))));
  CHECK(s.patch({"pods", "default", "mine"}, R"({"status":{"phase":"Running"}})", "status").ok());
  CHECK(s.refused(s.patch({"pods", "default", "theirs"}, R"({"status":{"phase":"Failed"}})", "status")));
  CHECK(s.refused(s.patch({"pods", "default", "mine"}, R"({"metadata":{"labels":{"app":"stolen"}}})")));
  CHECK(s.refused(s.node->write(Write::remove({"pods", "default", "theirs"}))));
  CHECK(s.refused(s.node->write(Write::create("pods", pod("fresh")))));
  // A taint that an administrator set cannot be taken away by the node.
  REQUIRE(s.client
              ->write(Write::patch(kNode, PatchType::merge,
                                   *parseJson(R"({"spec":{"taints":[{"key":"k","effect":"NoSchedule"}]}})")))
              .ok());
  CHECK(s.refused(s.patch(kNode, R"({"spec":{"taints":null}})")));
}

TEST_CASE("a new node names itself without what draws pods to it") {
  NodeServer s;
  const Identity fresh{"system:node:n3", {"system:nodes"}};
  const auto client = makeInProcessClient(s.api, fresh);
  const auto body = [](const std::string& label) {
    return parsed(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n3","labels":{")" + label + R"(":""}}})");
  };
  CHECK(s.refused(client->write(Write::create("nodes", body("node-role.kubernetes.io/master")))));
  CHECK(client->write(Write::create("nodes", body("kubernetes.io/hostname"))).ok());
  CHECK(s.refused(
      s.node->write(Write::create("nodes", parsed(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n4"}})")))));
}

TEST_CASE("a node's addresses are IP addresses") {
  NodeServer s;
  const auto say = [&](const std::string& address, const std::string& type = "InternalIP") {
    return s.patch(kNode, R"({"status":{"addresses":[{"type":")" + type + R"(","address":")" + address + R"("}]}})",
                   "status");
  };
  for (const char* good : {"10.0.0.1", "2001:db8::1"}) CHECK(say(good).ok());
  for (const char* bad : {"127.0.0.1:6443/api/v1/secrets#", "localhost", "a@127.0.0.1", "not an address", "10.0.0.1 ",
                          "10.0.0.1/..", "[::1]", "0x7f.1", "010.0.0.1.5", ""}) {
    const auto done = say(bad);
    INFO(bad);
    REQUIRE_FALSE(done.ok());
    CHECK(done.error().code == Errc::invalid);
  }
  CHECK_FALSE(say("x", "ExternalIP").ok());
  CHECK(say("n1.example.org", "Hostname").ok());
  for (const char* port : {"-1", "65536"})
    CHECK_FALSE(s.patch(kNode,
                        R"({"status":{"daemonEndpoints":{"kubeletEndpoint":{"Port":)" + std::string(port) + "}}}}",
                        "status")
                    .ok());
}

TEST_CASE("addresses of this machine and its link are told from those of the network") {
  for (const char* local : {"127.0.0.1", "127.9.9.9", "0.0.0.0", "169.254.169.254", "224.0.0.1", "255.255.255.255",
                            "::1", "::", "fe80::1", "fe80::1%eth0", "febf::1", "ff02::1", "::ffff:127.0.0.1",
                            "::127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "no address"})
    CHECK(isLocalAddress(local));
  for (const char* far : {"10.0.0.1", "192.168.1.1", "8.8.8.8", "2001:db8::1", "fd00::1", "::ffff:10.0.0.1"})
    CHECK_FALSE(isLocalAddress(far));
  CHECK(urlHostOf("::1") == "[::1]");
  CHECK(urlHostOf("10.0.0.1") == "10.0.0.1");
}
