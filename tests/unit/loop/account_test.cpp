// Applications that act as a service account.
#include "reconciler/apply/apply_run.h"
#include "reconciler/loop/rights_watch.h"
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

/// What plans of application `shop` as the account say of these objects.
Plan planAs(const World& w, std::vector<WantedObject> wanted) {
  PlanOptions options;
  options.application = "shop";
  options.account = "system:serviceaccount:steersman-system:deployer";
  auto plan = makePlan(*w.cluster.client, std::move(wanted), options);
  INFO((plan.ok() ? "" : plan.error().message));
  REQUIRE(plan.ok());
  return std::move(*plan);
}

WantedObject wantedMap(const std::string& name, const std::string& value) {
  return {{"configmaps", "shop", name},
          {{"apiVersion", "v1"},
           {"kind", "ConfigMap"},
           {"metadata", {{"namespace", "shop"}, {"name", name}}},
           {"data", {{"k", value}}}},
          {}};
}

void setVerbs(const World& w, const std::string& verbs) {
  const auto done = w.cluster.client->write(
      Write::patch({"roles.rbac.authorization.k8s.io", "shop", "deployer"}, PatchType::merge,
                   *parseJson(R"({"rules":[{"apiGroups":[""],"resources":["configmaps"],"verbs":)" + verbs + "}]}")));
  REQUIRE(done.ok());
}

/// An application that keeps `map` as the account, applied.
void startShop(World& w, json::object spec = {}) {
  giveRights(w);
  w.repo.write("apps/map.yaml", configMap("mine"));
  w.repo.push("First");
  spec["serviceAccountName"] = "deployer";
  w.makeApplication("shop", "apps", std::move(spec));
  w.run(seconds(20));
  REQUIRE(w.value("mine") == "1");
  REQUIRE(w.phase("shop") == "Synced");
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
  CHECK(record.account == "system:serviceaccount:steersman-system:deployer");
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

TEST_CASE("a deletion that the account may not do is refused in the plan, before anything is applied") {
  World w;
  startShop(w);
  CHECK(planAs(w, {}).counts().refused == 0);
  setVerbs(w, R"(["create","patch","get"])");
  const auto plan = planAs(w, {});
  REQUIRE(plan.changes.size() == 1);
  CHECK(plan.changes[0].action == PlanAction::remove);
  CHECK(plan.changes[0].refusal ==
        R"(configmaps "mine" is forbidden: User "system:serviceaccount:steersman-system:deployer" cannot delete )"
        R"(resource "configmaps" in API group "" in the namespace "shop")");
  CHECK(w.exists({"configmaps", "shop", "mine"}));
}

TEST_CASE("a plan shows no field of an object that the account may not read, and is empty after applying") {
  World w;
  startShop(w);
  const auto changed = w.cluster.client->write(Write::patch(
      {"configmaps", "shop", "mine"}, PatchType::merge, json::object{{"data", {{"k", "theirs"}, {"pin", "4711"}}}}));
  REQUIRE(changed.ok());
  setVerbs(w, R"(["create","patch","delete"])");
  const auto hidden = planAs(w, {wantedMap("mine", "2")});
  REQUIRE(hidden.changes.size() == 1);
  CHECK(hidden.changes[0].action == PlanAction::update);
  CHECK(hidden.changes[0].hidden);
  CHECK(hidden.changes[0].fields.empty());
  CHECK(hidden.changes[0].taken.empty());
  REQUIRE(hidden.changes[0].live);
  CHECK(jsonText(hidden.changes[0].live->json()).find("4711") == std::string::npos);
  CHECK(hidden.changes[0].predicted == nullptr);
  // What is gone from the source is found although it may not be read.
  const auto removal = planAs(w, {});
  REQUIRE(removal.changes.size() == 1);
  CHECK(removal.changes[0].action == PlanAction::remove);
  CHECK(jsonText(removal.changes[0].live->json()).find("4711") == std::string::npos);

  ApplyRun run(*w.cluster.client, hidden);
  while (!run.finished()) (void)run.step(w.cluster.clock.now());
  CHECK(run.failures() == 0);
  CHECK(w.value("mine") == "2");
  CHECK(planAs(w, {wantedMap("mine", "2")}).empty());
  setVerbs(w, R"(["create","patch","delete","get"])");
  const auto shown = planAs(w, {wantedMap("mine", "3")});
  REQUIRE(shown.changes.size() == 1);
  CHECK_FALSE(shown.changes[0].hidden);
  CHECK(shown.changes[0].fields.size() == 1);
}

TEST_CASE("rights that are taken away after the apply show without a commit, and given back they are used") {
  for (const char* drift : {"heal", "report", "ignore"}) {
    World w;
    INFO(drift);
    startShop(w, json::object{{"drift", drift}});
    setVerbs(w, R"(["get","create"])");
    w.run(seconds(3));
    CHECK(w.phase("shop") == "Degraded");
    CHECK(w.condition("Permitted", "shop") == "Forbidden");
    CHECK(w.message("shop").find("cannot patch resource \"configmaps\"") != std::string::npos);
    const auto plan = planAs(w, {wantedMap("mine", "1")});
    CHECK(plan.counts().refused == 1);
    setVerbs(w, R"(["get","create","patch"])");
    w.run(seconds(3));
    CHECK(w.phase("shop") == "Synced");
    CHECK(w.condition("Permitted", "shop").empty());
  }
}

TEST_CASE("a binding that goes, or a role that others hold, tells just those whom it concerns") {
  World w;
  startShop(w);
  REQUIRE(w.cluster.client->write(Write::remove({"rolebindings.rbac.authorization.k8s.io", "shop", "deployer"})).ok());
  w.run(seconds(3));
  CHECK(w.phase("shop") == "Degraded");

  RightsWatch watch(*w.cluster.client, [] {});
  const std::string me = "system:serviceaccount:steersman-system:deployer", other = "system:serviceaccount:shop:other";
  const auto bind = [&](const std::string& subject) {
    const auto made = w.cluster.client->write(Write::create(
        "rolebindings.rbac.authorization.k8s.io",
        parseJson(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"RoleBinding","metadata":{"namespace":"shop",
          "generateName":"b-"},"roleRef":{"apiGroup":"rbac.authorization.k8s.io","kind":"Role","name":"deployer"},
          "subjects":[)" +
                  subject + "]}")
            ->as_object()));
    INFO((made.ok() ? "" : made.error().message));
    REQUIRE(made.ok());
  };
  const auto changed = [&] { return watch.pump({me, other}, w.cluster.clock.now()); };
  CHECK(changed() == std::set{me, other});  // first sight: nobody knows what was before
  setVerbs(w, R"(["get"])");
  CHECK(changed().empty());  // nobody holds it
  bind(R"({"kind":"ServiceAccount","namespace":"steersman-system","name":"deployer"})");
  CHECK(changed() == std::set{me});
  setVerbs(w, R"(["get","patch"])");
  CHECK(changed() == std::set{me});
  bind(R"({"kind":"ServiceAccount","name":"other"})");  // of the binding's own namespace
  CHECK(changed() == std::set{other});
  bind(R"({"kind":"Group","apiGroup":"rbac.authorization.k8s.io","name":"system:serviceaccounts:shop"})");
  CHECK(changed() == std::set{other});
  setVerbs(w, R"(["get"])");
  CHECK(changed() == std::set{me, other});
}
