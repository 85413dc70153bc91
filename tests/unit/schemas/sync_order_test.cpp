#include "schemas/sync_order.h"

#include "schema_test.h"
#include "schemas/sync_policy.h"

using namespace steer;
using namespace steer::test;
using Lines = std::vector<std::string>;

namespace {

json::object annotated(const std::string& annotations, const std::string& kind = "ConfigMap") {
  const bool job = kind == "Job";
  return parse(
      R"({"apiVersion":")" + std::string(job ? "batch/v1" : "v1") + R"(","kind":")" + kind +
      R"(","metadata":{"name":"x","annotations":{)" + annotations + "}}" +
      (job ? R"(,"spec":{"template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})"
           : "}"));
}

}  // namespace

TEST_CASE("The wave is an integer, by our annotation or by Argo CD's; ours wins") {
  CHECK(syncOrderOf(annotated("")).wave == 0);
  CHECK(syncOrderOf(annotated(R"("steersman.dev/wave":"-3")")).wave == -3);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/sync-wave":"+4")")).wave == 4);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/sync-wave":"4","steersman.dev/wave":"1")")).wave == 1);
  CHECK(syncOrderOf(annotated(R"("steersman.dev/wave":"soon")")).wave == 0);
}

TEST_CASE("A hook says at which phases it runs, whatever kind it is") {
  CHECK(syncOrderOf(annotated(R"("steersman.dev/hook":"pre-sync")", "Job")).hook == Hook::preSync);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/hook":"PostSync")", "Job")).hook == Hook::postSync);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/hook":"SyncFail")")).hook == Hook::syncFail);
  CHECK(syncOrderOf(annotated(R"("steersman.dev/hook":"sync")")).hook == Hook::sync);
  CHECK(
      syncOrderOf(annotated(R"("helm.sh/hook":"pre-install, pre-upgrade","helm.sh/hook-weight":"-5")", "Job")).phases ==
      std::vector<Hook>{Hook::preSync});
  CHECK(syncOrderOf(annotated(R"("helm.sh/hook":"pre-upgrade","helm.sh/hook-weight":"-5")", "Job")).wave == -5);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/hook":"PreSync,PostSync")", "Job")).phases ==
        std::vector<Hook>{Hook::preSync, Hook::postSync});
  CHECK(syncOrderOf(annotated("", "Job")).hook == Hook::none);
}

TEST_CASE("What becomes of a hook that has run, in three dialects") {
  const auto end = [](const std::string& more) {
    return syncOrderOf(annotated(R"("steersman.dev/hook":"pre-sync",)" + more, "Job")).end;
  };
  CHECK(end(R"("argocd.argoproj.io/hook-delete-policy":"HookSucceeded")").removedOnSuccess);
  CHECK(end(R"("helm.sh/hook-delete-policy":"before-hook-creation,hook-failed")").removedOnFailure);
  CHECK_FALSE(end(R"("argocd.argoproj.io/hook-delete-policy":"BeforeHookCreation")").removedOnSuccess);
}

TEST_CASE("What cannot be read of the order is a finding at its annotation") {
  CHECK(findingsOf(annotated(R"("steersman.dev/wave":"-3","argocd.argoproj.io/sync-wave":"4")")).empty());
  CHECK(findingsOf(annotated(R"("steersman.dev/hook":"post-sync")", "Job")).empty());
  CHECK(findingsOf(annotated(R"("steersman.dev/wave":"soon")")) ==
        Lines{"metadata.annotations[steersman.dev/wave]: Invalid value: \"soon\": must be an integer such as \"-1\" or "
              "\"10\""});
  CHECK(findingsOf(annotated(R"("steersman.dev/hook":"later")", "Job")).size() == 1);
  CHECK(findingsOf(annotated(R"("steersman.dev/prune":"no")")).size() == 1);
  CHECK(findingsOf(annotated(R"("argocd.argoproj.io/hook":"Sometimes")")).empty());  // theirs: a remark, no refusal
}

namespace {

SyncPolicy policy(const std::string& annotations) { return syncPolicyOf(annotated(annotations)); }
using Deletion = SyncPolicy::Deletion;

}  // namespace

TEST_CASE("What must not be deleted elsewhere is not deleted here") {
  for (const char* keeps :
       {R"("steersman.dev/prune":"never")", R"("kustomize.toolkit.fluxcd.io/prune":"disabled")",
        R"("helm.sh/resource-policy":"keep")", R"("steersman.dev/reconcile":"disabled")",
        R"("kustomize.toolkit.fluxcd.io/reconcile":"disabled")", R"("kustomize.toolkit.fluxcd.io/ssa":"Ignore")",
        R"("argocd.argoproj.io/sync-options":"Prune=false,Delete=false")"}) {
    INFO(keeps);
    CHECK(policy(keeps).prune == Deletion::never);
    CHECK(policy(keeps).removal == Deletion::never);
  }
  const auto argo = policy(R"("argocd.argoproj.io/sync-options":" Replace=true , Prune=false ")");
  CHECK(argo.prune == Deletion::never);
  CHECK(argo.removal == Deletion::allowed);
  CHECK(argo.why == "argocd.argoproj.io/sync-options: Prune=false");
  CHECK(policy(R"("argocd.argoproj.io/sync-options":"Delete=false")").prune == Deletion::allowed);
  CHECK(policy(R"("argocd.argoproj.io/sync-options":"Prune=confirm")").prune == Deletion::confirmed);
  CHECK(policy(R"("kustomize.toolkit.fluxcd.io/prune":"enabled")").prune == Deletion::allowed);
}

TEST_CASE("Flux's words count in labels, too, and in any case") {
  const auto labelled = [](const std::string& word, const std::string& value) {
    return syncPolicyOf({{"metadata", {{"labels", {{"kustomize.toolkit.fluxcd.io/" + word, value}}}}}});
  };
  for (const char* value : {"disabled", "Disabled", "DISABLED"}) {
    INFO(value);
    CHECK(labelled("prune", value).prune == Deletion::never);
    CHECK(labelled("reconcile", value).leaveAlone);
    CHECK(policy("\"kustomize.toolkit.fluxcd.io/prune\":\"" + std::string(value) + "\"").prune == Deletion::never);
  }
  CHECK(labelled("ssa", "ifnotpresent").onlyCreate);
  CHECK(labelled("prune", "enabled").prune == Deletion::allowed);
  CHECK(labelled("name", "disabled").prune == Deletion::allowed);
  CHECK_FALSE(isState({{"metadata", {{"labels", {{"kustomize.toolkit.fluxcd.io/ssa", "Ignore"}}}}}}));
  // Ours and Argo CD's are annotations.
  CHECK(syncPolicyOf({{"metadata", {{"labels", {{"steersman.dev/prune", "never"}}}}}}).prune == Deletion::allowed);
}

TEST_CASE("What is to be left alone, or only made, says so") {
  CHECK(policy(R"("steersman.dev/reconcile":"disabled")").leaveAlone);
  CHECK(policy(R"("argocd.argoproj.io/hook":"Skip")").leaveAlone);
  CHECK(policy(R"("helm.sh/hook":"test")").leaveAlone);
  CHECK(policy(R"("argocd.argoproj.io/hook":"Sometimes")").leaveAlone);
  CHECK_FALSE(policy(R"("helm.sh/hook":"pre-install,test")").leaveAlone);
  CHECK(policy(R"("kustomize.toolkit.fluxcd.io/ssa":"IfNotPresent")").onlyCreate);
}

TEST_CASE("What is not understood of other tools is a remark") {
  const auto remarks = [](const std::string& annotations) {
    Lines out;
    for (const auto& remark : remarksOnSync(annotated(annotations))) out.push_back(remark.key + ": " + remark.message);
    return out;
  };
  CHECK(remarks(R"("argocd.argoproj.io/sync-options":"Prune=false,ServerSideApply=true")").empty());
  CHECK(remarks(R"("argocd.argoproj.io/sync-wave":"3","helm.sh/chart":"web-1")").empty());
  CHECK(remarks(R"("argocd.argoproj.io/sync-options":"PrunePropagationPolicy=orphan")") ==
        Lines{"argocd.argoproj.io/sync-options: \"PrunePropagationPolicy=orphan\" is not understood, and has no effect "
              "here"});
  const auto inPlace = remarks(R"("argocd.argoproj.io/sync-options":"Replace=true")");
  REQUIRE(inPlace.size() == 1);
  CHECK(inPlace.front().find("fields that others added stay") != std::string::npos);
  CHECK(remarks(R"("argocd.argoproj.io/sync-options":"Force=true,Replace=true")").empty());
  CHECK(syncPolicyOf(annotated(R"("argocd.argoproj.io/sync-options":"Force=true,Replace=true")")).recreated);
  CHECK_FALSE(syncPolicyOf(annotated(R"("argocd.argoproj.io/sync-options":"Replace=true")")).recreated);
  CHECK(remarks(R"("kustomize.toolkit.fluxcd.io/substitute":"disabled")").size() == 1);
  CHECK(remarks(R"("argocd.argoproj.io/hook":"PostDelete")").empty());
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/hook":"PostDelete")")).hook == Hook::postDelete);
  CHECK(syncOrderOf(annotated(R"("helm.sh/hook":"pre-delete")")).hook == Hook::preDelete);
  CHECK(remarks(R"("helm.sh/hook":"pre-rollback")").size() == 1);
}
