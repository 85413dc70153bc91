#include "schemas/immutable.h"

#include "schema_test.h"
#include "schemas/pod_admission.h"

using namespace steer;
using namespace steer::test;

namespace {

std::vector<std::string> changes(std::string_view before, std::string_view after) {
  std::vector<std::string> out;
  const auto old = parse(before);
  for (const auto& f : checkImmutable(kindOf(old), old, parse(after))) out.push_back(f.path + ": " + f.message);
  return out;
}
using Lines = std::vector<std::string>;

std::string pod(const std::string& spec) {
  return R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)" + spec + "}";
}

}  // namespace

TEST_CASE("A Deployment's selector may not change") {
  auto other = std::string(kWeb);
  other.replace(other.find(R"("app": "web")"), 12, R"("app": "wob")");
  CHECK(changes(kWeb, kWeb).empty());
  CHECK(changes(kWeb, other) == Lines{"spec.selector: Invalid value: field is immutable"});
}

TEST_CASE("A pod may change its image, tighten its deadline and tolerate more, and nothing else") {
  const auto base =
      pod(R"({"containers":[{"name":"a","image":"a:1"}],"activeDeadlineSeconds":9,"tolerations":[{"key":"x"}]})");
  CHECK(
      changes(
          base,
          pod(R"({"containers":[{"name":"a","image":"a:2"}],"activeDeadlineSeconds":5,"tolerations":[{"key":"x"},{"key":"y"}]})"))
          .empty());
  CHECK(
      changes(
          base,
          pod(R"({"containers":[{"name":"a","image":"a:1"}],"activeDeadlineSeconds":10,"tolerations":[{"key":"x"}]})"))
          .size() == 1);
  CHECK(changes(base, pod(R"({"containers":[{"name":"a","image":"a:1"}],"activeDeadlineSeconds":9,"tolerations":[]})"))
            .size() == 1);
  CHECK(
      changes(
          base,
          pod(R"({"containers":[{"name":"a","image":"a:1","tty":true}],"activeDeadlineSeconds":9,"tolerations":[{"key":"x"}]})"))
          .size() == 1);
}

TEST_CASE("Frozen configuration and the type of a Secret may not change, and no value is shown") {
  CHECK(changes(R"({"apiVersion":"v1","kind":"ConfigMap","immutable":true,"data":{"a":"1"}})",
                R"({"apiVersion":"v1","kind":"ConfigMap","immutable":true,"data":{"a":"2"}})") ==
        Lines{"data: Forbidden: field is immutable when `immutable` is set"});
  CHECK(changes(R"({"apiVersion":"v1","kind":"Secret","type":"Opaque"})",
                R"({"apiVersion":"v1","kind":"Secret","type":"other"})") ==
        Lines{"type: Invalid value: field is immutable"});
}

TEST_CASE("A service keeps its address, and leaving it out is no change") {
  const auto service = [](const std::string& spec) {
    return R"({"apiVersion":"v1","kind":"Service","spec":)" + spec + "}";
  };
  CHECK(changes(service(R"({"clusterIP":"10.0.0.1"})"), service(R"({"clusterIP":"10.0.0.2"})")) ==
        Lines{"spec.clusterIPs[0]: Invalid value: \"10.0.0.2\": may not change once set"});
  CHECK(changes(service(R"({"clusterIP":"10.0.0.1"})"), service("{}")).empty());
}

TEST_CASE("A node's pod range is set once") {
  const auto node = [](const std::string& spec) { return R"({"apiVersion":"v1","kind":"Node","spec":)" + spec + "}"; };
  CHECK(changes(node("{}"), node(R"({"podCIDR":"10.1.0.0/24"})")).empty());
  CHECK(changes(node(R"({"podCIDR":"10.1.0.0/24"})"), node("{}")).size() == 1);
}

TEST_CASE("The quality of service follows requests and limits of cpu and memory") {
  const auto qos = [](const std::string& resources) {
    return std::string(qosClassOf(parse(pod(R"({"containers":[{"name":"a","resources":)" + resources + "}]}"))));
  };
  CHECK(qos("{}") == "BestEffort");
  CHECK(qos(R"({"requests":{"example.com/gpu":"1"}})") == "BestEffort");
  CHECK(qos(R"({"requests":{"cpu":"0"}})") == "BestEffort");
  CHECK(qos(R"({"requests":{"cpu":"1"}})") == "Burstable");
  CHECK(qos(R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"1","memory":"2Gi"}})") == "Burstable");
  CHECK(qos(R"({"requests":{"cpu":"1","memory":"1Gi"},"limits":{"cpu":"1","memory":"1Gi"}})") == "Guaranteed");
}

TEST_CASE("Admission gives a pod its account and tolerations once, and respects its own") {
  auto plain = parse(pod(
      R"({"containers":[{"name":"a"}],"tolerations":[{"key":"node.kubernetes.io/not-ready","operator":"Exists","tolerationSeconds":5}]})"));
  applyPodAdmissionDefaults(plain);
  CHECK(stringAt(plain, {"spec", "serviceAccountName"}) == "default");
  CHECK(stringAt(plain, {"status", "phase"}) == "Pending");
  CHECK(stringAt(plain, {"status", "qosClass"}) == "BestEffort");
  const auto& tolerations = arrayAt(plain, {"spec", "tolerations"});
  REQUIRE(tolerations.size() == 2);
  CHECK(intAt(tolerations[0], {"tolerationSeconds"}) == 5);
  CHECK(intAt(tolerations[1], {"tolerationSeconds"}) == 300);
  auto again = plain;
  applyPodAdmissionDefaults(again);
  CHECK(again == plain);
}

TEST_CASE("A job's completions change only with its parallelism, and only when it is indexed") {
  const auto job = [](const std::string& mode, int completions, int parallelism) {
    return R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"completionMode":")" + mode +
           R"(","completions":)" + std::to_string(completions) + R"(,"parallelism":)" + std::to_string(parallelism) +
           "}}";
  };
  CHECK(changes(job("NonIndexed", 3, 1), job("NonIndexed", 3, 2)).empty());
  CHECK(changes(job("NonIndexed", 3, 1), job("NonIndexed", 4, 1)) ==
        Lines{"spec.completions: Invalid value: 4: field is immutable"});
  CHECK(changes(job("Indexed", 3, 3), job("Indexed", 4, 4)).empty());
  CHECK(changes(job("Indexed", 3, 3), job("Indexed", 4, 3)) ==
        Lines{"spec.completions: Invalid value: 4: can only be modified in tandem with parallelism"});
}

TEST_CASE("Where a job's pods may run is open while it is suspended and has not started") {
  const auto job = [](const std::string& head, const std::string& zone, const std::string& image) {
    return R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},)" + head + R"("template":{"spec":{
        "nodeSelector":{"zone":")" +
           zone + R"("},"containers":[{"name":"c","image":")" + image + R"("}]}}}})";
  };
  const std::string idle = R"("spec":{"suspend":true,)",
                    ran = R"("status":{"startTime":"2026-01-01T00:00:00Z"},)" + idle;
  CHECK(changes(job(idle, "a", "i"), job(idle, "b", "i")).empty());
  CHECK(changes(job(idle, "a", "i"), job(idle, "a", "other")).size() == 1);
  CHECK(changes(job(ran, "a", "i"), job(ran, "b", "i")).size() == 1);
  CHECK(changes(job(R"("spec":{)", "a", "i"), job(R"("spec":{)", "b", "i")).size() == 1);
}
