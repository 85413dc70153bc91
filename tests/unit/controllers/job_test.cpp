#include "cluster/controllers/job.h"

#include <algorithm>
#include <set>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/job_facts.h"
#include "cluster/controllers/job_failure.h"
#include "tests/unit/controllers/fixture.h"

using namespace steer;
using namespace steer::testing;

namespace {

constexpr const char* kTracking = "batch.kubernetes.io/job-tracking";

json::object jobOf(const std::string& spec) {
  return object(
             R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"work","namespace":"shop","uid":"job"},"spec":{
                "selector":{"matchLabels":{"run":"work"}},"backoffLimit":6,)" +
             spec +
             R"("template":{"metadata":{"labels":{"run":"work"}},
                 "spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})")
      ->json();
}

json::object pod(const std::string& name, const std::string& phase, const std::string& finishedAt = "",
                 std::int64_t exitCode = 1) {
  json::object status{{"phase", phase}};
  if (!finishedAt.empty())
    status["containerStatuses"] = json::array{json::object{
        {"name", "c"},
        {"state", {{"terminated", {{"exitCode", phase == "Succeeded" ? 0 : exitCode}, {"finishedAt", finishedAt}}}}}}};
  return {
      {"apiVersion", "v1"},
      {"kind", "Pod"},
      {"metadata",
       {{"name", name},
        {"namespace", "shop"},
        {"uid", "u-" + name},
        {"labels", {{"run", "work"}}},
        {"finalizers", json::array{kTracking}},
        {"ownerReferences",
         json::array{json::object{
             {"apiVersion", "batch/v1"}, {"kind", "Job"}, {"name", "work"}, {"uid", "job"}, {"controller", true}}}}}},
      {"spec", {{"nodeName", "n1"}}},
      {"status", std::move(status)}};
}

json::object indexPod(const std::string& name, std::int64_t index, const std::string& phase,
                      const std::string& finishedAt = "") {
  auto made = pod(name, phase, finishedAt);
  made["metadata"].as_object()["annotations"] = {{"batch.kubernetes.io/job-completion-index", std::to_string(index)}};
  return made;
}

struct Case : World {
  explicit Case(const std::string& spec) { put("jobs.batch", jobOf(spec)); }

  Decision decide(Time now = kNow) const { return makeJobController()->decide(snapshot, {"shop", "work"}, now); }
  /// Decides and applies until nothing is left to write; answers every event's reason.
  std::multiset<std::string> settle(Time now = kNow) {
    std::multiset<std::string> reasons;
    for (int round = 0; round < 20; ++round) {
      const auto decision = decide(now);
      for (const auto& event : decision.events) reasons.insert(event.reason);
      if (decision.writes.empty()) return reasons;
      apply(decision);
    }
    FAIL("it does not come to rest");
    return reasons;
  }
  ObjectPtr job() const { return snapshot.get("jobs.batch", "shop", "work"); }
  std::int64_t status(std::string_view field) const { return intAt(job()->status(), {field}); }
  std::string reason(std::string_view type) const {
    const auto* found = findCondition(job()->status(), type);
    return found == nullptr || stringAt(*found, {"status"}) != "True" ? "" : std::string(stringAt(*found, {"reason"}));
  }
  std::size_t phaseCount(const std::string& phase) const {
    std::size_t n = 0;
    for (const auto& one : snapshot.list("pods", "shop"))
      if (stringAt(one->status(), {"phase"}) == phase) ++n;
    return n;
  }
  /// Every running pod ends.
  void end(const std::string& phase, Time at) {
    for (const auto& one : snapshot.list("pods", "shop")) {
      if (!stringAt(one->status(), {"phase"}).empty()) continue;
      auto body = one->json();
      body["status"] = pod("x", phase, formatTime(at)).at("status");
      put("pods", body);
    }
  }
  bool tracked(const std::string& name) const { return jobfacts::tracked(*snapshot.get("pods", "shop", name)); }
};

}  // namespace

TEST_CASE("a job starts as many pods as may run at once, each tracked and owned") {
  Case c(R"("completions":5,"parallelism":2,)");
  const auto events = c.settle();
  CHECK(events.count("SuccessfulCreate") == 2);
  CHECK(c.status("active") == 2);
  CHECK(stringAt(c.job()->status(), {"startTime"}) == formatTime(kNow));
  for (const auto& one : c.snapshot.list("pods", "shop")) {
    CHECK(one->controllerOwner()->uid == "job");
    CHECK(jobfacts::tracked(*one));
  }
}

TEST_CASE("a job completes when its completions are reached, and its pods stay") {
  Case c(R"("completions":3,"parallelism":2,)");
  c.settle();
  c.end("Succeeded", kNow + seconds(5));
  c.settle(kNow + seconds(5));
  CHECK(c.status("succeeded") == 2);
  CHECK(c.status("active") == 1);
  CHECK(c.reason("Complete").empty());
  c.end("Succeeded", kNow + seconds(9));
  const auto events = c.settle(kNow + seconds(9));
  CHECK(events.count("Completed") == 1);
  CHECK(c.status("succeeded") == 3);
  CHECK(c.reason("SuccessCriteriaMet") == "CompletionsReached");
  CHECK(c.reason("Complete") == "CompletionsReached");
  CHECK(stringAt(c.job()->status(), {"completionTime"}) == formatTime(kNow + seconds(9)));
  CHECK(c.snapshot.list("pods", "shop").size() == 3);
  for (const auto& one : c.snapshot.list("pods", "shop")) CHECK_FALSE(jobfacts::tracked(*one));
  CHECK(c.decide(kNow + minutes(60)).writes.empty());
}

TEST_CASE("a finished pod is named in the status before it is let go, and counted after") {
  Case c(R"("completions":2,"parallelism":1,)");
  c.put("pods", pod("done", "Succeeded", formatTime(kNow)));
  const auto naming = c.decide();
  const auto& writes = naming.writes;
  const auto status =
      std::find_if(writes.begin(), writes.end(), [](const Write& w) { return w.subresource == "status"; });
  const auto release =
      std::find_if(writes.begin(), writes.end(), [](const Write& w) { return w.target.name == "done"; });
  REQUIRE(status != writes.end());
  REQUIRE(release != writes.end());
  CHECK(status < release);
  CHECK(find(status->body, {"status", "uncountedTerminatedPods", "succeeded"})->as_array().at(0) == "u-done");
  CHECK(find(status->body, {"status", "succeeded"}) == nullptr);

  SECTION("a crash between the two: the pod is let go, then counted once") {
    c.apply({*status});
    CHECK(c.tracked("done"));
    c.settle();
    CHECK_FALSE(c.tracked("done"));
    CHECK(c.status("succeeded") == 1);
  }
  SECTION("the pod is deleted before it is counted: the count survives") {
    c.apply({*status});
    c.snapshot.remove("pods", "shop", "done");
    c.settle();
    CHECK(c.status("succeeded") == 1);
  }
  SECTION("the pod is deleted after: nothing is counted twice") {
    c.settle();
    c.snapshot.remove("pods", "shop", "done");
    c.settle();
    CHECK(c.status("succeeded") == 1);
    CHECK(c.status("active") == 1);
  }
}

TEST_CASE("failed pods are replaced after 10 s, 20 s, 40 s, and at most 6 minutes") {
  CHECK(failureDelay(0) == Duration::zero());
  CHECK(failureDelay(1) == seconds(10));
  CHECK(failureDelay(2) == seconds(20));
  CHECK(failureDelay(3) == seconds(40));
  CHECK(failureDelay(7) == minutes(6));
  CHECK(failureDelay(900) == minutes(6));

  Case c(R"("completions":1,"parallelism":1,)");
  c.settle();
  c.end("Failed", kNow + seconds(1));
  c.settle(kNow + seconds(1));
  CHECK(c.status("failed") == 1);
  CHECK(c.status("active") == 0);
  CHECK(c.decide(kNow + seconds(1)).recheck == kNow + seconds(11));
  c.settle(kNow + seconds(10));
  CHECK(c.status("active") == 0);
  c.settle(kNow + seconds(11));
  CHECK(c.status("active") == 1);
  c.end("Failed", kNow + seconds(12));
  c.settle(kNow + seconds(12));
  CHECK(c.decide(kNow + seconds(12)).recheck == kNow + seconds(32));
}

TEST_CASE("a success forgives the failures before it") {
  const auto job = Object::make(jobOf(R"("completions":9,)"));
  const auto pods = [&](std::initializer_list<json::object> bodies) {
    std::vector<ObjectPtr> out;
    for (const auto& body : bodies) out.push_back(Object::make(body));
    return out;
  };
  const auto early = pod("a", "Failed", "2026-01-01T00:10:00Z"), good = pod("b", "Succeeded", "2026-01-01T00:20:00Z"),
             late = pod("c", "Failed", "2026-01-01T00:30:00Z");
  CHECK(createAgainAt(*job, pods({early, good}), 1) == std::nullopt);
  CHECK(createAgainAt(*job, pods({early, good, late}), 2) == *parseTime("2026-01-01T00:30:10Z"));
  CHECK(createAgainAt(*job, pods({early, late}), 2) == *parseTime("2026-01-01T00:30:20Z"));
  // Pods that are gone failed all the same.
  CHECK(createAgainAt(*job, pods({late}), 3) == *parseTime("2026-01-01T00:30:40Z"));
}

TEST_CASE("beyond the back-off limit the job fails: its pods are stopped, and then it says Failed") {
  Case c(R"("completions":4,"parallelism":2,"backoffLimit":1,)");
  c.put("pods", pod("bad1", "Failed", formatTime(kNow)));
  c.put("pods", pod("bad2", "Failed", formatTime(kNow)));
  c.put("pods", pod("busy", "Running"));
  const auto first = c.decide();
  CHECK(count(first, Write::Verb::remove, "pods") == 1);
  CHECK(count(first, Write::Verb::create, "pods") == 0);
  // As a server does: the pod stays while its finalizer holds it.
  for (const auto& write : first.writes)
    if (write.verb != Write::Verb::remove) c.apply({write});
  CHECK(c.reason("FailureTarget") == "BackoffLimitExceeded");
  CHECK(c.reason("Failed").empty());
  auto going = pod("busy", "Running");
  going["metadata"].as_object()["deletionTimestamp"] = formatTime(kNow + seconds(30));
  c.put("pods", going);
  c.settle();
  CHECK(c.status("failed") == 3);
  CHECK(c.reason("Failed").empty());  // one is still on its way out
  CHECK(c.status("terminating") == 1);
  c.snapshot.remove("pods", "shop", "busy");
  const auto events = c.settle();
  CHECK(events.count("BackoffLimitExceeded") == 1);
  CHECK(c.reason("Failed") == "BackoffLimitExceeded");
  CHECK(find(c.job()->status(), {"completionTime"}) == nullptr);
}

TEST_CASE("a deadline ends a job by the minute, but not a suspended one") {
  Case c(R"("completions":1,"parallelism":1,"activeDeadlineSeconds":60,)");
  c.settle();
  CHECK(c.decide().recheck == kNow + seconds(60));
  CHECK(c.decide(kNow + seconds(59)).writes.empty());
  CHECK(count(c.decide(kNow + seconds(60)), Write::Verb::remove, "pods") == 1);
  c.settle(kNow + seconds(60));
  CHECK(c.reason("Failed") == "DeadlineExceeded");

  Case idle(R"("completions":1,"parallelism":1,"activeDeadlineSeconds":60,"suspend":true,)");
  idle.settle();
  idle.settle(kNow + seconds(600));
  CHECK(idle.reason("Failed").empty());
  CHECK(idle.reason("Suspended") == "JobSuspended");
  CHECK(idle.snapshot.list("pods", "shop").empty());
}

TEST_CASE("a suspended job stops its pods without counting them, and starts its clock anew") {
  Case c(R"("completions":2,"parallelism":2,)");
  c.settle();
  auto body = c.job()->json();
  body["spec"].as_object()["suspend"] = true;
  c.put("jobs.batch", body);
  CHECK(c.settle(kNow + seconds(5)).count("Suspended") == 1);
  CHECK(c.snapshot.list("pods", "shop").empty());
  CHECK(c.status("failed") == 0);
  CHECK_FALSE(c.job()->status().contains("startTime"));
  body = c.job()->json();
  body["spec"].as_object()["suspend"] = false;
  c.put("jobs.batch", body);
  CHECK(c.settle(kNow + seconds(90)).count("Resumed") == 1);
  CHECK(c.status("active") == 2);
  CHECK(stringAt(c.job()->status(), {"startTime"}) == formatTime(kNow + seconds(90)));
}

TEST_CASE("with restartPolicy OnFailure the restarts of running pods count toward the limit") {
  Case c(R"("completions":1,"parallelism":1,"backoffLimit":2,)");
  auto body = c.job()->json();
  body["spec"].as_object()["template"].as_object()["spec"].as_object()["restartPolicy"] = "OnFailure";
  c.put("jobs.batch", body);
  auto busy = pod("busy", "Running");
  busy["status"].as_object()["containerStatuses"] = json::array{json::object{{"name", "c"}, {"restartCount", 1}}};
  c.put("pods", busy);
  c.settle();
  CHECK(c.reason("FailureTarget").empty());
  busy["status"].as_object()["containerStatuses"].as_array()[0].as_object()["restartCount"] = 2;
  c.put("pods", busy);
  c.settle();
  CHECK(c.reason("Failed") == "BackoffLimitExceeded");
}

TEST_CASE("a work queue is complete once one pod succeeded and the others ended") {
  Case c(R"("parallelism":3,)");
  c.settle();
  CHECK(c.status("active") == 3);
  const auto pods = c.snapshot.list("pods", "shop");
  auto one = pods.front()->json();
  one["status"] = pod("x", "Succeeded", formatTime(kNow)).at("status");
  c.put("pods", one);
  c.settle();
  CHECK(c.status("active") == 2);  // nobody joins, nobody is sent away
  CHECK(c.reason("Complete").empty());
  c.end("Succeeded", kNow + seconds(3));
  c.settle(kNow + seconds(3));
  CHECK(c.reason("Complete") == "CompletionsReached");
}

TEST_CASE("index sets are written as ranges") {
  auto set = IndexSet::parse("0,2-4,x,9", 8);
  CHECK(set.text() == "0,2-4");
  set.add(6);
  set.add(7);
  CHECK(set.text() == "0,2-4,6,7");
  CHECK(IndexSet::parse("", 5).empty());
}

TEST_CASE("an indexed job gives each pod its index, and runs every index once") {
  Case c(R"("completions":3,"parallelism":2,"completionMode":"Indexed",)");
  c.settle();
  auto pods = c.snapshot.list("pods", "shop");
  REQUIRE(pods.size() == 2);
  CHECK(pods[0]->annotation("batch.kubernetes.io/job-completion-index") == "0");
  CHECK(pods[1]->label("batch.kubernetes.io/job-completion-index") == "1");
  CHECK(pods[1]->name().starts_with("work-1-"));
  CHECK(stringAt(pods[1]->spec(), {"hostname"}) == "work-1");
  const auto& env = arrayAt(arrayAt(pods[1]->spec(), {"containers"})[0], {"env"});
  REQUIRE(env.size() == 1);
  CHECK(stringAt(env[0], {"name"}) == "JOB_COMPLETION_INDEX");
  auto done = pods[1]->json();
  done["status"] = pod("x", "Succeeded", formatTime(kNow)).at("status");
  c.put("pods", done);
  c.settle();
  CHECK(stringAt(c.job()->status(), {"completedIndexes"}) == "1");
  CHECK(c.status("succeeded") == 1);
  std::set<std::string> running;
  for (const auto& one : c.snapshot.list("pods", "shop"))
    if (stringAt(one->status(), {"phase"}).empty())
      running.emplace(one->label("batch.kubernetes.io/job-completion-index"));
  CHECK(running == std::set<std::string>{"0", "2"});
  c.end("Succeeded", kNow);
  c.settle();
  CHECK(stringAt(c.job()->status(), {"completedIndexes"}) == "0-2");
  CHECK(c.reason("Complete") == "CompletionsReached");
}

TEST_CASE("of two pods with one index, or of one that is done, the spare goes") {
  Case c(R"("completions":2,"parallelism":2,"completionMode":"Indexed",)");
  c.put("pods", indexPod("a", 0, "Running"));
  c.put("pods", indexPod("b", 0, "Running"));
  c.put("pods", indexPod("beyond", 7, "Running"));
  c.settle();
  std::multiset<std::string> left;
  for (const auto& one : c.snapshot.list("pods", "shop"))
    left.emplace(one->annotation("batch.kubernetes.io/job-completion-index"));
  CHECK(left == std::multiset<std::string>{"0", "1"});
  CHECK(c.status("failed") == 0);
}

TEST_CASE("a limit per index fails that index alone; the others go on and the job fails at the end") {
  Case c(
      R"("completions":2,"parallelism":2,"completionMode":"Indexed","backoffLimit":2147483647,"backoffLimitPerIndex":1,)");
  c.put("pods", indexPod("a", 0, "Failed", formatTime(kNow)));
  c.settle();
  CHECK(c.tracked("a"));  // its failures are carried on by its successor
  CHECK(c.status("active") == 1);
  c.settle(kNow + seconds(10));
  CHECK_FALSE(c.tracked("a"));
  CHECK(c.status("active") == 2);
  CHECK(c.status("failed") == 1);
  for (const auto& one : c.snapshot.list("pods", "shop")) {
    if (!stringAt(one->status(), {"phase"}).empty()) continue;
    const bool first = one->annotation("batch.kubernetes.io/job-completion-index") == "0";
    CHECK(one->annotation("batch.kubernetes.io/job-index-failure-count") == (first ? "1" : "0"));
    auto body = one->json();
    body["status"] = pod("x", first ? "Failed" : "Succeeded", formatTime(kNow + seconds(20))).at("status");
    c.put("pods", body);
  }
  c.settle(kNow + seconds(20));
  CHECK(stringAt(c.job()->status(), {"failedIndexes"}) == "0");
  CHECK(stringAt(c.job()->status(), {"completedIndexes"}) == "1");
  CHECK(c.reason("Failed") == "FailedIndexes");
}

TEST_CASE("a failure policy ends the job, or looks away, by exit code and by condition") {
  const std::string policy = R"("podReplacementPolicy":"Failed","podFailurePolicy":{"rules":[
      {"action":"FailJob","onExitCodes":{"operator":"In","values":[42]}},
      {"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget","status":"True"}]}]},)";
  Case fatal(R"("completions":3,"parallelism":1,)" + policy);
  fatal.put("pods", pod("bad", "Failed", formatTime(kNow), 42));
  fatal.settle();
  CHECK(fatal.reason("Failed") == "PodFailurePolicy");
  CHECK(stringAt(*findCondition(fatal.job()->status(), "Failed"), {"message"}) ==
        "Container c for pod shop/bad failed with exit code 42 matching FailJob rule at index 0");

  Case ignored(R"("completions":3,"parallelism":1,"backoffLimit":0,)" + policy);
  auto evicted = pod("evicted", "Failed", "", 137);
  evicted["status"].as_object()["conditions"] =
      json::array{json::object{{"type", "DisruptionTarget"}, {"status", "True"}}};
  ignored.put("pods", evicted);
  ignored.settle(kNow + minutes(1));
  CHECK(ignored.reason("FailureTarget").empty());
  CHECK(ignored.status("failed") == 0);
  CHECK(ignored.status("active") == 1);

  Case counted(R"("completions":3,"parallelism":1,"backoffLimit":0,)" + policy);
  counted.put("pods", pod("other", "Failed", formatTime(kNow), 1));
  counted.settle();
  CHECK(counted.reason("Failed") == "BackoffLimitExceeded");
}

TEST_CASE("a pod on its way out is replaced at once, or only when it has ended") {
  auto going = pod("going", "Running");
  going["metadata"].as_object()["deletionTimestamp"] = formatTime(kNow);
  Case eager(R"("completions":1,"parallelism":1,"podReplacementPolicy":"TerminatingOrFailed",)");
  eager.put("pods", going);
  eager.settle(kNow + minutes(1));
  CHECK(eager.status("failed") == 1);
  CHECK(eager.status("active") == 1);
  Case patient(R"("completions":1,"parallelism":1,"podReplacementPolicy":"Failed",)");
  patient.put("pods", going);
  patient.settle(kNow + minutes(1));
  CHECK(patient.status("failed") == 0);
  CHECK(patient.status("active") == 0);
  CHECK(patient.status("terminating") == 1);
}

TEST_CASE("fewer at once stops the spare ones without counting them") {
  Case c(R"("completions":9,"parallelism":3,)");
  c.settle();
  auto body = c.job()->json();
  body["spec"].as_object()["parallelism"] = 1;
  c.put("jobs.batch", body);
  c.settle();
  CHECK(c.status("active") == 1);
  CHECK(c.status("failed") == 0);
}

TEST_CASE("a finished job is deleted with its pods after its time to live") {
  Case c(R"("completions":0,"parallelism":1,"ttlSecondsAfterFinished":30,)");
  c.settle();
  REQUIRE(c.reason("Complete") == "CompletionsReached");
  CHECK(c.decide().recheck == kNow + seconds(30));
  const auto late = c.decide(kNow + seconds(30));
  REQUIRE(late.writes.size() == 1);
  CHECK(late.writes[0].verb == Write::Verb::remove);
  CHECK(late.writes[0].deleteOptions.propagation == Propagation::foreground);
  CHECK(late.writes[0].deleteOptions.uid == "job");
}

TEST_CASE("pods of a job that is going, or gone, are let go") {
  Case c(R"("completions":1,"parallelism":1,)");
  c.put("pods", pod("busy", "Running"));
  auto body = c.job()->json();
  body["metadata"].as_object()["deletionTimestamp"] = formatTime(kNow);
  c.put("jobs.batch", body);
  c.settle();
  CHECK_FALSE(c.tracked("busy"));

  c.put("pods", pod("stray", "Running"));
  const auto before = c.job();
  c.snapshot.remove("jobs.batch", "shop", "work");
  const auto controller = makeJobController();
  const auto keys = controller->keysFor(c.snapshot, "jobs.batch", before, nullptr);
  const Controller::Key stray{"pod|shop", "stray"};
  REQUIRE(std::find(keys.begin(), keys.end(), stray) != keys.end());
  const auto decision = controller->decide(c.snapshot, stray, kNow);
  REQUIRE(decision.provided.size() == 1);
  CHECK(decision.provided[0].absent.name == "work");
  c.apply(decision);
  CHECK_FALSE(c.tracked("stray"));
}

TEST_CASE("a matching pod without a controller is adopted and tracked") {
  Case c(R"("completions":1,"parallelism":1,)");
  auto orphan = pod("orphan", "Running");
  orphan["metadata"].as_object().erase("ownerReferences");
  orphan["metadata"].as_object().erase("finalizers");
  c.put("pods", orphan);
  c.settle();
  CHECK(c.snapshot.get("pods", "shop", "orphan")->controllerOwner()->uid == "job");
  CHECK(c.tracked("orphan"));
  CHECK(c.status("active") == 1);
}

TEST_CASE("a success policy ends an indexed job early: the rest is stopped and not counted") {
  Case c(R"("completions":4,"parallelism":4,"completionMode":"Indexed",
            "successPolicy":{"rules":[{"succeededIndexes":"0"},{"succeededIndexes":"1-3","succeededCount":2}]},)");
  c.settle();
  const auto succeed = [&](const std::string& index) {
    for (const auto& one : c.snapshot.list("pods", "shop")) {
      if (one->label("batch.kubernetes.io/job-completion-index") != index) continue;
      auto body = one->json();
      body["status"] = pod("x", "Succeeded", formatTime(kNow)).at("status");
      c.put("pods", body);
    }
    c.settle();
  };
  succeed("2");
  CHECK(c.reason("SuccessCriteriaMet").empty());
  succeed("3");
  CHECK(c.reason("Complete") == "SuccessPolicy");
  CHECK(stringAt(*findCondition(c.job()->status(), "Complete"), {"message"}) == "Matched rules at index 1");
  CHECK(c.status("succeeded") == 2);
  CHECK(c.status("failed") == 0);
  CHECK(c.snapshot.list("pods", "shop").size() == 2);
}

TEST_CASE("in a namespace that ends an index lets its failed pod go: no successor comes to carry on its count") {
  Case c(
      R"("completions":2,"parallelism":2,"completionMode":"Indexed","backoffLimit":2147483647,"backoffLimitPerIndex":3,)");
  c.put("namespaces", R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  c.put("pods", indexPod("zero", 0, "Failed", formatTime(kNow)));
  c.apply(c.decide());
  CHECK(c.tracked("zero"));
  const auto made = c.snapshot.list("pods", "shop").size();
  c.put(
      "namespaces",
      R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop","deletionTimestamp":"2026-01-01T01:00:00Z"}})");
  const auto keys = makeJobController()->keysFor(
      c.snapshot, "namespaces", object(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})"),
      c.snapshot.get("namespaces", "", "shop"));
  CHECK(keys == std::vector<Controller::Key>{{"shop", "work"}});
  c.settle(kNow + minutes(5));
  CHECK_FALSE(c.tracked("zero"));
  CHECK(c.snapshot.list("pods", "shop").size() == made);
}
