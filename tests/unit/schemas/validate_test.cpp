#include "schema_test.h"

using namespace steer;
using namespace steer::test;
using Lines = std::vector<std::string>;

TEST_CASE("A sound Deployment has no findings") { CHECK(findingsOf(parse(kWeb)).empty()); }

TEST_CASE("All findings of an object come at once and in document order") {
  const auto findings = findingsOf(parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "Web", "labels": {"a b": "c"}},
    "spec": {
      "replicsa": 3, "paused": "yes", "minReadySeconds": 5000000000,
      "selector": {"matchLabels": {"app": "web"}},
      "strategy": {"type": "Rolling"},
      "template": {"metadata": {"labels": {"app": "web"}},
        "spec": {"containers": [{"image": "nginx", "resources": {"limits": {"memory": "64 MB"}}, "ports": {"containerPort": 80}}]}}}})"));
  REQUIRE(findings.size() >= 8);
  CHECK(findings[0].substr(0, 14) == "metadata.name:");
  CHECK(findings[0].find("Invalid value: \"Web\": a lowercase RFC 1123 subdomain") != std::string::npos);
  CHECK(findings[1].substr(0, 16) == "metadata.labels:");
  CHECK(findings[2] == "spec.replicsa: unknown field; did you mean \"replicas\"?");
  CHECK(findings[3] == "spec.paused: expected boolean, found string");
  CHECK(findings[4] ==
        "spec.minReadySeconds: Invalid value: 5000000000: must be between -2147483648 and 2147483647, inclusive");
  CHECK(findings[5] ==
        "spec.strategy: Unsupported value: \"Rolling\": supported values: \"Recreate\", \"RollingUpdate\"; did you "
        "mean \"RollingUpdate\"?");
  CHECK(
      findings[6] ==
      "spec.template.spec.containers[0].resources.limits[memory]: Invalid value: \"64 MB\": must be a quantity such as "
      "500m, 1.5 or 128Mi");
  CHECK(findings[7] == "spec.template.spec.containers[0].ports: expected array, found object");
  CHECK(findings[8] == "spec.template.spec.containers[0].name: Required value");
}

TEST_CASE("A Deployment without its spec lacks what the spec requires") {
  const auto findings = findingsOf(parse(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"web"}})"));
  CHECK(findings == Lines{"spec.selector: Required value",
                          "spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`",
                          "spec.template.spec.containers: Required value"});
}

TEST_CASE("Findings point into the document with escaped pointers") {
  const auto object =
      parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c","annotations":{"a/b": 1}}})");
  const auto findings = validateObject(kindOf(object), object);
  REQUIRE(findings.size() == 1);
  CHECK(findings[0].pointer == "/metadata/annotations/a~1b");
  CHECK(findings[0].path == "metadata.annotations[a/b]");
  CHECK(findings[0].kind == Finding::Kind::wrongType);
}

TEST_CASE("Names follow the rules of their kind") {
  const auto named = [](const std::string& apiVersion, const std::string& kind, const std::string& name) {
    return findingsOf(parse(R"({"apiVersion":")" + apiVersion + R"(","kind":")" + kind + R"(","metadata":{"name":")" +
                            name + R"("}})"))
        .size();
  };
  CHECK(named("v1", "ConfigMap", "a.b") == 0);
  CHECK(named("v1", "Namespace", "a.b") == 1);
  CHECK(named("v1", "ConfigMap", "1a") == 0);
  CHECK(named("v1", "ConfigMap", "-a") == 1);
  CHECK(named("rbac.authorization.k8s.io/v1", "ClusterRole", "system:admin") == 0);
  CHECK(named("rbac.authorization.k8s.io/v1", "ClusterRole", "a/b") == 1);
  CHECK(named("v1", "Namespace", std::string(64, 'a')) == 2);  // its label, too
}

TEST_CASE("A namespace on a cluster-wide kind is none") {
  CHECK(findingsOf(parse(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n","namespace":"x"}})")).empty());
}

TEST_CASE("Findings about a Secret never show its values") {
  const auto findings = findingsOf(
      parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},"data":{"password":"hunter2!"}})"));
  REQUIRE(findings.size() == 1);
  CHECK(findings[0] == "data[password]: Invalid value: must be base64-encoded");
}

TEST_CASE("Unknown fields can be pruned and named") {
  auto object = parse(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","color":1},"spec":{"containers":[{"name":"a","imagee":"b"}]},"extra":{}})");
  const auto gone = pruneUnknownFields(kindOf(object), object);
  CHECK(gone == Lines{"metadata.color", "spec.containers[0].imagee", "extra"});
  CHECK(jsonText(object) ==
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a"}]}})");
}

TEST_CASE("Scalars of every format are checked") {
  const auto lease = findingsOf(parse(
      R"({"apiVersion":"coordination.k8s.io/v1","kind":"Lease","metadata":{"name":"l"},"spec":{"renewTime":"yesterday","leaseDurationSeconds":1.5}})"));
  CHECK(
      lease ==
      Lines{
          "spec.renewTime: Invalid value: \"yesterday\": must be a time in RFC 3339 form, such as 2026-01-02T15:04:05Z",
          "spec.leaseDurationSeconds: expected integer, found number with a fraction"});
  const auto app = findingsOf(parse(
      R"({"apiVersion":"steersman.dev/v1","kind":"Application","metadata":{"name":"a","namespace":"default"},"spec":{"source":{"url":"u"},"healthTimeout":"5 minutes"}})"));
  CHECK(app == Lines{"spec.healthTimeout: Invalid value: \"5 minutes\": must be a duration such as 30s, 5m or 1h30m"});
}

TEST_CASE("The nearest name survives swapped letters and wrong case, and gives up when far") {
  const std::vector<std::string> names{"replicas", "selector", "template"};
  CHECK(nearestName("replicsa", names) == "replicas");
  CHECK(nearestName("Replicas", names) == "replicas");
  CHECK(nearestName("banana", names).empty());
}
