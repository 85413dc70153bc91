// Roles, bindings, questions about them, and acting as somebody else.
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <functional>

#include "cluster/apiserver/account_tokens.h"
#include "cluster/apiserver/role_book.h"
#include "core/log.h"
#include "fixture.h"

using namespace steer;

namespace {

const Identity kAlice{"alice", {"devs", "system:authenticated"}};

constexpr const char* kRbac = R"("apiVersion":"rbac.authorization.k8s.io/v1")";

json::object roleNamed(const std::string& name, const std::string& rules, const std::string& ns = "default") {
  return parsed(std::string("{") + kRbac + R"(,"kind":")" + (ns.empty() ? "ClusterRole" : "Role") +
                R"(","metadata":{"name":")" + name + "\"" + (ns.empty() ? "" : R"(,"namespace":")" + ns + "\"") +
                R"(},"rules":)" + rules + "}");
}

json::object bindingTo(const std::string& role, const std::string& subject, const std::string& ns = "default") {
  const std::string kind = role.substr(0, role.find('/')), name = role.substr(role.find('/') + 1);
  return parsed(std::string("{") + kRbac + R"(,"kind":")" + (ns.empty() ? "ClusterRoleBinding" : "RoleBinding") +
                R"(","metadata":{"name":"b-)" + name + "\"" + (ns.empty() ? "" : R"(,"namespace":")" + ns + "\"") +
                R"(},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":")" + kind + R"(","name":")" + name +
                R"("},"subjects":[)" + subject + "]}");
}

const std::string kToAlice = R"({"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"alice"})";
const std::string kToDevs = R"({"apiGroup":"rbac.authorization.k8s.io","kind":"Group","name":"devs"})";

ListOptions within(const std::string& ns) {
  ListOptions out;
  out.ns = ns;
  return out;
}

struct RightsServer : TestServer {
  std::unique_ptr<Client> alice = makeInProcessClient(api, kAlice);

  static std::string resourceOf(const json::object& body) {
    std::string kind(stringAt(body, {"kind"}));
    for (auto& c : kind) c = static_cast<char>(std::tolower(c));
    return kind + "s.rbac.authorization.k8s.io";
  }
  Result<ObjectPtr> make(json::object body, Client* as = nullptr) {
    const auto resource = resourceOf(body);
    return (as != nullptr ? *as : *client).write(Write::create(resource, std::move(body)));
  }
  void give(const std::string& name, const std::string& rules, const std::string& ns = "default",
            const std::string& subject = kToAlice) {
    REQUIRE(make(roleNamed(name, rules, ns)).ok());
    REQUIRE(make(bindingTo((ns.empty() ? "ClusterRole/" : "Role/") + name, subject, ns)).ok());
  }
  /// The message with which alice is refused; empty when she is not.
  template <class T>
  static std::string refusal(const Result<T>& result) {
    if (result.ok()) return "";
    CHECK(result.error().code == Errc::forbidden);
    return result.error().message;
  }
  json::object review(const std::string& kind, const std::string& spec, const Identity& who) {
    std::string plural = kind + "s";
    for (auto& c : plural) c = static_cast<char>(std::tolower(c));
    const Identity before = std::exchange(admin, who);
    const auto answer =
        call("POST", "/apis/authorization.k8s.io/v1/" + plural,
             R"({"apiVersion":"authorization.k8s.io/v1","kind":")" + kind + R"(","spec":)" + spec + "}");
    admin = before;
    return object(answer);
  }
  Response asAdmin(const std::string& method, const std::string& target,
                   const std::multimap<std::string, std::string>& headers, const Identity& sender) {
    Request request;
    request.method = method;
    request.path = target;
    request.headers = headers;
    if (method == "POST") request.body = "{}";
    request.identity = sender;
    return api.handle(request);
  }
};

}  // namespace

TEST_CASE("who holds no role may nothing, and hears it in Kubernetes' words") {
  RightsServer s;
  CHECK(RightsServer::refusal(s.alice->list("pods", within("default"))) ==
        R"(pods is forbidden: User "alice" cannot list resource "pods" in API group "" in the namespace "default")");
  CHECK(RightsServer::refusal(s.alice->list("nodes", {})) ==
        R"(nodes is forbidden: User "alice" cannot list resource "nodes" in API group "" at the cluster scope)");
  CHECK(RightsServer::refusal(s.alice->get({"deployments.apps", "default", "web"})) ==
        R"(deployments.apps "web" is forbidden: User "alice" cannot get resource "deployments" in API group "apps" )"
        R"(in the namespace "default")");
}

TEST_CASE("a role gives its verbs on its resources in its namespace, from the moment it is bound until it is not") {
  RightsServer s;
  REQUIRE(
      s.make(roleNamed("reader", R"([{"verbs":["get","list"],"apiGroups":[""],"resources":["configmaps"]}])")).ok());
  CHECK_FALSE(s.alice->list("configmaps", within("default")).ok());
  REQUIRE(s.make(bindingTo("Role/reader", kToAlice)).ok());
  CHECK(s.alice->list("configmaps", within("default")).ok());
  CHECK_FALSE(s.alice->list("configmaps", within("kube-system")).ok());
  CHECK_FALSE(s.alice->list("configmaps", {}).ok());
  CHECK_FALSE(s.alice->list("secrets", within("default")).ok());
  CHECK_FALSE(s.alice->write(Write::create("configmaps", configMap("c"))).ok());
  REQUIRE(s.client->write(Write::remove({"rolebindings.rbac.authorization.k8s.io", "default", "b-reader"})).ok());
  CHECK_FALSE(s.alice->list("configmaps", within("default")).ok());
}

TEST_CASE("a cluster role counts everywhere when bound for the cluster, and in one namespace when bound there") {
  RightsServer s;
  const std::string rules = R"([{"verbs":["list"],"apiGroups":["apps"],"resources":["deployments"]}])";
  REQUIRE(s.make(roleNamed("lister", rules, "")).ok());
  REQUIRE(s.make(bindingTo("ClusterRole/lister", kToDevs)).ok());
  CHECK(s.alice->list("deployments.apps", within("default")).ok());
  CHECK_FALSE(s.alice->list("deployments.apps", {}).ok());
  REQUIRE(s.make(bindingTo("ClusterRole/lister", kToDevs, "")).ok());
  CHECK(s.alice->list("deployments.apps", {}).ok());
  CHECK(s.alice->list("deployments.apps", within("kube-system")).ok());
}

TEST_CASE("a rule matches by verb, group, resource, subresource, name and path, and stars match all") {
  const auto rule = [](const std::string& text) { return policyRuleOf(*parseJson(text)); };
  const auto named = rule(R"({"verbs":["get"],"apiGroups":[""],"resources":["secrets"],"resourceNames":["a"]})");
  CHECK(allows(named, {"get", "secrets", "", "x", "a"}));
  CHECK_FALSE(allows(named, {"get", "secrets", "", "x", "b"}));
  CHECK_FALSE(allows(named, {"list", "secrets", "", "x", ""}));
  const auto scale = rule(R"({"verbs":["*"],"apiGroups":["apps"],"resources":["*/scale"]})");
  CHECK(allows(scale, {"update", "deployments.apps", "scale", "x", "a"}));
  CHECK_FALSE(allows(scale, {"update", "deployments.apps", "", "x", "a"}));
  CHECK_FALSE(allows(scale, {"update", "replicationcontrollers", "scale", "x", "a"}));
  const auto logs = rule(R"({"verbs":["get"],"apiGroups":["*"],"resources":["pods/log"]})");
  CHECK(allows(logs, {"get", "pods", "log", "x", "a"}));
  CHECK_FALSE(allows(logs, {"get", "pods", "", "x", "a"}));
  const auto paths = rule(R"({"verbs":["get"],"nonResourceURLs":["/logs/*","/metrics"]})");
  CHECK(allows(paths, {"get", "", "", "", "", "/logs/a"}));
  CHECK(allows(paths, {"get", "", "", "", "", "/metrics"}));
  CHECK_FALSE(allows(paths, {"get", "", "", "", "", "/metrics/a"}));
  CHECK_FALSE(allows(paths, {"get", "pods", "", "x", ""}));
}

TEST_CASE("the view role shows a namespace without its secrets, edit changes it, admin gives roles in it") {
  RightsServer s;
  const auto may = [&](const std::string& role, const AccessQuestion& q) {
    BuiltinAuthorizer judge;
    Snapshot view = s.store->snapshot();
    auto binding = bindingTo("ClusterRole/" + role, kToAlice);
    view.put("rolebindings.rbac.authorization.k8s.io", Object::make(std::move(binding)));
    return judge.decide(kAlice, q, view).allowed;
  };
  CHECK(may("view", {"list", "pods", "", "default", ""}));
  CHECK_FALSE(may("view", {"list", "secrets", "", "default", ""}));
  CHECK_FALSE(may("view", {"delete", "pods", "", "default", "p"}));
  CHECK(may("edit", {"list", "pods", "", "default", ""}));
  CHECK(may("edit", {"delete", "pods", "", "default", "p"}));
  CHECK(may("edit", {"get", "secrets", "", "default", "x"}));
  CHECK_FALSE(may("edit", {"create", "roles.rbac.authorization.k8s.io", "", "default", ""}));
  CHECK_FALSE(may("edit", {"create", "applications.steersman.dev", "", "default", ""}));
  CHECK(may("admin", {"create", "roles.rbac.authorization.k8s.io", "", "default", ""}));
  CHECK(may("admin", {"delete", "pods", "", "default", "p"}));
  CHECK_FALSE(may("admin", {"delete", "pods", "", "kube-system", "p"}));
  CHECK(may("cluster-admin", {"*", "*.*", "", "default", ""}));
}

TEST_CASE("a role that gathers others grows with what is labelled for it") {
  RightsServer s;
  auto gathering = roleNamed("gathering", "[]", "");
  gathering["aggregationRule"] = parsed(R"({"clusterRoleSelectors":[{"matchLabels":{"team":"devs"}}]})");
  REQUIRE(s.make(std::move(gathering)).ok());
  REQUIRE(s.make(bindingTo("ClusterRole/gathering", kToAlice, "")).ok());
  CHECK_FALSE(s.alice->list("nodes", {}).ok());
  auto part = roleNamed("part", R"([{"verbs":["list"],"apiGroups":[""],"resources":["nodes"]}])", "");
  part["metadata"].as_object()["labels"] = json::object{{"team", "devs"}};
  REQUIRE(s.make(std::move(part)).ok());
  CHECK(s.alice->list("nodes", {}).ok());
}

TEST_CASE("a service account holds what is bound to it and to its namespace's accounts") {
  RightsServer s;
  s.give("lister", R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])", "default",
         R"({"kind":"ServiceAccount","name":"robot","namespace":"kube-system"})");
  const auto robot = makeInProcessClient(s.api, serviceAccountIdentity("kube-system", "robot"));
  const auto other = makeInProcessClient(s.api, serviceAccountIdentity("default", "robot"));
  CHECK(robot->list("pods", within("default")).ok());
  CHECK_FALSE(other->list("pods", within("default")).ok());
}

TEST_CASE("nobody writes a role that holds more than they hold") {
  RightsServer s;
  s.give("smith", R"([{"verbs":["*"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["roles","rolebindings"]},
                      {"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}])");
  const auto fair = roleNamed("fair", R"([{"verbs":["get"],"apiGroups":[""],"resources":["pods"]}])");
  CHECK(s.make(fair, s.alice.get()).ok());
  const auto unfair = roleNamed("unfair", R"([{"verbs":["get","delete"],"apiGroups":[""],"resources":["pods"]}])");
  // `*` on roles holds `escalate` too, as everywhere in Kubernetes: take the verbs apart.
  REQUIRE(s.client->write(Write::remove({"roles.rbac.authorization.k8s.io", "default", "smith"})).ok());
  REQUIRE(s.make(roleNamed("smith", R"([{"verbs":["create","update"],"apiGroups":["rbac.authorization.k8s.io"],
      "resources":["roles","rolebindings"]},{"verbs":["get","list"],"apiGroups":[""],"resources":["pods"]}])"))
              .ok());
  const auto refused = RightsServer::refusal(s.make(unfair, s.alice.get()));
  CHECK(refused ==
        "roles.rbac.authorization.k8s.io \"unfair\" is forbidden: user \"alice\" (groups=[\"devs\" "
        "\"system:authenticated\"]) is attempting to grant RBAC permissions not currently held:\n"
        "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"delete\"]}");
  auto grown = unfair;
  grown["metadata"].as_object()["name"] = "fair";
  CHECK_FALSE(s.alice->write(Write::update("roles.rbac.authorization.k8s.io", grown)).ok());
  CHECK(s.client->write(Write::update("roles.rbac.authorization.k8s.io", grown)).ok());
}

TEST_CASE("nobody binds a role that holds more than they hold, unless they may bind that role") {
  RightsServer s;
  s.give("smith", R"([{"verbs":["create"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["rolebindings"]},
                      {"verbs":["get","list","watch"],"apiGroups":["*"],"resources":["*"]}])");
  CHECK_FALSE(RightsServer::refusal(s.make(bindingTo("ClusterRole/cluster-admin", kToAlice), s.alice.get())).empty());
  CHECK(s.make(bindingTo("ClusterRole/view", kToAlice), s.alice.get()).ok());
  s.give("binder", R"([{"verbs":["bind"],"apiGroups":["rbac.authorization.k8s.io"],"resources":["clusterroles"],
                        "resourceNames":["edit"]}])");
  CHECK(s.make(bindingTo("ClusterRole/edit", kToAlice), s.alice.get()).ok());
  CHECK_FALSE(s.make(bindingTo("ClusterRole/admin", kToAlice), s.alice.get()).ok());
}

TEST_CASE("an application acts as an account that its writer may impersonate, or its writer may everything") {
  RightsServer s;
  s.give("apps", R"([{"verbs":["create"],"apiGroups":["steersman.dev"],"resources":["applications"]},
    {"verbs":["impersonate"],"apiGroups":[""],"resources":["serviceaccounts"],"resourceNames":["deployer"]}])");
  const auto application = [](const std::string& name, const std::string& account) {
    return parsed(
        R"({"apiVersion":"steersman.dev/v1","kind":"Application","metadata":{"namespace":"default","name":")" + name +
        R"("},"spec":{"source":{"url":"https://example.org/x.git"})" + account + "}}");
  };
  const auto make = [&](Client& as, json::object body) {
    return as.write(Write::create("applications.steersman.dev", std::move(body)));
  };
  CHECK(RightsServer::refusal(make(*s.alice, application("a", ""))).find("must name an account") != std::string::npos);
  CHECK(RightsServer::refusal(make(*s.alice, application("a", R"(,"serviceAccountName":"root")")))
            .find("cannot impersonate") != std::string::npos);
  CHECK(make(*s.alice, application("a", R"(,"serviceAccountName":"deployer")")).ok());
  CHECK(make(*s.client, application("b", "")).ok());
}

TEST_CASE("administrators and the system's parts go on working when every role is gone") {
  RightsServer s;
  for (const char* resource :
       {"clusterrolebindings.rbac.authorization.k8s.io", "clusterroles.rbac.authorization.k8s.io"}) {
    const auto all = s.client->list(resource, {});
    REQUIRE(all->items.size() > 4);
    for (const auto& item : all->items) REQUIRE(s.client->write(Write::remove({resource, "", item->name()})).ok());
  }
  CHECK(s.client->write(Write::create("configmaps", configMap("c"))).ok());
  const auto node = makeInProcessClient(s.api, {"system:node:n1", {"system:nodes", "system:authenticated"}});
  CHECK(node->list("services", {}).ok());
  CHECK(s.asAdmin("GET", "/api", {}, kAlice).status == 200);
  // The next start brings them back.
  const ApiServer again(*s.store, s.clock, s.random, {});
  CHECK(s.client->get({"clusterroles.rbac.authorization.k8s.io", "", "cluster-admin"}).ok());
}

TEST_CASE("one may ask what one may, and who may ask about others may do that") {
  RightsServer s;
  s.give("lister", R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])");
  const std::string pods = R"("resourceAttributes":{"verb":"list","resource":"pods","namespace":"default"})";
  const auto mine = s.review("SelfSubjectAccessReview", "{" + pods + "}", kAlice);
  CHECK(boolAt(mine, {"status", "allowed"}));
  CHECK(stringAt(mine, {"status", "reason"}) ==
        R"(RBAC: allowed by RoleBinding "b-lister/default" of Role "lister" to User "alice")");
  const auto rules = s.review("SelfSubjectRulesReview", R"({"namespace":"default"})", kAlice);
  CHECK(jsonText(*find(rules, {"status", "resourceRules"}))
            .find(R"({"verbs":["list"],"apiGroups":[""],"resources":["pods"]})") != std::string::npos);
  CHECK(stringAt(s.review("SubjectAccessReview", "{" + pods + R"(,"user":"alice"})", kAlice), {"reason"}) ==
        "Forbidden");
  CHECK(boolAt(s.review("SubjectAccessReview", "{" + pods + R"(,"user":"alice"})", systemIdentity()),
               {"status", "allowed"}));
  CHECK_FALSE(boolAt(s.review("SubjectAccessReview", "{" + pods + R"(,"user":"bob"})", systemIdentity()),
                     {"status", "allowed"}));
}

TEST_CASE("who may impersonate is then judged as the other, and nobody else is") {
  RightsServer s;
  s.give("lister", R"([{"verbs":["list"],"apiGroups":[""],"resources":["pods"]}])");
  const std::string pods = "/api/v1/namespaces/default/pods";
  const auto root = systemIdentity();
  CHECK(s.asAdmin("GET", pods, {{"impersonate-user", "alice"}}, root).status == 200);
  const auto bob = s.asAdmin("GET", pods, {{"impersonate-user", "bob"}}, root);
  CHECK(bob.status == 403);
  CHECK(bob.body.find(R"(User \"bob\" cannot list)") != std::string::npos);
  const auto refused =
      s.asAdmin("GET", pods, {{"impersonate-user", "root"}, {"impersonate-group", "system:masters"}}, kAlice);
  CHECK(refused.status == 403);
  CHECK(refused.body.find(R"(User \"alice\" cannot impersonate resource \"users\")") != std::string::npos);
  CHECK(s.asAdmin("GET", pods, {{"impersonate-group", "system:masters"}}, root).status == 400);
  s.give("actor", R"([{"verbs":["impersonate"],"apiGroups":[""],"resources":["users"],"resourceNames":["carol"]}])",
         "");
  CHECK(s.asAdmin("GET", "/api", {{"impersonate-user", "carol"}}, kAlice).status == 200);
  CHECK(s.asAdmin("GET", "/api", {{"impersonate-user", "carol"}, {"impersonate-group", "system:masters"}}, kAlice)
            .status == 403);
}

TEST_CASE("an impersonated account is in its groups, and extras arrive as they were sent") {
  RightsServer s;
  const auto who = [&](const std::multimap<std::string, std::string>& headers) {
    auto answer = s.asAdmin("POST", "/apis/authentication.k8s.io/v1/selfsubjectreviews", headers, systemIdentity());
    return jsonText(*find(s.object(answer), {"status", "userInfo"}));
  };
  CHECK(who({{"impersonate-user", "system:serviceaccount:a:b"}}) ==
        R"({"username":"system:serviceaccount:a:b","groups":["system:serviceaccounts","system:serviceaccounts:a",)"
        R"("system:authenticated"]})");
  CHECK(who({{"impersonate-user", "x"}, {"impersonate-uid", "7"}, {"impersonate-extra-acme.com%2fproject", "p"}}) ==
        R"({"username":"x","uid":"7","groups":["system:authenticated"],"extra":{"acme.com/project":["p"]}})");
}

/// A PKCS #10 request for system:node:n7, PEM in base64. Its key is gone.
const std::string kRequest =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURSBSRVFVRVNULS0tLS0KTUlIck1JR1NBZ0VBTURBeEZUQVRCZ05WQkFvTURITjVjM1JsYlRw"
    "dWIyUmxjekVYTUJVR0ExVUVBd3dPYzNsegpkR1Z0T201dlpHVTZiamN3V1RBVEJnY3Foa2pPUFFJQkJnZ3Foa2pPUFFNQkJ3TkNB"
    "QVF3MzBFZ0dpMGlmK2krCmkyYzJJVkEzYnpoelo3Si9WclIvaVp6UUVJTEdEdTdjajAvY2NlNXNyRzZzNm94UXFEbExOa3JBaW53"
    "NGVKWVgKY2lPNDF6TUlvQUF3Q2dZSUtvWkl6ajBFQXdJRFNBQXdSUUlnUXR4NkdTWFhOMk9ZOVFaOGdUYVovd1J2ZVAyNwpNMTBX"
    "R0J4K1ZpM0NoUkFDSVFDL1pWYmV3SkRMUmJhTzFIaFZkblVQTVRBNXczaU8zaTFBMnlkcUlneFVOQT09Ci0tLS0tRU5EIENFUlRJ"
    "RklDQVRFIFJFUVVFU1QtLS0tLQo=";

TEST_CASE("the token by which nodes join is no node, and lets its holder ask for a certificate alone") {
  RightsServer s;
  const Identity joining{"system:bootstrap:*", {"system:bootstrappers", "system:authenticated"}};
  for (const char* user : {"system:node:n7", "admin"})
    CHECK(s.asAdmin("GET", "/api/v1/nodes", {{"impersonate-user", user}}, joining).status == 403);
  for (const char* path :
       {"/api/v1/nodes", "/api/v1/pods", "/api/v1/namespaces/kube-system/configmaps/steersman-cluster",
        "/apis/certificates.k8s.io/v1/certificatesigningrequests"})
    CHECK(s.asAdmin("GET", path, {}, joining).status == 403);
  const auto request = [](const std::string& name) {
    return parsed(R"({"apiVersion":"certificates.k8s.io/v1","kind":"CertificateSigningRequest","metadata":{"name":")" +
                  name + R"("},"spec":{"request":")" + kRequest +
                  R"(","signerName":"kubernetes.io/kube-apiserver-client-kubelet",
                  "usages":["client auth"],"username":"admin","groups":["system:masters"]}})");
  };
  const std::string requests = "certificatesigningrequests.certificates.k8s.io";
  const auto client = makeInProcessClient(s.api, joining);
  const auto made = client->write(Write::create(requests, request("mine")));
  INFO((made.ok() ? "" : made.error().message));
  REQUIRE(made.ok());
  CHECK(stringAt((*made)->spec(), {"username"}) == "system:bootstrap:*");
  CHECK(arrayAt((*made)->spec(), {"groups"}) == json::array{"system:bootstrappers", "system:authenticated"});
  CHECK(client->get({requests, "", "mine"}).ok());
  REQUIRE(s.client->write(Write::create(requests, request("theirs"))).ok());
  CHECK(client->get({requests, "", "theirs"}).error().code == Errc::forbidden);
  CHECK_FALSE(client
                  ->write(Write::patch({requests, "", "mine"}, PatchType::merge,
                                       *parseJson(R"({"status":{"certificate":"eA=="}})"), "status"))
                  .ok());
  const Identity one{"system:node:n1", {"system:nodes", "system:authenticated"}};
  CHECK(s.asAdmin("GET", "/api/v1/nodes", {{"impersonate-user", "system:node:n7"}}, one).status == 403);
  CHECK(s.asAdmin("GET", "/api/v1/nodes", {{"impersonate-user", "system:node:n1"}}, one).status == 200);
}

TEST_CASE("a write of a batch that is made as somebody else is judged as theirs") {
  RightsServer s;
  s.give("maker", R"([{"verbs":["create"],"apiGroups":[""],"resources":["configmaps"]}])", "default",
         R"({"kind":"ServiceAccount","name":"robot","namespace":"default"})");
  std::vector<Write> writes{Write::create("configmaps", configMap("a")), Write::create("pods", pod("p")),
                            Write::create("pods", pod("q"))};
  writes[0].actAs = writes[1].actAs = "system:serviceaccount:default:robot";
  BatchOptions dry;
  dry.dryRun = true;
  const auto done = s.client->batch(writes, dry);
  CHECK(done[0].ok());
  CHECK(RightsServer::refusal(done[1]) ==
        R"(pods "p" is forbidden: User "system:serviceaccount:default:robot" cannot create resource "pods" in API )"
        R"(group "" in the namespace "default")");
  CHECK(done[2].ok());
  writes[0].actAs = "admin";
  CHECK(RightsServer::refusal(s.alice->batch(writes, {})[0]).find("cannot impersonate resource \"users\"") !=
        std::string::npos);
}

TEST_CASE("who approved is who asked, whatever the request says") {
  RightsServer s;
  REQUIRE(s.client
              ->write(Write::create("applications.steersman.dev",
                                    parsed(R"({"apiVersion":"steersman.dev/v1","kind":"Application",
      "metadata":{"namespace":"default","name":"shop"},"spec":{"source":{"url":"file:///srv/x.git"}}})")))
              .ok());
  s.give("approver", R"([{"verbs":["patch"],"apiGroups":["steersman.dev"],"resources":["applications"]}])");
  const auto approve = [&](Client& as, const std::string& text) {
    const auto done = as.write(Write::patch(
        {"applications.steersman.dev", "default", "shop"}, PatchType::merge,
        json::object{{"metadata", {{"annotations", {{"steersman.dev/approve-delete", json::string(text)}}}}}}));
    REQUIRE(done.ok());
    return parsed(std::string((*done)->annotation("steersman.dev/approve-delete")));
  };
  const auto first = approve(*s.alice, R"({"commit":"c1","digest":"d","by":"eve","at":"1999-01-01T00:00:00Z"})");
  CHECK(stringAt(first, {"by"}) == "alice");
  CHECK(stringAt(first, {"at"}).starts_with("2026-01-01"));
  CHECK(stringAt(first, {"commit"}) == "c1");
  // The same approval again, even under another name, is still the first approver's.
  CHECK(stringAt(approve(*s.client, R"({"commit":"c1","digest":"d","by":"eve"})"), {"by"}) == "alice");
  CHECK(stringAt(approve(*s.client, R"({"commit":"c2","digest":"d","by":"alice"})"), {"by"}) == "system:steersman");
}

namespace {

/// What goes to standard error while `work` runs.
std::string errorOutputOf(const std::function<void()>& work) {
  std::FILE* file = std::tmpfile();
  REQUIRE(file != nullptr);
  std::fflush(stderr);
  const int kept = ::dup(2);
  ::dup2(::fileno(file), 2);
  work();
  std::fflush(stderr);
  ::dup2(kept, 2);
  ::close(kept);
  std::rewind(file);
  std::string out;
  for (int c = std::fgetc(file); c != EOF; c = std::fgetc(file)) out += static_cast<char>(c);
  std::fclose(file);
  return out;
}

}  // namespace

TEST_CASE("Who acted as whom stands in the log: one line for a batch, none for a rehearsal or for reading") {
  RightsServer s;
  const auto write = [](const std::string& name) {
    Write out = Write::create("configmaps", configMap(name));
    out.actAs = "alice";
    return out;
  };
  s.give("maps", R"([{"apiGroups":[""],"resources":["configmaps"],"resourceNames":[],"verbs":["create","get"]}])");
  const auto batch = [&](bool dryRun) {
    BatchOptions options;
    options.dryRun = dryRun;
    Write secret =
        Write::create("secrets", parsed(R"({"apiVersion":"v1","kind":"Secret","metadata":{"namespace":"default",
      "name":"s"}})"));
    secret.actAs = "alice";
    (void)s.client->batch({write("a"), write("b"), secret, Write::create("configmaps", configMap("own"))}, options);
  };
  log::setLevel(log::Level::info);
  CHECK(errorOutputOf([&] { batch(true); }).find("acted as") == std::string::npos);
  const auto line = errorOutputOf([&] { batch(false); });
  INFO(line);
  CHECK(line.find("acted as another user") != std::string::npos);
  CHECK(line.find("acted as", line.find("acted as") + 1) == std::string::npos);
  CHECK(line.find("user=" + s.admin.user) != std::string::npos);
  CHECK(line.find("as=alice") != std::string::npos);
  CHECK(line.find("done=2") != std::string::npos);
  CHECK(line.find("refused=1") != std::string::npos);
  CHECK(line.find("create configmaps") != std::string::npos);

  const auto call = [&](const std::string& method, const std::string& path) {
    Request request;
    request.method = method;
    request.path = path;
    request.headers.emplace("impersonate-user", "alice");
    request.headers.emplace("content-type", "application/json");
    request.body = method == "POST" ? jsonText(configMap("c")) : "";
    request.identity = s.admin;
    return s.api.handle(request).status;
  };
  const auto posted = errorOutputOf([&] { CHECK(call("POST", "/api/v1/namespaces/default/configmaps") == 201); });
  INFO(posted);
  CHECK(posted.find("as=alice") != std::string::npos);
  CHECK(posted.find("POST /api/v1/namespaces/default/configmaps") != std::string::npos);
  CHECK(errorOutputOf([&] { CHECK(call("GET", "/api/v1/namespaces/default/configmaps/c") == 200); }).empty());
  log::setLevel(log::Level::off);
}
