// Applications that act as a service account.
#include "world.h"

using namespace steer;

namespace {

/// The account `deployer` of the system's namespace may write config maps in namespace shop, and nothing else.
void giveRights(const World& w, const std::string& verbs = R"(["create","patch","delete","get"])") {
  const auto make = [&](const std::string& resource, const std::string& text) {
    const auto made = w.cluster.client->write(Write::create(resource, parseJson(text)->as_object()));
    INFO((made.ok() ? "" : made.error().message));
    REQUIRE(made.ok());
  };
  make("namespaces", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  make("serviceaccounts", R"({"apiVersion":"v1","kind":"ServiceAccount","metadata":{"namespace":"steersman-system",
    "name":"deployer"}})");
  make("roles.rbac.authorization.k8s.io", R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":
    {"namespace":"shop","name":"deployer"},"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":)" +
                                              verbs + "}]}");
  make("rolebindings.rbac.authorization.k8s.io", R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding",
    "metadata":{"namespace":"shop","name":"deployer"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role",
    "name":"deployer"},"subjects":[{"kind":"ServiceAccount","namespace":"steersman-system","name":"deployer"}]})");
}

std::string secret(const std::string& name) {
  return "apiVersion: v1\nkind: Secret\nmetadata: {name: " + name + ", namespace: shop}\nstringData: {k: v}\n";
}

}  // namespace

TEST_CASE("an application does what its account may, and what it may not is said in its record") {
  World w;
  giveRights(w);
  w.repo.write("apps/map.yaml", configMap("mine"));
  w.repo.write("apps/secret.yaml", secret("theirs"));
  w.repo.push("First");
  w.makeApplication("shop", "apps", json::object{{"serviceAccountName", "deployer"}});
  w.run(seconds(20));
  CHECK(w.value("mine") == "1");
  CHECK_FALSE(w.exists({"secrets", "shop", "theirs"}));
  const auto record = w.newest();
  INFO(w.phase("shop") << ": " << w.message("shop") << "\n" << jsonText(toJson(record)));
  CHECK(jsonText(toJson(record)).find("cannot patch resource") != std::string::npos);
  CHECK(w.phase("shop") != "Synced");
}

TEST_CASE("what an application's account may not do is a finding of its plan before anything is written") {
  World w;
  giveRights(w);
  std::vector<WantedObject> wanted;
  for (const char* resource : {"configmaps", "secrets"}) {
    const bool map = resource == std::string("configmaps");
    wanted.push_back({{resource, "shop", "x"},
                      {{"apiVersion", "v1"},
                       {"kind", map ? "ConfigMap" : "Secret"},
                       {"metadata", {{"namespace", "shop"}, {"name", "x"}}}},
                      {}});
  }
  PlanOptions options;
  options.application = "shop";
  options.account = "system:serviceaccount:steersman-system:deployer";
  const auto plan = makePlan(*w.cluster.client, std::move(wanted), options);
  REQUIRE(plan.ok());
  REQUIRE(plan->changes.size() == 2);
  for (const auto& change : plan->changes) {
    if (change.ref.resource == "configmaps") CHECK(change.refusal.empty());
    else
      CHECK(change.refusal ==
            R"(secrets "x" is forbidden: User "system:serviceaccount:steersman-system:deployer" cannot patch )"
            R"(resource "secrets" in API group "" in the namespace "shop")");
  }
  CHECK_FALSE(w.exists({"configmaps", "shop", "x"}));
}

TEST_CASE("an application prunes and goes only as far as its account may") {
  World w;
  giveRights(w, R"(["create","patch","get"])");
  w.repo.write("apps/map.yaml", configMap("stays"));
  w.repo.write("apps/other.yaml", configMap("other"));
  w.repo.push("First");
  w.makeApplication("shop", "apps", json::object{{"serviceAccountName", "deployer"}});
  w.run(seconds(20));
  REQUIRE(w.value("stays") == "1");
  w.repo.git("rm -q apps/map.yaml");
  w.repo.push("Second");
  w.run(seconds(40));
  CHECK(w.value("stays") == "1");
  INFO(w.phase("shop") << ": " << w.message("shop"));
  CHECK(jsonText(toJson(w.newest())).find("cannot delete resource") != std::string::npos);
}
