// What annotations ask for: hooks of any kind, what is never deleted, what is left alone.
#include <catch2/catch.hpp>

#include "cluster.h"
#include "manifests.h"
#include "reconciler/apply/apply_run.h"
#include "reconciler/apply/planner.h"
#include "reconciler/apply/pod_trouble.h"
#include "reconciler/plan/delete_budget.h"

using namespace steer;

namespace {

WantedObject annotated(WantedObject w, const std::string& key, const std::string& value) {
  ensureObject(ensureObject(w.body, "metadata"), "annotations")[key] = value;
  return w;
}

Plan planOf(TestCluster& c, std::vector<WantedObject> wanted, PlanOptions options = {}) {
  auto plan = makePlan(*c.client, std::move(wanted), options);
  REQUIRE(plan.ok());
  return std::move(*plan);
}

/// Until it waits for others, or is finished.
void carryOut(TestCluster& c, ApplyRun& run) {
  const Time until = c.clock.now() + seconds(3);
  while (!run.finished() && c.clock.now() < until)
    if (const auto next = run.step(c.clock.now())) c.clock.advanceTo(*next);
}

void apply(TestCluster& c, std::vector<WantedObject> wanted) {
  ApplyRun run(*c.client, planOf(c, std::move(wanted)));
  carryOut(c, run);
  REQUIRE(run.finished());
}

ObjectPtr mapNamed(TestCluster& c, const std::string& name) {
  const auto found = c.client->get({"configmaps", "shop", name});
  return found.ok() ? *found : nullptr;
}

}  // namespace

TEST_CASE("what says that it is never pruned stays, and the plan says why") {
  for (const auto& [key, value] :
       std::vector<std::pair<std::string, std::string>>{{"steersman.dev/prune", "never"},
                                                        {"argocd.argoproj.io/sync-options", "Prune=false"},
                                                        {"kustomize.toolkit.fluxcd.io/prune", "disabled"},
                                                        {"helm.sh/resource-policy", "keep"}}) {
    INFO(key);
    TestCluster c;
    apply(c, {aNamespace("shop"), annotated(aConfigMap("data", "1"), key, value), aConfigMap("other", "1")});
    const auto plan = planOf(c, {aNamespace("shop")});
    CHECK(plan.counts().remove == 1);
    CHECK(plan.kept == std::vector<std::string>{"ConfigMap shop/data: " + key + ": " + value});
    apply(c, {aNamespace("shop")});
    CHECK(mapNamed(c, "data"));
    CHECK_FALSE(mapNamed(c, "other"));
  }
}

TEST_CASE("what asks for a confirmation makes its deletion one that needs it") {
  TestCluster c;
  const auto data = annotated(aConfigMap("data", "1"), "argocd.argoproj.io/sync-options", "Prune=confirm");
  apply(c, {aNamespace("shop"), data});
  const auto plan = planOf(c, {aNamespace("shop")});
  CHECK(plan.counts().remove == 1);
  CHECK(checkDeletions(plan, {}).needsConfirmation);
}

TEST_CASE("when the application goes, what says so of that stays") {
  TestCluster c;
  apply(c, {aNamespace("shop"), annotated(aConfigMap("a", "1"), "argocd.argoproj.io/sync-options", "Delete=false"),
            annotated(aConfigMap("b", "1"), "argocd.argoproj.io/sync-options", "Prune=false")});
  PlanOptions ending;
  ending.ending = PlanInput::Ending::yes;
  CHECK(planOf(c, {}, ending).counts().remove == 2);  // the namespace, and b
  CHECK(planOf(c, {}).counts().remove == 2);          // the namespace, and a
}

TEST_CASE("what is left alone is neither made nor changed nor deleted") {
  TestCluster c;
  const auto off = [](WantedObject w) { return annotated(std::move(w), "steersman.dev/reconcile", "disabled"); };
  apply(c, {aNamespace("shop"), aConfigMap("a", "1"), off(aConfigMap("new", "1"))});
  CHECK_FALSE(mapNamed(c, "new"));
  const auto plan = planOf(c, {aNamespace("shop"), off(aConfigMap("a", "2"))});
  CHECK(plan.empty());

  // Said on the living object alone.
  const auto marked = c.client->write(Write::patch(
      {"configmaps", "shop", "a"}, PatchType::merge,
      json::object{{"metadata", {{"annotations", {{"kustomize.toolkit.fluxcd.io/reconcile", "disabled"}}}}}}));
  REQUIRE(marked.ok());
  CHECK(planOf(c, {aNamespace("shop"), aConfigMap("a", "3")}).empty());
}

TEST_CASE("what is only to be made is not changed") {
  TestCluster c;
  const auto once = [](const std::string& value) {
    return annotated(aConfigMap("a", value), "kustomize.toolkit.fluxcd.io/ssa", "IfNotPresent");
  };
  apply(c, {aNamespace("shop"), once("1")});
  CHECK(planOf(c, {aNamespace("shop"), once("2")}).empty());
  CHECK(stringAt(mapNamed(c, "a")->json(), {"data", "k"}) == "1");
}

TEST_CASE("an object that is being deleted is no match, and is made anew when it is gone") {
  TestCluster c;
  const auto held = [] {
    auto w = aConfigMap("going", "1");
    ensureObject(w.body, "metadata")["finalizers"] = json::array{"example.com/hold"};
    return w;
  };
  apply(c, {aNamespace("shop"), held()});
  REQUIRE(c.client->write(Write::remove({"configmaps", "shop", "going"})).ok());
  const auto plan = planOf(c, {aNamespace("shop"), held()});
  REQUIRE(plan.counts().replace == 1);
  const auto change = std::find_if(plan.changes.begin(), plan.changes.end(),
                                   [](const PlannedChange& p) { return p.action == PlanAction::replace; });
  CHECK(change->vanishing == "waits for finalizer example.com/hold");
}

TEST_CASE("a hook of any kind runs at its phase, and goes as its policy says") {
  TestCluster c;
  auto hook = annotated(annotated(aConfigMap("note", "1"), "argocd.argoproj.io/hook", "PostSync"),
                        "argocd.argoproj.io/hook-delete-policy", "HookSucceeded");
  const auto plan = planOf(c, {aNamespace("shop"), aConfigMap("a", "1"), hook});
  REQUIRE(plan.hooks.size() == 1);
  CHECK(plan.hooks[0].text() == "ConfigMap shop/note");
  apply(c, {aNamespace("shop"), aConfigMap("a", "1"), hook});
  CHECK(mapNamed(c, "a"));
  CHECK_FALSE(mapNamed(c, "note"));  // a config map is healthy at once
  CHECK_FALSE(planOf(c, {aNamespace("shop"), aConfigMap("a", "1"), hook}).hooksDue());
}

TEST_CASE("what runs when a run failed is run then, and only then") {
  const auto alarm = annotated(aConfigMap("alarm", "1"), "argocd.argoproj.io/hook", "SyncFail");
  TestCluster c;
  apply(c, {aNamespace("shop"), aConfigMap("a", "1"), alarm});
  CHECK_FALSE(mapNamed(c, "alarm"));
  auto refused = aConfigMap("b", "1");
  refused.ref.name = "B";
  ensureObject(refused.body, "metadata")["name"] = "B";
  ApplyRun run(*c.client, planOf(c, {aNamespace("shop"), aConfigMap("a", "1"), refused, alarm}));
  carryOut(c, run);
  CHECK(run.failures() == 1);
  CHECK(mapNamed(c, "alarm"));
}

TEST_CASE("what a controller fills in is not applied") {
  TestCluster c;
  const auto role = wantedOf(R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"ClusterRole",
    "metadata":{"name":"all"},"rules":[],
    "aggregationRule":{"clusterRoleSelectors":[{"matchLabels":{"to":"all"}}]}})");
  apply(c, {role});
  const auto filled = c.client->write(Write::patch(
      {"clusterroles.rbac.authorization.k8s.io", "", "all"}, PatchType::merge,
      parseJson(R"({"rules":[{"apiGroups":[""],"resources":["pods"],"verbs":["get"]}]})").value().as_object()));
  REQUIRE(filled.ok());
  CHECK(planOf(c, {role}).empty());
}

TEST_CASE("a job that goes by itself runs once for what its manifest says") {
  TestCluster c;
  const auto job = [](const std::string& image) {
    return wantedOf(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"migrate","namespace":"shop"},
      "spec":{"ttlSecondsAfterFinished":1,"template":{"spec":{"restartPolicy":"Never",
      "containers":[{"name":"c","image":")" +
                    image + R"("}]}}}})");
  };
  apply(c, {aNamespace("shop"), job("i:1")});
  auto labelled = job("i:1");
  ensureObject(ensureObject(labelled.body, "metadata"), "labels")[kApplicationLabel] = "root";
  PlanOptions options;
  options.ranOnce = ranOnceIn({{"ranOnce", ranOnceJson({{labelled.ref, manifestDigest(labelled.body)}})}});
  const ObjectRef ref{"jobs.batch", "shop", "migrate"};
  REQUIRE(c.client->write(Write::remove(ref)).ok());
  if (const auto left = c.client->get(ref); left.ok())
    (void)c.client->write(Write::patch(ref, PatchType::merge, json::object{{"metadata", {{"finalizers", nullptr}}}}));
  REQUIRE_FALSE(c.client->get(ref).ok());
  CHECK(planOf(c, {aNamespace("shop"), job("i:1")}).counts().create == 1);
  CHECK(planOf(c, {aNamespace("shop"), job("i:1")}, options).empty());
  CHECK(planOf(c, {aNamespace("shop"), job("i:2")}, options).counts().create == 1);
}

TEST_CASE("what is being deleted is made anew when it is gone, and goes as it was asked to") {
  TestCluster c;
  auto held = aConfigMap("going", "1");
  ensureObject(held.body, "metadata")["finalizers"] = json::array{"example.com/hold"};
  apply(c, {aNamespace("shop"), held});
  const auto before = mapNamed(c, "going")->uid();
  DeleteOptions orphan;
  orphan.propagation = Propagation::orphan;
  const ObjectRef ref{"configmaps", "shop", "going"};
  REQUIRE(c.client->write(Write::remove(ref, orphan)).ok());
  const auto finalizers = mapNamed(c, "going")->finalizers();
  ApplyRun run(*c.client, planOf(c, {aNamespace("shop"), aConfigMap("going", "2")}));
  for (int i = 0; i < 5 && !run.finished(); ++i)
    if (const auto next = run.step(c.clock.now())) c.clock.advanceTo(*next);
  CHECK_FALSE(run.finished());
  CHECK(mapNamed(c, "going")->finalizers() == finalizers);
  REQUIRE(
      c.client->write(Write::patch(ref, PatchType::merge, json::object{{"metadata", {{"finalizers", nullptr}}}})).ok());
  carryOut(c, run);
  CHECK(run.failures() == 0);
  REQUIRE(mapNamed(c, "going"));
  CHECK(mapNamed(c, "going")->uid() != before);
}

TEST_CASE("a workload that does not come up is told with the pod that keeps it") {
  TestCluster c;
  apply(c, {aNamespace("shop"), aDeployment("web", 2)});
  const auto account = c.client->get({"serviceaccounts", "shop", "default"});
  REQUIRE(account.ok());
  const auto pod = parseJson(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"web-1","namespace":"shop",
    "labels":{"app":"web"}},"spec":{"containers":[{"name":"c","image":"nowhere:1"}]}})");
  REQUIRE(c.client->write(Write::create("pods", pod->as_object())).ok());
  REQUIRE(
      c.client
          ->write(Write::patch({"pods", "shop", "web-1"}, PatchType::merge,
                               parseJson(R"({"status":{"phase":"Pending","containerStatuses":[{"name":"c","ready":false,
      "restartCount":0,"image":"nowhere:1","imageID":"","state":{"waiting":{"reason":"ImagePullBackOff"}}}]}})")
                                   .value()
                                   .as_object(),
                               "status"))
          .ok());
  const auto web = *c.client->get({"deployments.apps", "shop", "web"});
  CHECK(podTrouble(*c.client, *web) == "pod web-1: container c: ImagePullBackOff");
  CHECK(toldHealth(*c.client, *web).reason.find("pod web-1: container c: ImagePullBackOff") != std::string::npos);
  CHECK(podTrouble(*c.client, *account.value()).empty());
}
