#include <catch2/catch.hpp>

#include "nodeagent/pod/images.h"
#include "nodeagent/pod/sandbox_config.h"
#include "nodeagent/pod/volume_content.h"

using namespace steer;

namespace {

ObjectPtr objectOf(const char* text) { return Object::make(json::parse(text).as_object()); }

PodReferences refsOf(ObjectPtr map, ObjectPtr secret) {
  PodReferences out;
  out.configMap = [map](const std::string& n) { return map && map->name() == n ? map : nullptr; };
  out.secret = [secret](const std::string& n) { return secret && secret->name() == n ? secret : nullptr; };
  out.podIp = "10.1.0.5";
  return out;
}

const ObjectPtr kMap = objectOf(R"({"metadata":{"name":"m"},"data":{"A":"1","B":"two","1x":"no"}})");
const ObjectPtr kSecret = objectOf(R"({"metadata":{"name":"s"},"data":{"KEY":"c2VjcmV0"}})");

std::string valueOf(const Environment& env, const std::string& name) {
  for (const auto& [key, value] : env)
    if (key == name) return value;
  return "(none)";
}

Result<Environment> environment(const char* container, const PodReferences& refs) {
  const auto pod =
      objectOf(R"({"metadata":{"name":"web","namespace":"shop","labels":{"app":"x"}},"spec":{"nodeName":"n1"}})");
  return environmentOf(*pod, json::parse(container).as_object(), refs);
}

}  // namespace

TEST_CASE("env wins over envFrom, prefixes apply, and names a shell cannot use are left out") {
  const auto env = environment(
      R"({"envFrom":[{"prefix":"P_","configMapRef":{"name":"m"}},{"secretRef":{"name":"s"}}],"env":[{"name":"P_A","value":"mine"}]})",
      refsOf(kMap, kSecret));
  REQUIRE(env.ok());
  CHECK(valueOf(*env, "P_A") == "mine");
  CHECK(valueOf(*env, "P_B") == "two");
  CHECK(valueOf(*env, "KEY") == "secret");
}

TEST_CASE("variables expand what stands before them, and $$ is a dollar sign") {
  const auto env = environment(
      R"x({"env":[{"name":"A","value":"1"},{"name":"B","value":"$(A)-$(C)-$$(A)"},{"name":"C","value":"3"}]
})x",
      refsOf(nullptr, nullptr));
  REQUIRE(env.ok());
  CHECK(valueOf(*env, "B") == "1-$(C)-$(A)");
}

TEST_CASE("fields and resources of the pod become variables") {
  const auto env = environment(
      R"({"resources":{"limits":{"cpu":"1500m","memory":"64Mi"}},"env":[
        {"name":"N","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}},
        {"name":"L","valueFrom":{"fieldRef":{"fieldPath":"metadata.labels['app']"}}},
        {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
        {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu"}}},
        {"name":"MEM","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}}]})",
      refsOf(nullptr, nullptr));
  REQUIRE(env.ok());
  CHECK(valueOf(*env, "N") == "web");
  CHECK(valueOf(*env, "L") == "x");
  CHECK(valueOf(*env, "IP") == "10.1.0.5");
  CHECK(valueOf(*env, "CPU") == "2");
  CHECK(valueOf(*env, "MEM") == "64");
}

TEST_CASE("a missing config map, secret or key is an error unless it is optional") {
  const auto none = refsOf(nullptr, nullptr);
  CHECK(environment(R"({"envFrom":[{"configMapRef":{"name":"m"}}]})", none).error().code == Errc::notFound);
  CHECK(environment(R"({"envFrom":[{"configMapRef":{"name":"m","optional":true}}]})", none).ok());
  const auto missing = environment(R"({"env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"s","key":"nope"}}}]})",
                                   refsOf(nullptr, kSecret));
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().message == "couldn't find key nope in secret \"s\"");
}

TEST_CASE("services of the pod's namespace become variables") {
  const auto service = objectOf(
      R"({"metadata":{"name":"redis-leader","namespace":"shop"},"spec":{"clusterIP":"10.96.0.9","ports":[{"name":"tls","port":6379}]}})");
  const auto env = serviceVariables({service}, "shop", true);
  CHECK(valueOf(env, "REDIS_LEADER_SERVICE_HOST") == "10.96.0.9");
  CHECK(valueOf(env, "REDIS_LEADER_SERVICE_PORT_TLS") == "6379");
  CHECK(valueOf(env, "REDIS_LEADER_PORT_6379_TCP_ADDR") == "10.96.0.9");
  CHECK(serviceVariables({service}, "other", true).empty());
}

TEST_CASE("the pull policy follows the tag when it is not said") {
  const auto policy = [](const char* text) { return pullPolicyOf(json::parse(text).as_object()); };
  CHECK(policy(R"({"image":"a"})") == PullPolicy::always);
  CHECK(policy(R"({"image":"host:5000/a"})") == PullPolicy::always);
  CHECK(policy(R"({"image":"a:1"})") == PullPolicy::ifNotPresent);
  CHECK(policy(R"({"image":"a@sha256:00"})") == PullPolicy::ifNotPresent);
  CHECK(policy(R"({"image":"a:1","imagePullPolicy":"Always"})") == PullPolicy::always);
}

TEST_CASE("credentials are those of the image's registry") {
  // {"auths":{"reg.example:5000":{"auth":"dTpw"}}} with auth = base64 of u:p
  const auto secret = objectOf(
      R"({"metadata":{"name":"r"},"data":{".dockerconfigjson":"eyJhdXRocyI6eyJyZWcuZXhhbXBsZTo1MDAwIjp7ImF1dGgiOiJkVHB3In19fQ=="}})");
  const auto found = credentialsFor("reg.example:5000/team/app:1", {secret});
  REQUIRE(found.size() == 1);
  CHECK(found[0].username == "u");
  CHECK(found[0].password == "p");
  CHECK(credentialsFor("other.example/app:1", {secret}).empty());
}

TEST_CASE("resources become shares, quota, memory and the order of killing") {
  const auto pod = objectOf(R"({"metadata":{"name":"p"},"spec":{"containers":[
      {"name":"c","resources":{"requests":{"cpu":"250m","memory":"1Gi"},"limits":{"cpu":"500m","memory":"2Gi"}}}]}})");
  const auto& container = arrayAt(pod->spec(), {"containers"}).front().as_object();
  const auto linux_ = linuxResourcesOf(*pod, container, 4LL << 30);
  CHECK(linux_.cpuShares == 256);
  CHECK(linux_.cpuQuota == 50'000);
  CHECK(linux_.memoryLimit == 2LL << 30);
  CHECK(linux_.oomScoreAdj == 750);
}

TEST_CASE("a container that must not be root is refused when it would be") {
  const auto pod = objectOf(R"({"metadata":{"name":"p"},"spec":{"securityContext":{"runAsNonRoot":true}}})");
  const json::object container;
  CHECK_FALSE(containerSecurityOf(*pod, container, ImageInfo{"i", {}, {}, 0, "", 0}).ok());
  CHECK(containerSecurityOf(*pod, container, ImageInfo{"i", {}, {}, 1000, "", 0}).ok());
  CHECK_FALSE(containerSecurityOf(*pod, container, ImageInfo{"i", {}, {}, {}, "nginx", 0}).ok());
}

TEST_CASE("a volume shows the chosen keys under their paths and modes, never outside itself") {
  const auto pod = objectOf(R"({"metadata":{"name":"p"},"spec":{}})");
  const auto refs = refsOf(kMap, kSecret);
  const auto good = volumeContent(
      *pod,
      json::parse(
          R"({"configMap":{"name":"m","defaultMode":256,"items":[{"key":"A","path":"d/a"},{"key":"B","path":"b","mode":420}]}})"),
      refs);
  REQUIRE(good.ok());
  REQUIRE((*good)->size() == 2);
  CHECK((**good)[0] == VolumeFile{"b", "two", 0644});
  CHECK((**good)[1] == VolumeFile{"d/a", "1", 0400});
  const auto bad =
      volumeContent(*pod, json::parse(R"({"configMap":{"name":"m","items":[{"key":"A","path":"../a"}]}})"), refs);
  CHECK_FALSE(bad.ok());
}

TEST_CASE("cluster DNS comes with the namespace's search list, and the host network keeps the node's") {
  PodSetting setting;
  setting.dnsAddress = "10.244.1.1";
  setting.nodeResolver = {{"192.0.2.1"}, {"corp.example"}, {}};
  const auto dns = dnsOf(*objectOf(R"({"metadata":{"name":"p","namespace":"shop"},"spec":{}})"), setting);
  CHECK(dns.servers == std::vector<std::string>{"10.244.1.1"});
  CHECK(dns.searches.front() == "shop.svc.cluster.local");
  CHECK(dns.options == std::vector<std::string>{"ndots:5"});
  const auto host = dnsOf(*objectOf(R"({"metadata":{"name":"p"},"spec":{"hostNetwork":true}})"), setting);
  CHECK(host.servers == std::vector<std::string>{"192.0.2.1"});
}
