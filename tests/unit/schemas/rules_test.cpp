// What Kubernetes' validation refuses, one breakage of a sound object at a time.
#include "schema_test.h"

using namespace steer;
using namespace steer::test;
using Lines = std::vector<std::string>;

namespace {

Lines podFindings(const std::string& spec) {
  return findingsOf(parse(R"({"apiVersion":"v1","kind":"Pod","metadata":{"name":"p"},"spec":)" + spec + "}"));
}
Lines containerFindings(const std::string& members) {
  return podFindings(R"({"volumes":[{"name":"v","emptyDir":{}}],"containers":[{"name":"a","image":"a:1",)" + members +
                     "}]}");
}
Lines webFindings(const std::string& from, const std::string& to) {
  auto text = std::string(kWeb);
  const auto at = text.find(from);
  REQUIRE(at != std::string::npos);
  return findingsOf(parse(text.replace(at, from.size(), to)));
}
Lines serviceFindings(const std::string& spec) {
  return findingsOf(parse(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":"s"},"spec":)" + spec + "}"));
}
Lines secretFindings(const std::string& members) {
  return findingsOf(parse(R"({"apiVersion":"v1","kind":"Secret","metadata":{"name":"s"},)" + members + "}"));
}
const std::string kC = "spec.containers[0].";

}  // namespace

TEST_CASE("A container needs a unique name and an image") {
  CHECK(podFindings(R"({"containers":[]})") == Lines{"spec.containers: Required value"});
  CHECK(podFindings(R"({"containers":[{"name":"a"}]})") == Lines{kC + "image: Required value"});
  CHECK(podFindings(R"({"containers":[{"name":"a","image":"i"},{"name":"a","image":"i"}]})") ==
        Lines{"spec.containers[1].name: Duplicate value: \"a\""});
  CHECK(podFindings(R"({"containers":[{"name":"A_b","image":"i"}]})").size() == 1);
}

TEST_CASE("Ports are in range and named as services name them") {
  CHECK(containerFindings(R"("ports":[{"containerPort":0}])") == Lines{kC + "ports[0].containerPort: Required value"});
  CHECK(containerFindings(R"("ports":[{"containerPort":65536}])") ==
        Lines{kC + "ports[0].containerPort: Invalid value: 65536: must be between 1 and 65535, inclusive"});
  CHECK(containerFindings(R"("ports":[{"containerPort":80,"name":"much-too-long-a-name"}])").size() == 1);
  CHECK(containerFindings(R"("ports":[{"containerPort":80,"name":"x"},{"containerPort":81,"name":"x"}])") ==
        Lines{kC + "ports[1].name: Duplicate value: \"x\""});
}

TEST_CASE("The addresses of a service are addresses") {
  CHECK(serviceFindings(R"({"clusterIP":"10.96.0.7","clusterIPs":["10.96.0.7"],"externalIPs":["2001:db8::1"],
    "ports":[{"port":80}]})")
            .empty());
  CHECK(serviceFindings(R"({"clusterIP":"None","ports":[{"port":80}]})").empty());
  const std::string says = "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
  CHECK(serviceFindings(R"({"clusterIP":"1.2.3","externalIPs":["10.0.0.1","host"],"ports":[{"port":80}]})") ==
        Lines{"spec.clusterIPs[0]: Invalid value: \"1.2.3\": " + says,
              "spec.externalIPs[1]: Invalid value: \"host\": " + says});
}

TEST_CASE("Mounts name a volume of the pod and do not share a path") {
  CHECK(containerFindings(R"("volumeMounts":[{"name":"v","mountPath":"/a"}])").empty());
  CHECK(containerFindings(R"("volumeMounts":[{"name":"w","mountPath":"/a"}])") ==
        Lines{kC + "volumeMounts[0].name: Not found: \"w\"; did you mean \"v\"?"});
  CHECK(containerFindings(R"("volumeMounts":[{"name":"v","mountPath":"/a"},{"name":"v","mountPath":"/a"}])") ==
        Lines{kC + "volumeMounts[1].mountPath: Invalid value: \"/a\": must be unique"});
}

TEST_CASE("Requests stay within limits, whatever their spelling") {
  CHECK(containerFindings(R"("resources":{"requests":{"memory":"1Gi"},"limits":{"memory":"1024Mi"}})").empty());
  CHECK(containerFindings(R"("resources":{"requests":{"cpu":"1.5"},"limits":{"cpu":"500m"}})") ==
        Lines{kC + "resources.requests: Invalid value: \"1500m\": must be less than or equal to cpu limit of 500m"});
}

TEST_CASE("A probe has exactly one action") {
  CHECK(containerFindings(R"("livenessProbe":{"httpGet":{"port":80}})").empty());
  CHECK(containerFindings(R"("livenessProbe":{})") ==
        Lines{kC + "livenessProbe: Required value: must specify a handler type"});
  CHECK(containerFindings(R"("livenessProbe":{"httpGet":{"port":80},"exec":{"command":["a"]}})").size() == 1);
}

TEST_CASE("A variable has a value or a source") {
  CHECK(containerFindings(R"("env":[{"name":"A=B","value":"1"}])").size() == 1);
  CHECK(
      containerFindings(R"("env":[{"name":"A","value":"1","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}])") ==
      Lines{kC + "env[0].valueFrom: Invalid value: \"\": may not be specified when `value` is not empty"});
}

TEST_CASE("A selector selects what the template makes, and templates always restart") {
  CHECK(webFindings(R"("matchLabels": {"app": "web"})", R"("matchLabels": {"app": "wob"})") ==
        Lines{"spec.template.metadata.labels: Invalid value: `selector` does not match template `labels`; give the "
              "template the labels app: wob"});
  CHECK(webFindings(R"("spec": {"containers")", R"("spec": {"restartPolicy": "Never", "containers")") ==
        Lines{"spec.template.spec.restartPolicy: Unsupported value: \"Never\": supported values: \"Always\""});
  CHECK(webFindings(R"("selector")", R"("replicas": -1, "selector")") ==
        Lines{"spec.replicas: Invalid value: -1: must be greater than or equal to 0"});
}

TEST_CASE("A rolling update can move") {
  CHECK(webFindings(R"("selector")",
                    R"("strategy": {"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "0%"}}, "selector")") ==
        Lines{"spec.strategy.rollingUpdate.maxUnavailable: Invalid value: \"0%\": may not be 0 when `maxSurge` is 0"});
  CHECK(webFindings(R"("selector")", R"("strategy": {"rollingUpdate": {"maxSurge": "some"}}, "selector")").size() == 1);
}

TEST_CASE("A service names its ports when there are several") {
  CHECK(serviceFindings(R"({"ports":[{"port":80}]})").empty());
  CHECK(serviceFindings(R"({})") == Lines{"spec.ports: Required value"});
  CHECK(serviceFindings(R"({"clusterIP":"None"})").empty());
  CHECK(serviceFindings(R"({"ports":[{"port":80,"name":"a"},{"port":81}]})") ==
        Lines{"spec.ports[1].name: Required value"});
  CHECK(serviceFindings(R"({"ports":[{"port":70000}]})").size() == 2);  // the target port is the same
  CHECK(serviceFindings(R"({"ports":[{"port":70000,"targetPort":80}]})").size() == 1);
  CHECK(serviceFindings(R"({"type":"ExternalName"})") == Lines{"spec.externalName: Required value"});
}

TEST_CASE("Keys of configuration follow the syntax of file names and the types of secrets") {
  CHECK(findingsOf(parse(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"c"},"data":{"a/b":"1"}})"))
            .size() == 1);
  CHECK(secretFindings(R"("type":"kubernetes.io/tls","data":{"tls.crt":""})") ==
        Lines{"data[tls.key]: Required value"});
  CHECK(secretFindings(R"("type":"kubernetes.io/dockerconfigjson")") ==
        Lines{"data[.dockerconfigjson]: Required value"});
  CHECK(secretFindings(R"("stringData":{"big":")" + std::string(1024 * 1024 + 1, 'x') + "\"}") ==
        Lines{"data: Too long: may not be more than 1048576 bytes"});
}

TEST_CASE("A job says how it restarts") {
  CHECK(
      findingsOf(parse(
          R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"template":{"spec":{"containers":[{"name":"a","image":"a"}]}}}})")) ==
      Lines{"spec.template.spec.restartPolicy: Required value: valid values: \"OnFailure\", \"Never\""});
}

TEST_CASE("What Kubernetes takes is no finding") {
  CHECK(podFindings(R"({"os":{"name":"windows"},"volumes":[{"name":"v"}],"containers":[{"name":"c","image":"b",
    "volumeMounts":[{"name":"v","mountPath":"C:\\csi"}]}]})")
            .empty());
  CHECK(podFindings(R"({"containers":[{"name":"c","image":"b"}],
    "initContainers":[{"name":"i","image":"x","livenessProbe":null,"readinessProbe":null,"lifecycle":null}]})")
            .empty());
  CHECK(
      podFindings(R"({"containers":[{"name":"c","image":"b","envFrom":[{"prefix":"a-b.","configMapRef":{"name":"m"}}]}],
    "securityContext":{"sysctls":[{"name":"net/ipv4/ip_forward","value":"1"},{"name":"kernel.shm_rmid_forced","value":"0"}]}})")
          .empty());
  CHECK(findingsOf(parse(R"({"apiVersion":"networking.k8s.io/v1","kind":"NetworkPolicy","metadata":{"name":"np"},
    "spec":{"policyTypes":["Ingress"]}})"))
            .empty());
  CHECK(findingsOf(parse(R"({"apiVersion":"storage.k8s.io/v1","kind":"CSINode","metadata":{"name":"n"}})")).empty());
  CHECK(findingsOf(parse(R"({"apiVersion":"batch/v1","kind":"Job","metadata":{"name":"j"},"spec":{"podFailurePolicy":
    {"rules":[{"action":"Ignore","onPodConditions":[{"type":"DisruptionTarget"}]}]},
    "template":{"spec":{"restartPolicy":"Never","containers":[{"name":"c","image":"b"}]}}}})"))
            .empty());
}

TEST_CASE("What Kubernetes refuses is a finding, wherever it stands in a pod") {
  const auto one = [](const std::string& spec) { return podFindings(spec).size() == 1; };
  const std::string c = R"("containers":[{"name":"c","image":"b"}])";
  CHECK(one("{" + c +
            R"(,"tolerations":[{"key":"a","operator":"Exists","effect":"NoSchedule","tolerationSeconds":5}]})"));
  CHECK(one("{" + c + R"(,"hostname":"A_b"})"));
  CHECK(one("{" + c + R"(,"volumes":[{"name":"v","hostPath":{"path":"/a/../b"}}]})"));
  CHECK(one("{" + c + R"(,"volumes":[{"name":"v","emptyDir":{"sizeLimit":"-1Gi"}}]})"));
  CHECK(one("{" + c + R"(,"volumes":[{"name":"v","configMap":{"name":"x","defaultMode":644}}]})"));
  CHECK(one("{" + c + R"(,"securityContext":{"runAsUser":-1}})"));
  CHECK(one("{" + c + R"(,"topologySpreadConstraints":[
    {"maxSkew":1,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"},
    {"maxSkew":2,"topologyKey":"a","whenUnsatisfiable":"DoNotSchedule"}]})"));
  CHECK(containerFindings(R"("env":[{"name":"A","valueFrom":{}}])").size() == 1);
  CHECK(containerFindings(R"("resources":{"limits":{"example.com/gpu":"0.5"}})").size() ==
        2);  // the request is the same
  CHECK(containerFindings(R"("volumeMounts":[{"name":"v","mountPath":"/a","subPath":"x","subPathExpr":"y"}])").size() ==
        1);
}

TEST_CASE("What Kubernetes refuses of services and secrets is a finding") {
  CHECK(serviceFindings(R"({"type":"LoadBalancer","loadBalancerSourceRanges":["foo"],"ports":[{"port":80}]})").size() ==
        1);
  CHECK(serviceFindings(R"({"externalTrafficPolicy":"Local","ports":[{"port":80}]})").size() == 1);
  CHECK(secretFindings(R"("type":"kubernetes.io/dockercfg","data":{".dockercfg":"bm9wZQ=="})") ==
        Lines{"data[.dockercfg]: Invalid value: the value is not a JSON object"});
  CHECK(secretFindings(R"("type":"kubernetes.io/dockerconfigjson","stringData":{".dockerconfigjson":"nope"})").size() ==
        1);
}
