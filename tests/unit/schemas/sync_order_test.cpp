#include "schemas/sync_order.h"

#include "schema_test.h"

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

TEST_CASE("A hook is a Job that says so") {
  CHECK(syncOrderOf(annotated(R"("steersman.dev/hook":"pre-sync")", "Job")).hook == Hook::preSync);
  CHECK(syncOrderOf(annotated(R"("argocd.argoproj.io/hook":"PostSync")", "Job")).hook == Hook::postSync);
  CHECK(syncOrderOf(annotated(R"("steersman.dev/hook":"pre-sync")")).hook == Hook::none);
  CHECK(syncOrderOf(annotated("", "Job")).hook == Hook::none);
}

TEST_CASE("What cannot be read of the order is a finding at its annotation") {
  CHECK(findingsOf(annotated(R"("steersman.dev/wave":"-3","argocd.argoproj.io/sync-wave":"4")")).empty());
  CHECK(findingsOf(annotated(R"("steersman.dev/hook":"post-sync")", "Job")).empty());
  CHECK(findingsOf(annotated(R"("steersman.dev/wave":"soon")")) ==
        Lines{"metadata.annotations[steersman.dev/wave]: Invalid value: \"soon\": must be an integer such as \"-1\" or "
              "\"10\""});
  CHECK(findingsOf(annotated(R"("argocd.argoproj.io/hook":"SyncFail")", "Job")) ==
        Lines{"metadata.annotations[argocd.argoproj.io/hook]: Unsupported value: \"SyncFail\": supported values: "
              "\"PreSync\", \"PostSync\""});
  CHECK(findingsOf(annotated(R"("steersman.dev/hook":"pre-sync")")) ==
        Lines{"metadata.annotations[steersman.dev/hook]: Forbidden: only a Job can be a hook"});
}
