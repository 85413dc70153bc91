// What proves that an application applied an object, and who may direct an application.
#include <catch2/catch.hpp>

#include "fixture.h"
#include "schemas/ownership_proof.h"

using namespace steer;

namespace {

constexpr const char* kRbac = R"("apiVersion":"rbac.authorization.k8s.io/v1")";

struct TenantServer : TestServer {
  using TestServer::TestServer;
  Identity joe{"joe", {"system:authenticated"}};
  std::unique_ptr<Client> tenant = makeInProcessClient(api, joe);

  void make(const std::string& resource, const std::string& text) const {
    const auto done = client->write(Write::create(resource, parsed(text)));
    INFO((done.ok() ? "" : done.error().message));
    REQUIRE(done.ok());
  }
  /// joe may, in namespace default.
  void give(const std::string& rules) const {
    make("roles.rbac.authorization.k8s.io", std::string("{") + kRbac + R"(,"kind":"Role","metadata":{"name":"joes",
      "namespace":"default"},"rules":)" + rules +
                                                "}");
    make("rolebindings.rbac.authorization.k8s.io",
         std::string("{") + kRbac + R"(,"kind":"RoleBinding","metadata":{"name":"joes","namespace":"default"},
      "roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"joes"},
      "subjects":[{"apiGroup":"rbac.authorization.k8s.io","kind":"User","name":"joe"}]})");
  }
  ObjectPtr map() const { return *client->get({"configmaps", "default", "m"}); }
  std::string owner() const { return provenOwner(map()->json()); }
  static std::string refusal(const Result<ObjectPtr>& result) {
    return result.ok() ? "" : result.error().code == Errc::forbidden ? result.error().message : "another error";
  }
};

constexpr const char* kEdits = R"([{"apiGroups":["","steersman.dev"],"resources":["configmaps","applications",
  "gitrepositories"],"verbs":["get","create","update","patch","delete"]}])";

json::object labelled(const std::string& application) {
  auto out = configMap("m");
  out["metadata"].get_object()["labels"] = json::object{{kOwnerLabel, application}};
  return out;
}

json::object application(const std::string& source, const std::string& label = "", const std::string& account = "") {
  auto out = parsed(R"({"apiVersion":"steersman.dev/v1","kind":"Application","metadata":{"name":"a",
    "namespace":"default"},"spec":{"source":)" +
                    source + "}}");
  if (!label.empty()) out["metadata"].get_object()["labels"] = json::object{{kOwnerLabel, label}};
  if (!account.empty()) out["spec"].get_object()["serviceAccountName"] = account;
  return out;
}

const ObjectRef kMap{"configmaps", "default", "m"};
const ObjectRef kApp{"applications.steersman.dev", "default", "a"};

json::value merge(const std::string& text) { return *parseJson(text); }

}  // namespace

TEST_CASE("nobody but the reconciler writes as the reconciler") {
  TenantServer s;
  s.give(kEdits);
  for (const char* label : {"root", "victim.v", "default.a", ""}) {
    const auto forged = s.tenant->write(Write::apply("configmaps", labelled(label), "steersman", true));
    CHECK(s.refusal(forged).find("cannot write as field manager \"steersman\"") != std::string::npos);
  }
  Write create = Write::create("configmaps", labelled("root"));
  create.fieldManager = "steersman";
  CHECK_FALSE(s.refusal(s.tenant->write(create)).empty());
  // Another manager's object with the label is no member of anything.
  REQUIRE(s.tenant->write(Write::apply("configmaps", labelled("root"), "joes-tool", true)).ok());
  CHECK(s.owner().empty());
}

TEST_CASE("managed fields written by hand prove nothing") {
  TenantServer s;
  s.give(kEdits);
  REQUIRE(s.client->write(Write::create("configmaps", labelled("root"))).ok());
  const std::string forged = R"("managedFields":[{"manager":"steersman","operation":"Apply","apiVersion":"v1",
    "fieldsType":"FieldsV1","fieldsV1":{"f:metadata":{"f:labels":{"f:steersman.dev/application":{}}}}}])";
  for (const auto type : {PatchType::merge, PatchType::strategic})
    CHECK_FALSE(
        s.refusal(s.tenant->write(Write::patch(kMap, type, merge(R"({"metadata":{)" + forged + "}}")))).empty());
  const auto json = merge(R"([{"op":"add","path":"/metadata/managedFields","value":[{"manager":"steersman",
    "operation":"Apply","apiVersion":"v1","fieldsType":"FieldsV1",
    "fieldsV1":{"f:metadata":{"f:labels":{"f:steersman.dev/application":{}}}}}]}])");
  CHECK_FALSE(s.refusal(s.tenant->write(Write::patch(kMap, PatchType::json, json))).empty());
  auto body = s.map()->json();
  body["metadata"].get_object()["managedFields"] = merge("{" + forged + "}").get_object()["managedFields"];
  (void)s.tenant->write(Write::update("configmaps", body));
  CHECK(s.owner().empty());
}

TEST_CASE("a label that others change names no owner") {
  TenantServer s;
  s.give(kEdits);
  REQUIRE(s.client->write(Write::apply("configmaps", labelled("tenant"), "steersman", true)).ok());
  REQUIRE(s.owner() == "tenant");
  const auto relabel = merge(R"({"metadata":{"labels":{"steersman.dev/application":"root"}}})");
  REQUIRE(s.tenant->write(Write::patch(kMap, PatchType::merge, relabel)).ok());
  CHECK(s.owner().empty());
}

TEST_CASE("the verb reconcile on an application lets its holder write for that one alone") {
  TenantServer s;
  s.give(R"([{"apiGroups":[""],"resources":["configmaps"],"verbs":["get","create","patch"]},
             {"apiGroups":["steersman.dev"],"resources":["applications"],"resourceNames":["mine"],"verbs":["reconcile"]}])");
  CHECK(s.tenant->write(Write::apply("configmaps", labelled("default.mine"), "steersman", true)).ok());
  CHECK(s.owner() == "default.mine");
  CHECK_FALSE(s.refusal(s.tenant->write(Write::apply("configmaps", labelled("root"), "steersman", true))).empty());
  CHECK_FALSE(
      s.refusal(s.tenant->write(Write::apply("configmaps", labelled("default.other"), "steersman", true))).empty());
}

TEST_CASE("an account as whom the reconciler writes lends nobody its name") {
  TenantServer s;
  s.give(kEdits);
  Write write = Write::apply("configmaps", labelled("default.mine"), "steersman", true);
  write.actAs = "joe";
  CHECK(s.client->write(write).ok());  // sent by the reconciler, judged as joe
  CHECK(s.owner() == "default.mine");
}

TEST_CASE("an application that reads its parent's source is not pointed elsewhere in it") {
  TenantServer s;
  s.give(R"([{"apiGroups":["steersman.dev"],"resources":["applications"],"verbs":["*"]},
             {"apiGroups":[""],"resources":["serviceaccounts"],"verbs":["impersonate"]}])");
  const std::string apps = "applications.steersman.dev";
  REQUIRE(
      s.client->write(Write::apply(apps, application(R"({"path":"ok"})", "root", "deployer"), "steersman", true)).ok());
  for (const char* source : {R"({"path":"private"})", R"({"path":null})", R"({"include":["/private"]})"}) {
    const auto patch =
        Write::patch(kApp, PatchType::merge, merge(std::string(R"({"spec":{"source":)") + source + "}}"));
    CHECK(s.refusal(s.tenant->write(patch)).find("spec.source") != std::string::npos);
  }
  const auto pause = Write::patch(kApp, PatchType::merge, merge(R"({"spec":{"suspend":true}})"));
  CHECK(s.tenant->write(pause).ok());
  // With a repository of its own, and back.
  const auto own =
      Write::patch(kApp, PatchType::merge, merge(R"({"spec":{"source":{"url":"https://example.org/x"}}})"));
  REQUIRE(s.tenant->write(own).ok());
  const auto back = Write::patch(kApp, PatchType::merge, merge(R"({"spec":{"source":{"url":null,"path":"private"}}})"));
  CHECK_FALSE(s.refusal(s.tenant->write(back)).empty());
}

TEST_CASE("a repository is changed by those who may direct what reads it") {
  TenantServer s;
  s.give(kEdits);
  const std::string repositories = "gitrepositories.steersman.dev";
  const ObjectRef ref{repositories, "default", "r"};
  const auto repository = [](const std::string& url) {
    return parsed(R"({"apiVersion":"steersman.dev/v1","kind":"GitRepository","metadata":{"name":"r",
      "namespace":"default"},"spec":{"url":")" +
                  url + R"("}})");
  };
  const auto to = [](const std::string& url) { return merge(R"({"spec":{"url":")" + url + R"("}})"); };
  REQUIRE(s.client->write(Write::create(repositories, repository("https://example.org/good"))).ok());
  CHECK(s.tenant->write(Write::patch(ref, PatchType::merge, to("https://example.org/unread"))).ok());
  REQUIRE(s.client->write(Write::create("applications.steersman.dev", application(R"({"repositoryRef":{"name":"r"}})")))
              .ok());
  const auto evil = Write::patch(ref, PatchType::merge, to("https://example.org/evil"));
  CHECK(s.refusal(s.tenant->write(evil)).find("application \"a\" reads it") != std::string::npos);
  CHECK(s.client->write(Write::patch(ref, PatchType::merge, to("https://example.org/better"))).ok());
  // Neither by making it anew.
  REQUIRE(s.tenant->write(Write::remove(ref)).ok());
  CHECK_FALSE(s.refusal(s.tenant->write(Write::create(repositories, repository("https://example.org/evil")))).empty());
  const auto label = Write::patch(kApp, PatchType::merge, merge(R"({"metadata":{"labels":{"team":"a"}}})"));
  CHECK(s.tenant->write(label).ok());
}

TEST_CASE("a label on a role is judged by what the role gives, and letting go of it is not") {
  TenantServer s;
  s.make("clusterroles.rbac.authorization.k8s.io", std::string("{") + kRbac + R"(,"kind":"ClusterRole","metadata":
    {"name":"editor","finalizers":["example.org/x"]},"rules":[{"apiGroups":["rbac.authorization.k8s.io"],
    "resources":["clusterroles","clusterrolebindings"],"verbs":["get","patch","update"]}]})");
  for (const char* role : {"editor", "view"})
    s.make("clusterrolebindings.rbac.authorization.k8s.io",
           std::string("{") + kRbac + R"(,"kind":"ClusterRoleBinding","metadata":{"name":"joe-)" + role +
               R"("},"roleRef":{"apiGroup":
      "rbac.authorization.k8s.io","kind":"ClusterRole","name":")" +
               role + R"("},"subjects":[{"apiGroup":
      "rbac.authorization.k8s.io","kind":"User","name":"joe"}]})");
  const auto patch = [&](const std::string& resource, const std::string& name, const std::string& text) {
    return s.tenant->write(
        Write::patch({resource + ".rbac.authorization.k8s.io", "", name}, PatchType::merge, merge(text)));
  };
  const std::string joins = R"({"metadata":{"labels":{"rbac.authorization.k8s.io/aggregate-to-view":"true"}}})";
  CHECK_FALSE(s.refusal(patch("clusterroles", "cluster-admin", joins)).empty());
  CHECK_FALSE(s.refusal(patch("clusterroles", "cluster-admin", R"({"metadata":{"annotations":{"a":"b"}}})")).empty());
  CHECK_FALSE(s.refusal(patch("clusterroles", "view", R"({"metadata":{"annotations":{"a":"b"}}})")).empty());
  CHECK_FALSE(s.refusal(patch("clusterrolebindings", "cluster-admin", R"({"metadata":{"labels":{"a":"b"}}})")).empty());
  CHECK(patch("clusterroles", "editor", R"({"metadata":{"labels":{"a":"b"}}})").ok());
  CHECK(patch("clusterroles", "editor", R"({"metadata":{"finalizers":null}})").ok());
  CHECK(s.tenant->get({"secrets", "default", "x"}).error().code == Errc::forbidden);
}

TEST_CASE("a repository on the server's own machine is named by who holds all rights alone") {
  ApiServerOptions options;
  options.allowedSources = {"/srv/git/joe-*", "http://127.0.0.1:3000/*"};
  TenantServer s(options);
  s.give(R"([{"apiGroups":["steersman.dev"],"resources":["*"],"verbs":["*"]},
             {"apiGroups":[""],"resources":["serviceaccounts"],"verbs":["impersonate"]}])");
  const auto writes = [&](Client& as, const std::string& url) {
    const auto body = application(R"({"url":")" + url + R"("})", "", "deployer");
    (void)s.client->write(Write::remove(kApp));
    return as.write(Write::create(kApp.resource, body));
  };
  for (const char* url :
       {"/var/lib/steersman/source/git/1", "../x", "relative", "file:///srv/git/x", "FILE:///x", "http://localhost/x",
        "http://LOCALHOST./x", "https://127.0.0.1:8443/x", "http://127.1/x", "http://2130706433/x",
        "http://0x7f000001/x", "http://[::1]/x", "http://[::ffff:127.0.0.1]/x", "http://169.254.169.254/latest",
        "ssh://git@localhost/x", "git@127.0.0.1:x", "http://0/x", "http://a.localhost/x", "/srv/git/joe-a/../../etc"}) {
    INFO(url);
    CHECK_FALSE(s.refusal(writes(*s.tenant, url)).empty());
    CHECK(writes(*s.client, url).ok());
  }
  // Neither does a user that looks like an address help, nor may an address hold a password at all.
  for (const char* url : {"http://user:pw@127.0.0.1/x", "http://127.0.0.1:3000@127.0.0.1:22/x"})
    CHECK_FALSE(writes(*s.tenant, url).ok());
  for (const char* url :
       {"https://ada:pw@example.org/x", "https://token@example.org/x", "ssh://git:pw@example.org/x"}) {
    const auto refused = writes(*s.client, url);
    REQUIRE_FALSE(refused.ok());
    CHECK(refused.error().message.find("put them into a Secret") != std::string::npos);
    CHECK(refused.error().message.find("pw") == std::string::npos);
    CHECK(refused.error().message.find("token@") == std::string::npos);
  }
  for (const char* url : {"https://example.org/x.git", "git@example.org:x", "http://10.0.0.7/x", "/srv/git/joe-a",
                          "file:///srv/git/joe-a/b", "http://127.0.0.1:3000/joe/x", "http://127.0.0.1.example.org/x"}) {
    INFO(url);
    CHECK(writes(*s.tenant, url).ok());
  }
  // Other fields of what an administrator wrote.
  REQUIRE(writes(*s.client, "/srv/git/x").ok());
  CHECK(s.tenant->write(Write::patch(kApp, PatchType::merge, merge(R"({"spec":{"suspend":true}})"))).ok());
  CHECK_FALSE(s.refusal(s.tenant->write(
                            Write::patch(kApp, PatchType::merge, merge(R"({"spec":{"source":{"url":"/srv/git/y"}}})"))))
                  .empty());
  const auto repository = parsed(R"({"apiVersion":"steersman.dev/v1","kind":"GitRepository","metadata":{"name":"r",
    "namespace":"default"},"spec":{"url":"/srv/git/x"}})");
  CHECK_FALSE(s.refusal(s.tenant->write(Write::create("gitrepositories.steersman.dev", repository))).empty());
}
