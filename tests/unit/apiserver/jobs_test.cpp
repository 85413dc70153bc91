#include <catch2/catch.hpp>

#include "fixture.h"

using namespace steer;

namespace {

json::object job(const std::string& extra = "", const std::string& name = "migrate") {
  return parsed(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":")" + name +
                R"(","namespace":"default"},"spec":{)" + extra +
                R"("template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"i"}]}}}})");
}

std::string refusal(TestServer& s, const Write& write) {
  const auto done = s.client->write(write);
  return done.ok() ? "" : done.error().message;
}

ObjectPtr created(TestServer& s, const json::object& body) {
  const auto made = s.client->write(Write::create("jobs.batch", body));
  REQUIRE(made.ok());
  return *made;
}

Write changed(const ObjectPtr& live, const std::string& patch) {
  return Write::patch({"jobs.batch", live->ns(), live->name()}, PatchType::merge, parsed(patch));
}

}  // namespace

TEST_CASE("A job gets its defaults, and labels and a selector of its own") {
  TestServer s;
  const auto made = created(s, job());
  const auto& spec = made->spec();
  CHECK(intAt(spec, {"completions"}) == 1);
  CHECK(intAt(spec, {"parallelism"}) == 1);
  CHECK(intAt(spec, {"backoffLimit"}) == 6);
  CHECK(stringAt(spec, {"completionMode"}) == "NonIndexed");
  CHECK(stringAt(spec, {"podReplacementPolicy"}) == "TerminatingOrFailed");
  CHECK(find(spec, {"suspend"})->as_bool() == false);
  const auto& labels = objectAt(spec, {"template", "metadata", "labels"});
  CHECK(stringAt(labels, {"batch.kubernetes.io/controller-uid"}) == made->uid());
  CHECK(stringAt(labels, {"controller-uid"}) == made->uid());
  CHECK(stringAt(labels, {"batch.kubernetes.io/job-name"}) == "migrate");
  CHECK(stringAt(labels, {"job-name"}) == "migrate");
  CHECK(stringAt(spec, {"selector", "matchLabels", "batch.kubernetes.io/controller-uid"}) == made->uid());
  CHECK(made->generation() == 1);
}

TEST_CASE("A selector of one's own is refused unless it is asked for by manualSelector") {
  TestServer s;
  CHECK(refusal(s, Write::create("jobs.batch", job(R"("selector":{"matchLabels":{"a":"b"}},)"))) ==
        "Job.batch \"migrate\" is invalid: [spec.selector: Invalid value: `selector` not auto-generated, "
        "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`]");
  auto manual = job(R"("manualSelector":true,"selector":{"matchLabels":{"a":"b"}},)");
  CHECK(refusal(s, Write::create("jobs.batch", manual)).find("spec.template.metadata.labels") != std::string::npos);
  manual["spec"].as_object()["template"].as_object()["metadata"] = {{"labels", {{"a", "b"}}}};
  CHECK(objectAt(created(s, manual)->spec(), {"template", "metadata", "labels"}).size() == 1);
}

TEST_CASE("What a job makes of its pods cannot change; how many run at once can") {
  TestServer s;
  const auto live = created(s, job(R"("completions":4,)"));
  CHECK(refusal(s, changed(live, R"({"spec":{"template":{"spec":{"hostname":"x"}}}})")).find("field is immutable") !=
        std::string::npos);
  CHECK(refusal(s, changed(live, R"({"spec":{"completions":5}})")).find("spec.completions") != std::string::npos);
  CHECK(refusal(s, changed(live, R"({"spec":{"parallelism":3,"backoffLimit":1,"suspend":true}})")).empty());
  const auto grows = created(s, job(R"("completions":4,"parallelism":4,"completionMode":"Indexed",)", "grows"));
  CHECK(refusal(s, changed(grows, R"({"spec":{"completions":5}})")).find("in tandem with parallelism") !=
        std::string::npos);
  CHECK(refusal(s, changed(grows, R"({"spec":{"completions":5,"parallelism":5}})")).empty());
}

TEST_CASE("A job whose fields contradict each other is refused, with the field") {
  TestServer s;
  const auto says = [&](const std::string& extra) { return refusal(s, Write::create("jobs.batch", job(extra))); };
  CHECK(says(R"("completionMode":"Indexed","parallelism":2,)").find("spec.completions: Required value") !=
        std::string::npos);
  CHECK(says(R"("backoffLimitPerIndex":1,)").find("requires indexed completion mode") != std::string::npos);
  CHECK(says(R"("backoffLimit":-1,)").find("spec.backoffLimit") != std::string::npos);
  CHECK(says(R"("podFailurePolicy":{"rules":[{"action":"Ignore"}]},)").find("spec.podFailurePolicy.rules[0]") !=
        std::string::npos);
  CHECK(says(R"("successPolicy":{"rules":[{"succeededCount":1}]},)").find("requires indexed completion mode") !=
        std::string::npos);
  CHECK(says(R"("completionMode":"Indexed","completions":1,"successPolicy":{"rules":[{"succeededIndexes":"0-"}]},)")
            .find("spec.successPolicy.rules[0].succeededIndexes") != std::string::npos);
  auto always = job();
  always["spec"].as_object()["template"].as_object()["spec"].as_object()["restartPolicy"] = "Always";
  CHECK(refusal(s, Write::create("jobs.batch", always)).find("restartPolicy") != std::string::npos);
}

TEST_CASE("kubectl's table of jobs says how far they are") {
  TestServer s;
  const auto live = created(s, job(R"("completions":3,)"));
  auto body = live->json();
  body["status"] = parsed(R"({"startTime":"2025-12-31T23:58:00Z","succeeded":2})");
  REQUIRE(s.client->write(Write::updateStatus("jobs.batch", body)).ok());
  const auto table = s.object(
      s.call("GET", "/apis/batch/v1/namespaces/default/jobs", "", "", "application/json;as=Table;v=v1;g=meta.k8s.io"));
  const auto& cells = table.at("rows").as_array().at(0).at("cells").as_array();
  CHECK(cells.at(0) == "migrate");
  CHECK(cells.at(1) == "Running");
  CHECK(cells.at(2) == "2/3");
  CHECK(cells.at(3) == "2m");
}

TEST_CASE("Applying a job again changes nothing, although the server added to its template") {
  TestServer s;
  const auto once = s.client->write(Write::apply("jobs.batch", job(), "steersman", false));
  REQUIRE(once.ok());
  const auto twice = s.client->write(Write::apply("jobs.batch", job(), "steersman", false));
  REQUIRE(twice.ok());
  CHECK((*twice)->revision() == (*once)->revision());
}

TEST_CASE("The name of a job is a label of its pods, and of a job without labels of its own") {
  TestServer s;
  const auto labels = [](const Object& made) { return objectAt(made.json(), {"metadata", "labels"}); };
  auto body = job();
  body["spec"].as_object()["template"].as_object()["metadata"] = json::object{{"labels", json::object{{"a", "b"}}}};
  const auto plain = created(s, body);
  CHECK(labels(*plain) == objectAt(plain->spec(), {"template", "metadata", "labels"}));
  CHECK(labels(*plain).size() == 5);
  body["metadata"].as_object()["name"] = std::string(64, 'a');
  CHECK(refusal(s, Write::create("jobs.batch", body)).find("spec.template.labels") != std::string::npos);
}

TEST_CASE("Deleting a job without a policy leaves its pods; with background it goes at once") {
  TestServer s;
  created(s, job());
  REQUIRE(s.client->write(Write::remove({"jobs.batch", "default", "migrate"})).ok());
  const auto marked = s.client->get({"jobs.batch", "default", "migrate"});
  REQUIRE(marked.ok());
  CHECK((*marked)->finalizers() == std::vector<std::string>{"orphan"});
  created(s, job("", "other"));
  DeleteOptions options;
  options.propagation = Propagation::background;
  REQUIRE(s.client->write(Write::remove({"jobs.batch", "default", "other"}, options)).ok());
  CHECK_FALSE(s.client->get({"jobs.batch", "default", "other"}).ok());
}
