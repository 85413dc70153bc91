#include "schemas/defaults.h"

#include "schema_test.h"

using namespace steer;
using namespace steer::test;

namespace {

json::object defaulted(std::string_view text) {
  auto object = parse(text);
  applyDefaults(kindOf(object), object);
  return object;
}

}  // namespace

TEST_CASE("A Deployment gets the defaults of Kubernetes down to its containers") {
  const auto web = defaulted(kWeb);
  CHECK(jsonCanonical(web) == jsonCanonical(parse(R"({
    "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
    "spec": {
      "replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600,
      "selector": {"matchLabels": {"app": "web"}},
      "strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"}},
      "template": {
        "metadata": {"labels": {"app": "web"}},
        "spec": {
          "dnsPolicy": "ClusterFirst", "restartPolicy": "Always", "schedulerName": "default-scheduler",
          "securityContext": {}, "terminationGracePeriodSeconds": 30,
          "containers": [{"name": "web", "image": "nginx:1.25", "imagePullPolicy": "IfNotPresent",
            "ports": [{"containerPort": 80, "protocol": "TCP"}], "resources": {},
            "terminationMessagePath": "/dev/termination-log", "terminationMessagePolicy": "File"}]}}}})")));
}

TEST_CASE("Defaults applied twice change nothing more") {
  for (
      const auto* text :
      {R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"type":"LoadBalancer","sessionAffinity":"ClientIP","ports":[{"port":80}]}})",
       R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})",
       R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"spec":{"containers":[{"name":"a","image":"a"}],"restartPolicy":"Never"}}}})",
       R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"hostNetwork":true,"volumes":[{"name":"v"},{"name":"c","configMap":{"name":"c"}}],"containers":[{"name":"a","image":"a@sha256:00","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"0.5"}},"livenessProbe":{"httpGet":{"port":80}}}]}})"}) {
    const auto once = defaulted(text);
    auto twice = once;
    applyDefaults(kindOf(twice), twice);
    CHECK(jsonText(twice) == jsonText(once));
    CHECK(jsonText(once) != jsonText(parse(text)));
  }
}

TEST_CASE("What says the same as its absence is not kept, and what says more is") {
  const auto plain = defaulted(R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"spec":{
    "replicas":0,"selector":{"matchLabels":{"a":"b"}},"template":{"metadata":{"labels":{"a":"b"}},"spec":{
      "automountServiceAccountToken":false,"volumes":[{"name":"v","emptyDir":{}},{"name":"h","hostPath":{"path":"/x","type":""}}],
      "containers":[{"name":"a","image":"a:1","env":[{"name":"E"}],"securityContext":{"privileged":false}}]}}}})");
  const auto wordy = defaulted(R"({"apiVersion":"apps/v1","kind":"Deployment",
    "metadata":{"name":"w","annotations":{},"labels":{},"finalizers":[]},"spec":{
    "replicas":0,"paused":false,"minReadySeconds":0,"selector":{"matchLabels":{"a":"b"},"matchExpressions":[]},
    "template":{"metadata":{"labels":{"a":"b"},"annotations":{}},"spec":{
      "automountServiceAccountToken":false,"hostNetwork":false,"nodeSelector":{},"tolerations":[],"priorityClassName":"",
      "volumes":[{"name":"v","emptyDir":{"medium":""}},{"name":"h","hostPath":{"path":"/x","type":""}}],
      "containers":[{"name":"a","image":"a:1","stdin":false,"command":[],"env":[{"name":"E","value":""}],
        "resources":{"limits":{}},"volumeMounts":[],"securityContext":{"privileged":false}}]}}}})");
  CHECK(jsonCanonical(wordy) == jsonCanonical(plain));
  CHECK(jsonText(plain).find(R"("privileged":false)") != std::string::npos);
  CHECK(jsonText(plain).find(R"("automountServiceAccountToken":false)") != std::string::npos);
  CHECK(jsonText(plain).find(R"("emptyDir":{})") != std::string::npos);
  CHECK(intAt(plain, {"spec", "replicas"}, 7) == 0);
  const auto data = defaulted(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"empty":""}})");
  CHECK(jsonText(data).find(R"("data":{"empty":""})") != std::string::npos);
  const auto role = defaulted(
      R"({"apiVersion":"rbac.authorization.k8s.io/v1","kind":"Role","metadata":{"name":"r","namespace":"n"},"rules":[]})");
  CHECK(role.contains("rules"));
  const auto status = defaulted(
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":"w"},"status":{"replicas":0,"conditions":[]}})");
  CHECK(jsonText(status).find(R"("status":{"replicas":0,"conditions":[]})") != std::string::npos);
  const auto own = defaulted(
      R"({"apiVersion":"steersman.dev/v1","kind":"Application","metadata":{"name":"a"},"spec":{"prune":false}})");
  CHECK(jsonText(own).find(R"("prune":false)") != std::string::npos);
}

TEST_CASE("The pull policy follows the tag of the image") {
  const auto policy = [](const std::string& image) {
    const auto pod = defaulted(
        R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[{"name":"a","image":")" +
        image + R"("}]}})");
    return std::string(stringAt(arrayAt(pod, {"spec", "containers"})[0], {"imagePullPolicy"}));
  };
  CHECK(policy("nginx") == "Always");
  CHECK(policy("nginx:latest") == "Always");
  CHECK(policy("registry:5000/nginx") == "Always");
  CHECK(policy("registry:5000/nginx:1.25") == "IfNotPresent");
  CHECK(policy("nginx@sha256:0123") == "IfNotPresent");
}

TEST_CASE("Requests come from limits and host ports from ports in pods, and not in templates") {
  const std::string spec =
      R"({"hostNetwork":true,"containers":[{"name":"a","image":"a:1","ports":[{"containerPort":80}],"resources":{"limits":{"cpu":"2","memory":"1Gi"},"requests":{"cpu":"1"}}}]})";
  const auto pod = defaulted(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)" + spec + "}");
  const auto& container = arrayAt(pod, {"spec", "containers"})[0];
  CHECK(stringAt(container, {"resources", "requests", "cpu"}) == "1");
  CHECK(stringAt(container, {"resources", "requests", "memory"}) == "1Gi");
  CHECK(intAt(arrayAt(container, {"ports"})[0], {"hostPort"}) == 80);
  CHECK(boolAt(pod, {"spec", "enableServiceLinks"}));
  const auto rc = defaulted(
      R"({"apiVersion":"v1","kind":"ReplicationController","metadata":{"name":"p"},"spec":{"template":{"metadata":{"labels":{"a":"b"}},"spec":)" +
      spec + "}}}");
  const auto& templated = arrayAt(rc, {"spec", "template", "spec", "containers"})[0];
  CHECK(find(templated, {"resources", "requests", "memory"}) == nullptr);
  CHECK(find(arrayAt(templated, {"ports"})[0], {"hostPort"}) == nullptr);
  CHECK(stringAt(rc, {"spec", "selector", "a"}) == "b");
  CHECK(stringAt(rc, {"metadata", "labels", "a"}) == "b");
}

TEST_CASE("A service port aims at itself unless told otherwise") {
  const auto service = defaulted(
      R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"a"},"spec":{"ports":[{"port":80},{"name":"b","port":81,"targetPort":"web","protocol":"UDP"}]}})");
  CHECK(jsonText(find(service, {"spec", "ports"})->as_array()) ==
        R"([{"port":80,"protocol":"TCP","targetPort":80},{"name":"b","port":81,"targetPort":"web","protocol":"UDP"}])");
  CHECK(stringAt(service, {"spec", "type"}) == "ClusterIP");
  CHECK(find(service, {"spec", "clusterIP"}) == nullptr);
  CHECK(find(service, {"spec", "externalTrafficPolicy"}) == nullptr);
}

TEST_CASE("A namespace carries its name as a label") {
  const auto ns = defaulted(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":"shop"}})");
  CHECK(stringAt(ns, {"metadata", "labels", "kubernetes.io/metadata.name"}) == "shop");
  CHECK(stringAt(ns, {"status", "phase"}) == "Active");
}

TEST_CASE("Volumes without a source are empty directories and files get mode 0644") {
  const auto pod = defaulted(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":{"containers":[],"volumes":[{"name":"a"},{"name":"b","secret":{"secretName":"s"}},{"name":"c","configMap":{"name":"c","defaultMode":0}}]}})");
  CHECK(
      jsonText(find(pod, {"spec", "volumes"})->as_array()) ==
      R"([{"name":"a","emptyDir":{}},{"name":"b","secret":{"secretName":"s","defaultMode":420}},{"name":"c","configMap":{"name":"c","defaultMode":0}}])");
}

TEST_CASE("Null members are dropped where the schema knows the field") {
  const auto pod = defaulted(
      R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p","creationTimestamp":null},"spec":{"containers":[]}})");
  CHECK(find(pod, {"metadata", "creationTimestamp"}) == nullptr);
}
