// What namespaces ask of pods: security standards, limits, quotas, and the classes that pods name.
#include <catch2/catch.hpp>

#include "cluster/apiserver/admission/pod_security.h"
#include "fixture.h"

using namespace steer;

namespace {

const PodSecurityStandard kBaseline{PodSecurityLevel::baseline};
const PodSecurityStandard kRestricted{PodSecurityLevel::restricted};

std::string breach(const PodSecurityStandard& standard, const std::string& spec,
                   const std::string& annotations = "{}") {
  return textOf(checkPodSecurity(standard, parsed(annotations), parsed(spec)));
}

std::string container(const std::string& fields) {
  return R"({"containers":[{"name":"c","image":"x")" + std::string(fields.empty() ? "" : ",") + fields + "}]}";
}

constexpr const char* kGood = R"({"securityContext":{"runAsNonRoot":true,"seccompProfile":{"type":"RuntimeDefault"}},
  "containers":[{"name":"c","securityContext":{"allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]}}}],
  "volumes":[{"name":"a","emptyDir":{}},{"name":"b","projected":{}}]})";

struct PolicyServer : TestServer {
  using TestServer::TestServer;
  Result<ObjectPtr> make(const std::string& resource, const json::object& body) const {
    return client->write(Write::create(resource, body));
  }
  void must(const std::string& resource, const std::string& text) const {
    const auto done = make(resource, parsed(text));
    INFO((done.ok() ? "" : done.error().message));
    REQUIRE(done.ok());
  }
  static std::string why(const Result<ObjectPtr>& result) {
    return result.ok()                              ? ""
           : result.error().code == Errc::forbidden ? result.error().message
                                                    : "another error: " + result.error().message;
  }
  void label(const std::string& labels) const {
    const auto done = client->write(Write::patch({"namespaces", "", "default"}, PatchType::merge,
                                                 *parseJson(R"({"metadata":{"labels":)" + labels + "}}")));
    INFO((done.ok() ? "" : done.error().message));
    REQUIRE(done.ok());
  }
  json::object used(const std::string& quota) const {
    return objectAt((*client->get({"resourcequotas", "default", quota}))->json(), {"status", "used"});
  }
};

json::object podAsking(const std::string& name, const std::string& resources) {
  auto out = pod(name);
  out["spec"].get_object()["containers"].get_array()[0].get_object()["resources"] = parsed(resources);
  return out;
}

}  // namespace

TEST_CASE("baseline keeps pods from the node") {
  const auto is = [](const std::string& spec, const std::string& expected) {
    CHECK(breach(kBaseline, spec) == expected);
  };
  is(kGood, "");
  is(container(""), "");
  is(R"({"hostNetwork":true,"hostPID":true,"containers":[]})", "host namespaces (hostNetwork=true, hostPID=true)");
  is(container(R"("securityContext":{"privileged":true})"),
     R"(privileged (container "c" must not set securityContext.privileged=true))");
  is(R"({"initContainers":[{"name":"i","securityContext":{"privileged":true}}],
         "ephemeralContainers":[{"name":"e","securityContext":{"privileged":true}}]})",
     R"(privileged (containers "i", "e" must not set securityContext.privileged=true))");
  is(container(R"("securityContext":{"capabilities":{"add":["NET_ADMIN","CHOWN","SYS_TIME"]}})"),
     R"(non-default capabilities (container "c" must not include "NET_ADMIN", "SYS_TIME" in securityContext.capabilities.add))");
  is(R"({"containers":[],"volumes":[{"name":"h","hostPath":{"path":"/"}}]})", R"(hostPath volumes (volume "h"))");
  is(container(R"("ports":[{"hostPort":80},{"containerPort":1}])"), R"(hostPort (container "c" uses hostPort 80))");
  is(container(R"("livenessProbe":{"httpGet":{"host":"10.0.0.1"}})"),
     R"(probe or lifecycle host (container "c" uses probe or lifecycle host "10.0.0.1"))");
  is(container(R"("securityContext":{"windowsOptions":{"hostProcess":true}})"),
     R"(hostProcess (container "c" must not set securityContext.windowsOptions.hostProcess=true))");
  is(container(R"("securityContext":{"procMount":"Unmasked"})"),
     R"(procMount (container "c" must not set securityContext.procMount to "Unmasked"))");
  is(R"({"securityContext":{"seLinuxOptions":{"type":"spc_t","user":"u"}},"containers":[]})",
     R"(seLinuxOptions (pod set forbidden securityContext.seLinuxOptions: type "spc_t"; user may not be set))");
  is(container(R"("securityContext":{"seccompProfile":{"type":"Unconfined"}})"),
     R"(seccompProfile (container "c" must not set securityContext.seccompProfile.type to "Unconfined"))");
  is(R"({"securityContext":{"sysctls":[{"name":"kernel.msgmax"},{"name":"net.ipv4.tcp_rmem"}]},"containers":[]})",
     "forbidden sysctls (kernel.msgmax)");
  CHECK(breach({PodSecurityLevel::baseline, 31}, R"({"securityContext":{"sysctls":[{"name":"net.ipv4.tcp_rmem"}]}})") ==
        "forbidden sysctls (net.ipv4.tcp_rmem)");
  CHECK_FALSE(
      breach(kBaseline, container(""), R"({"container.apparmor.security.beta.kubernetes.io/c":"unconfined"})").empty());
  CHECK(breach({PodSecurityLevel::privileged}, R"({"hostPID":true})").empty());
}

TEST_CASE("restricted asks for what a pod must say besides") {
  CHECK(breach(kRestricted, kGood).empty());
  CHECK(
      breach(kRestricted, container("")) ==
      R"(allowPrivilegeEscalation != false (container "c" must set securityContext.allowPrivilegeEscalation=false), )"
      R"(unrestricted capabilities (container "c" must set securityContext.capabilities.drop=["ALL"]), )"
      R"(runAsNonRoot != true (pod or container "c" must set securityContext.runAsNonRoot=true), )"
      R"(seccompProfile (pod or container "c" must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"))");
  auto spec = parsed(kGood);
  spec["volumes"] = *parseJson(R"([{"name":"h","hostPath":{"path":"/"}},{"name":"n","nfs":{}}])");
  CHECK(breach(kRestricted, jsonText(spec)) ==
        R"(restricted volume types (volumes "h", "n" use restricted volume types "hostPath", "nfs"))");
  spec = parsed(kGood);
  spec["securityContext"].get_object()["runAsUser"] = 0;
  CHECK(breach(kRestricted, jsonText(spec)) == "runAsUser=0 (pod must not set runAsUser=0)");
  spec["securityContext"].get_object()["runAsNonRoot"] = false;
  CHECK(breach(kRestricted, jsonText(spec)).find("pod must not set securityContext.runAsNonRoot=false") !=
        std::string::npos);
  // Of windows only what it has.
  CHECK(breach(kRestricted,
               R"({"os":{"name":"windows"},"securityContext":{"runAsNonRoot":true},"containers":[{"name":"c"}]})")
            .empty());
}

TEST_CASE("a namespace's labels enforce, warn, and are judged themselves") {
  PolicyServer s;
  CHECK(s.make("pods", pod("free")).ok());
  s.label(
      R"({"pod-security.kubernetes.io/enforce":"restricted","pod-security.kubernetes.io/enforce-version":"v1.35"})");
  const auto refused = s.why(s.make("pods", pod("p")));
  CHECK(refused.starts_with(
      R"(pods "p" is forbidden: violates PodSecurity "restricted:v1.35": allowPrivilegeEscalation)"));
  CHECK(s.make("deployments.apps", deployment("d")).ok());  // what it makes is refused later
  // What was there before may still be labelled.
  CHECK(s.client
            ->write(Write::patch({"pods", "default", "free"}, PatchType::merge,
                                 *parseJson(R"({"metadata":{"labels":{"a":"b"}}})")))
            .ok());
  s.label(
      R"({"pod-security.kubernetes.io/enforce":null,"pod-security.kubernetes.io/enforce-version":null,"pod-security.kubernetes.io/warn":"baseline"})");
  auto body = pod("q");
  body["spec"].get_object()["hostNetwork"] = true;
  const auto answer = s.call("POST", "/api/v1/namespaces/default/pods", jsonText(body), "application/json");
  CHECK(answer.status == 201);
  const auto warning = answer.headers.find("Warning");
  REQUIRE(warning != answer.headers.end());
  CHECK(warning->second.find("would violate PodSecurity") != std::string::npos);
  const auto bad = s.client->write(
      Write::patch({"namespaces", "", "default"}, PatchType::merge,
                   *parseJson(R"({"metadata":{"labels":{"pod-security.kubernetes.io/enforce":"strict"}}})")));
  REQUIRE_FALSE(bad.ok());
  CHECK(bad.error().code == Errc::invalid);
}

TEST_CASE("namespaces without a label enforce the server's default") {
  ApiServerOptions options;
  options.podSecurityDefault = PodSecurityLevel::baseline;
  PolicyServer s(options);
  CHECK(s.make("pods", pod("plain")).ok());
  auto body = pod("p");
  body["spec"].get_object()["hostPID"] = true;
  CHECK_FALSE(s.why(s.make("pods", body)).empty());
  s.label(R"({"pod-security.kubernetes.io/enforce":"privileged"})");
  CHECK(s.make("pods", body).ok());
}

TEST_CASE("admission that an operator leaves out is left out, and nothing else") {
  ApiServerOptions options;
  options.podSecurityDefault = PodSecurityLevel::baseline;
  options.disabledAdmission = *DisabledAdmission::parse("ServiceAccount,PodSecurity,LimitRanger,ResourceQuota");
  PolicyServer s(options);
  s.must("limitranges", R"({"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"l","namespace":"default"},
    "spec":{"limits":[{"type":"Container","max":{"cpu":"1m"},"default":{"cpu":"1m"}}]}})");
  s.must("resourcequotas", R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q","namespace":"default"},
    "spec":{"hard":{"pods":"0"}}})");
  auto body = pod("p");
  body["spec"].get_object()["hostPID"] = true;
  const auto made = s.make("pods", body);
  REQUIRE(made.ok());
  CHECK((*made)->spec().if_contains("serviceAccountName") == nullptr);
  CHECK(arrayAt((*made)->spec(), {"volumes"}).empty());
  CHECK_FALSE(arrayAt((*made)->spec(), {"tolerations"}).empty());
  auto named = pod("named");
  named["spec"].get_object()["serviceAccountName"] = "nobody";
  CHECK(s.make("pods", named).ok());
  auto token = pod("token");
  token["spec"].get_object()["volumes"] =
      *parseJson(R"([{"name":"t","projected":{"sources":[{"serviceAccountToken":{"path":"x"}}]}}])");
  CHECK(s.make("pods", token).error().message.find("spec.volumes[0].projected.sources[0].serviceAccountToken") !=
        std::string::npos);
}

TEST_CASE("only admission that can be left out is named") {
  CHECK(DisabledAdmission::parse("")->has(AdmissionPlugin::podSecurity) == false);
  for (const auto* list : {"NodeRestriction", "ServiceAccount,x", "serviceaccount"}) {
    const auto parsed = DisabledAdmission::parse(list);
    REQUIRE_FALSE(parsed.ok());
    CHECK(parsed.error().message.find("TaintNodesByCondition") != std::string::npos);
  }
}

TEST_CASE("a new node is tainted until its condition is known") {
  PolicyServer s;
  const auto node = [](const std::string& spec) {
    return *parseJson(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"n"},"spec":)" + spec + "}");
  };
  const std::string mine = R"({"taints":[{"key":"node.kubernetes.io/not-ready","effect":"NoSchedule"}]})";
  const auto made = s.make("nodes", node("{}").get_object());
  REQUIRE(made.ok());
  CHECK(jsonText((*made)->spec().at("taints")) == jsonText(parseJson(mine)->at("taints")));
  REQUIRE(s.client->write(Write::remove({"nodes", "", "n"})).ok());
  const auto once = s.make("nodes", node(mine).get_object());
  REQUIRE(once.ok());
  CHECK(arrayAt((*once)->spec(), {"taints"}).size() == 1);
}

TEST_CASE("a pod's priority is its class's, and a class that is not there is refused") {
  PolicyServer s;
  const auto withClass = [](const std::string& name, const std::string& priorityClass) {
    auto out = pod(name);
    out["spec"].get_object()["priorityClassName"] = priorityClass;
    return out;
  };
  const auto priority = [](const Result<ObjectPtr>& made) { return intAt((*made)->spec(), {"priority"}, -1); };
  CHECK(priority(s.make("pods", pod("none"))) == 0);
  CHECK(priority(s.make("pods", withClass("critical", "system-node-critical"))) == 2000001000);
  CHECK(s.why(s.make("pods", withClass("x", "high"))) ==
        R"(pods "x" is forbidden: no PriorityClass with name high was found)");
  s.must("priorityclasses.scheduling.k8s.io", R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",
    "metadata":{"name":"high"},"value":1000,"preemptionPolicy":"Never"})");
  const auto high = s.make("pods", withClass("high", "high"));
  CHECK(priority(high) == 1000);
  CHECK(stringAt((*high)->spec(), {"preemptionPolicy"}) == "Never");
  auto own = withClass("own", "high");
  own["spec"].get_object()["priority"] = 7;
  CHECK(s.why(s.make("pods", own)).find("computed 1000") != std::string::npos);
  s.must("priorityclasses.scheduling.k8s.io", R"({"apiVersion":"scheduling.k8s.io/v1","kind":"PriorityClass",
    "metadata":{"name":"usual"},"value":5,"globalDefault":true})");
  const auto usual = s.make("pods", pod("usual"));
  CHECK(priority(usual) == 5);
  CHECK(stringAt((*usual)->spec(), {"priorityClassName"}) == "usual");
}

TEST_CASE("a pod's runtime class is there, and brings its overhead") {
  PolicyServer s;
  auto body = pod("p");
  body["spec"].get_object()["runtimeClassName"] = "small";
  CHECK(s.why(s.make("pods", body)) == R"(pods "p" is forbidden: pod rejected: RuntimeClass "small" not found)");
  s.must("runtimeclasses.node.k8s.io",
         R"({"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"small"},
    "handler":"runc","overhead":{"podFixed":{"cpu":"50m"}}})");
  const auto made = s.make("pods", body);
  INFO(s.why(made));
  REQUIRE(made.ok());
  CHECK(stringAt((*made)->spec(), {"overhead", "cpu"}) == "50m");
  s.must("runtimeclasses.node.k8s.io",
         R"({"apiVersion":"node.k8s.io/v1","kind":"RuntimeClass","metadata":{"name":"odd"},"handler":"gvisor"})");
  auto odd = pod("odd");
  odd["spec"].get_object()["runtimeClassName"] = "odd";
  CHECK(s.why(s.make("pods", odd)).find("no node has") != std::string::npos);
}

TEST_CASE("a limit range fills in what a container leaves open, and refuses too little and too much") {
  PolicyServer s;
  s.must("limitranges",
         R"({"apiVersion":"v1","kind":"LimitRange","metadata":{"name":"l","namespace":"default"},"spec":{"limits":[
    {"type":"Container","default":{"cpu":"500m"},"defaultRequest":{"cpu":"100m"},"min":{"cpu":"50m"},"max":{"cpu":"1"},
     "maxLimitRequestRatio":{"cpu":"5"}},{"type":"Pod","max":{"memory":"1Gi"}}]}})");
  const auto made = s.make("pods", podAsking("p", R"({"limits":{"memory":"512Mi"}})"));
  INFO(s.why(made));
  REQUIRE(made.ok());
  const auto& resources = objectAt(arrayAt((*made)->spec(), {"containers"})[0], {"resources"});
  CHECK(stringAt(resources, {"limits", "cpu"}) == "500m");
  CHECK(stringAt(resources, {"requests", "cpu"}) == "100m");
  CHECK((*made)->annotation("kubernetes.io/limit-ranger").find("cpu limit for container c") != std::string_view::npos);
  const auto refused = [&](const std::string& asking) { return s.why(s.make("pods", podAsking("q", asking))); };
  CHECK(refused(R"({"limits":{"cpu":"2","memory":"1Mi"},"requests":{"cpu":"1"}})")
            .find("maximum cpu usage per Container is 1, but limit is 2") != std::string::npos);
  CHECK(refused(R"({"limits":{"cpu":"100m","memory":"1Mi"},"requests":{"cpu":"20m"}})")
            .find("minimum cpu usage per Container is 50m, but request is 20m") != std::string::npos);
  CHECK(refused(R"({"limits":{"cpu":"1","memory":"1Mi"},"requests":{"cpu":"100m"}})")
            .find("max limit to request ratio") != std::string::npos);
  CHECK(refused(R"({"limits":{"memory":"2Gi"}})").find("maximum memory usage per Pod is 1Gi, but limit is 2Gi") !=
        std::string::npos);
}

TEST_CASE("a quota is counted in the transaction that uses it, and what goes over it is refused") {
  PolicyServer s;
  s.must("resourcequotas", R"({"apiVersion":"v1","kind":"ResourceQuota","metadata":{"name":"q","namespace":"default"},
    "spec":{"hard":{"pods":"2","requests.cpu":"1","count/configmaps":"1","services.nodeports":"1"}}})");
  CHECK(s.used("q") == parsed(R"({"count/configmaps":"0","pods":"0","requests.cpu":"0","services.nodeports":"0"})"));
  CHECK(s.why(s.make("pods", pod("silent"))) ==
        R"(pods "silent" is forbidden: failed quota: q: must specify requests.cpu for: c)");
  CHECK(s.make("pods", podAsking("a", R"({"requests":{"cpu":"600m"}})")).ok());
  CHECK(s.used("q").at("requests.cpu") == "600m");
  CHECK(
      s.why(s.make("pods", podAsking("b", R"({"requests":{"cpu":"600m"}})"))) ==
      R"(pods "b" is forbidden: exceeded quota: q, requested: requests.cpu=600m, used: requests.cpu=600m, limited: requests.cpu=1)");
  CHECK(s.make("pods", podAsking("b", R"({"requests":{"cpu":"100m"}})")).ok());
  CHECK_FALSE(s.why(s.make("pods", podAsking("c", R"({"requests":{"cpu":"100m"}})"))).empty());
  CHECK(s.make("configmaps", configMap("one")).ok());
  CHECK_FALSE(s.why(s.make("configmaps", configMap("two"))).empty());
  // What goes frees its part at once; a pod that ended counts no more.
  REQUIRE(s.client->write(Write::remove({"pods", "default", "b"})).ok());
  CHECK(s.used("q").at("pods") == "1");
  REQUIRE(s.client
              ->write(Write::patch({"pods", "default", "a"}, PatchType::merge,
                                   *parseJson(R"({"status":{"phase":"Succeeded"}})"), "status"))
              .ok());
  CHECK(s.used("q").at("requests.cpu") == "0");
  // A batch is one transaction: the third of it is one too many.
  std::vector<Write> writes;
  for (const char* name : {"x", "y", "z"})
    writes.push_back(Write::create("pods", podAsking(name, R"({"requests":{"cpu":"10m"}})")));
  const auto done = s.client->batch(writes, {});
  CHECK(done[0].ok());
  CHECK(done[1].ok());
  CHECK_FALSE(s.why(done[2]).empty());
  CHECK(s.used("q").at("pods") == "2");
}
