// What a container finds when it looks around: its environment, limits, rights and volumes.
#include "nodeagent/runtime/network_check.h"
#include "real_node.h"

using namespace steer;
using namespace steer::nodetest;

namespace {

void makeSettings(Cluster& c) {
  c.create("configmaps", R"J({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings","namespace":"default"},
    "data":{"colour":"green","size":"9"}})J");
  c.create("secrets", R"J({"apiVersion":"v1","kind":"Secret","metadata":{"name":"key","namespace":"default"},
    "data":{"password":"czNjcjN0","9lives":"eA=="}})J");
}

std::string lineOf(const std::string& text, const std::string& start) {
  const auto at = text.rfind("\n" + start) == std::string::npos ? text.find(start) : text.rfind("\n" + start) + 1;
  return at == std::string::npos ? "" : text.substr(at, text.find('\n', at) - at);
}

/// A cgroup file of the running container (version 1), found by its id.
std::string limitOf(const Cluster& c, const std::string& pod, const std::string& controller, const std::string& file) {
  const std::string root = "/sys/fs/cgroup/" + controller + "/steer/test";
  std::error_code ec;
  for (const auto& entry : fs::recursive_directory_iterator(root, ec))
    if (entry.path().filename() == c.id(pod)) return firstLine(entry.path() / file);
  return "no group of " + pod + " below " + root;
}

}  // namespace

TEST_CASE("a container finds its service account's token, the cluster's CA and its namespace") {
  NEEDS_CONTAINERD_WITH([](AgentOptions& options) {
    options.caPem = "THE CA";
    options.serverPort = -1;
  });
  const auto plain = c.make("plain", pod("sleep 3600"));
  REQUIRE(c.eventually([&] { return c.isReady("plain"); }));
  const std::string where = kApiAccessPath;
  CHECK(c.exec("plain", {"ls", where}) == "ca.crt\nnamespace\ntoken\n");
  // As admission left pods that it mounted nothing in.
  auto older = plain->json();
  ensureObject(older, "metadata")["name"] = "older";
  ensureObject(older, "metadata")["uid"] = "0b6f3f2e-0000-4000-8000-000000000001";
  auto& spec = ensureObject(older, "spec");
  spec.erase("volumes");
  for (auto& container : spec["containers"].as_array()) container.as_object().erase("volumeMounts");
  REQUIRE(c.store->commit({{Mutation::Kind::put, {"pods", "default", "older"}, older, 0}}).ok());
  REQUIRE(c.eventually([&] { return c.isReady("older"); }));
  CHECK(c.exec("older", {"ls", where}) == "ca.crt\nnamespace\ntoken\n");
  c.create("serviceaccounts", R"J({"apiVersion":"v1","kind":"ServiceAccount",
    "metadata":{"name":"deployer","namespace":"default"}})J");
  const auto trusted = c.make("trusted", pod("sleep 3600", "", R"J(,"serviceAccountName":"deployer")J"));
  c.make("declining", pod("sleep 3600", "", R"J(,"automountServiceAccountToken":false)J"));
  REQUIRE(c.eventually([&] { return c.isReady("trusted") && c.isReady("declining"); }));
  CHECK(c.exec("trusted", {"cat", where + "/ca.crt", where + "/namespace"}) == "THE CAdefault");
  // What the container reads is who it is at the API.
  const auto who = c.server->identify(c.exec("trusted", {"cat", where + "/token"}));
  REQUIRE(who.ok());
  CHECK(who->user == "system:serviceaccount:default:deployer");
  CHECK(who->extra.at("authentication.kubernetes.io/pod-name") == std::vector<std::string>{"trusted"});
  CHECK(who->extra.at("authentication.kubernetes.io/pod-uid") == std::vector<std::string>{trusted->uid()});
  CHECK(c.exec("declining", {"ls", where}).find("No such file") != std::string::npos);
}

TEST_CASE("a pod's own group holds the sum of its limits, below the group of its class") {
  NEEDS_CONTAINERD_WITH([](AgentOptions& options) { options.housePeriod = seconds(1); });
  const auto one = [](const std::string& name) {
    return R"J({"name":")J" + name + R"J(","image":"registry.local/busybox:1","command":["sleep","3600"],
      "resources":{"limits":{"cpu":"200m","memory":"32Mi"},"requests":{"cpu":"100m","memory":"16Mi"}}})J";
  };
  const auto two =
      c.make("two", R"J({"terminationGracePeriodSeconds":1,"containers":[)J" + one("a") + "," + one("b") + "]}");
  REQUIRE(c.eventually([&] { return c.isReady("two"); }));
  const std::string group = "/steer/test/n1/burstable/pod" + two->uid();
  const std::string root = "/sys/fs/cgroup/";
  CHECK(firstLine(root + "memory" + group + "/memory.limit_in_bytes") == "67108864");
  CHECK(firstLine(root + "cpu" + group + "/cpu.cfs_quota_us") == "40000");
  CHECK(firstLine(root + "cpu" + group + "/cpu.shares") == "204");
  CHECK(c.eventually([&] { return firstLine(root + "cpu/steer/test/n1/burstable/cpu.shares") == "204"; }));
  c.remove("two");
  CHECK(c.eventually([&] { return c.gone("two"); }));
  CHECK_FALSE(fs::exists(root + "memory" + group));
}

TEST_CASE("what one container mounts another one sees when both ask for it") {
  NEEDS_CONTAINERD();
  c.make("mounting", R"J({"terminationGracePeriodSeconds":1,"containers":[
      {"name":"reader","image":"registry.local/busybox:1","command":["sleep","3600"],
       "volumeMounts":[{"name":"v","mountPath":"/v","mountPropagation":"HostToContainer"}]},
      {"name":"writer","image":"registry.local/busybox:1","securityContext":{"privileged":true},
       "command":["sh","-c","mkdir -p /v/m; mount -t tmpfs none /v/m; echo seen > /v/m/file; sleep 3600"],
       "volumeMounts":[{"name":"v","mountPath":"/v","mountPropagation":"Bidirectional"}]}],
      "volumes":[{"name":"v","emptyDir":{}}]})J");
  REQUIRE(c.eventually([&] { return c.isReady("mounting"); }));
  CHECK(c.eventually([&] { return c.exec("mounting", {"cat", "/v/m/file"}) == "seen\n"; }));
  c.remove("mounting");
  CHECK(c.eventually([&] { return c.gone("mounting"); }));
}

TEST_CASE("the environment comes from config maps, secrets, fields, resources and services") {
  NEEDS_CONTAINERD();
  makeSettings(c);
  c.create("services", R"J({"apiVersion":"v1","kind":"Service","metadata":{"name":"data-base","namespace":"default"},
    "spec":{"clusterIP":"10.96.0.77","ports":[{"port":5432}]}})J");
  const auto made = c.make("told", pod("env; echo args $0 $1; sleep 3600", R"J(,"args":["$(COLOUR)","$$(COLOUR)"],
    "resources":{"limits":{"cpu":"250m","memory":"64Mi"},"requests":{"cpu":"100m"}},
    "envFrom":[{"configMapRef":{"name":"settings"},"prefix":"MAP_"},{"secretRef":{"name":"key"}}],
    "env":[{"name":"COLOUR","valueFrom":{"configMapKeyRef":{"name":"settings","key":"colour"}}},
           {"name":"PASSWORD","valueFrom":{"secretKeyRef":{"name":"key","key":"password"}}},
           {"name":"NONE","valueFrom":{"secretKeyRef":{"name":"nobody","key":"x","optional":true}}},
           {"name":"WHERE","valueFrom":{"fieldRef":{"fieldPath":"spec.nodeName"}}},
           {"name":"IP","valueFrom":{"fieldRef":{"fieldPath":"status.podIP"}}},
           {"name":"CPU","valueFrom":{"resourceFieldRef":{"resource":"limits.cpu","divisor":"1m"}}},
           {"name":"MEMORY","valueFrom":{"resourceFieldRef":{"resource":"limits.memory","divisor":"1Mi"}}},
           {"name":"BOTH","value":"$(COLOUR)-$(WHERE)"}])J"));
  c.make("lacking",
         pod("sleep 3600", R"J(,"env":[{"name":"X","valueFrom":{"secretKeyRef":{"name":"nobody","key":"x"}}}])J"));
  REQUIRE(c.eventually([&] { return c.isReady("told"); }));
  CHECK(c.eventually([&] { return c.log(made).find("args") != std::string::npos; }));
  const auto env = c.log(made);
  INFO(env);
  const auto ip = std::string(stringAt(c.status("told"), {"podIP"}));
  for (const auto& line : {std::string("MAP_colour=green"), std::string("MAP_size=9"), std::string("password=s3cr3t"),
                           std::string("COLOUR=green"), std::string("PASSWORD=s3cr3t"), std::string("WHERE=n1"),
                           "IP=" + ip, std::string("CPU=250"), std::string("MEMORY=64"), std::string("BOTH=green-n1"),
                           std::string("DATA_BASE_SERVICE_HOST=10.96.0.77"), std::string("DATA_BASE_SERVICE_PORT=5432"),
                           std::string("HOSTNAME=told"), std::string("args green $(COLOUR)")})
    CHECK(env.find(line + "\n") != std::string::npos);
  CHECK(env.find("NONE=") == std::string::npos);
  CHECK(env.find("9lives") == std::string::npos);
  CHECK(c.eventually([&] { return c.waiting("lacking") == "CreateContainerConfigError"; }));
  CHECK(c.eventually([&] { return eventSays(c, "lacking", "Failed", "secret \"nobody\" not found"); }));
}

TEST_CASE("resource limits stand in the container's control group") {
  NEEDS_CONTAINERD();
  c.make("limited", pod("sleep 3600", R"J(,"resources":{"limits":{"cpu":"250m","memory":"64Mi"},
    "requests":{"cpu":"100m","memory":"32Mi"}})J"));
  c.make("free", pod("sleep 3600"));
  REQUIRE(c.eventually([&] { return c.isReady("limited") && c.isReady("free"); }));
  CHECK(limitOf(c, "limited", "cpu", "cpu.cfs_quota_us") == "25000");
  CHECK(limitOf(c, "limited", "cpu", "cpu.cfs_period_us") == "100000");
  CHECK(limitOf(c, "limited", "cpu", "cpu.shares") == "102");
  CHECK(limitOf(c, "limited", "memory", "memory.limit_in_bytes") == "67108864");
  CHECK(limitOf(c, "free", "cpu", "cpu.cfs_quota_us") == "-1");
  CHECK(limitOf(c, "free", "cpu", "cpu.shares") == "2");
  CHECK(std::stoll(limitOf(c, "free", "memory", "memory.limit_in_bytes")) > (1LL << 50));
}

TEST_CASE("a security context takes rights away: user, root file system, capabilities, new privileges, seccomp") {
  NEEDS_CONTAINERD();
  const std::string look =
      "id; grep -E '^(CapEff|NoNewPrivs|Seccomp):' /proc/self/status; touch /file && echo wrote; "
      "touch /data/file && echo stored; stat -c '%g %a' /data; stat -c '%g' /data/file; sleep 3600";
  const auto strict = c.make("strict", pod(look, R"J(,"volumeMounts":[{"name":"d","mountPath":"/data"}],
      "securityContext":{"runAsUser":1000,"runAsGroup":3000,"readOnlyRootFilesystem":true,
        "allowPrivilegeEscalation":false,"capabilities":{"drop":["ALL"]},"seccompProfile":{"type":"RuntimeDefault"}})J",
                                           R"J(,"volumes":[{"name":"d","emptyDir":{}}],
      "securityContext":{"fsGroup":2000,"supplementalGroups":[4000]})J"));
  const auto wide = c.make("wide", pod(look, R"J(,"volumeMounts":[{"name":"d","mountPath":"/data"}],
      "securityContext":{"capabilities":{"add":["NET_ADMIN"]}})J",
                                       R"J(,"volumes":[{"name":"d","emptyDir":{}}])J"));
  c.make("root", pod("sleep 3600", R"J(,"securityContext":{"runAsNonRoot":true})J"));
  REQUIRE(c.eventually([&] { return c.isReady("strict") && c.isReady("wide"); }));
  CHECK(c.eventually([&] { return c.log(strict).find("\n2000\n") != std::string::npos; }));
  const auto said = c.log(strict);
  INFO(said);
  CHECK(said.find("uid=1000 gid=3000") != std::string::npos);
  CHECK(said.find("2000") < said.find("CapEff"));  // among the groups of id
  CHECK(said.find("4000") < said.find("CapEff"));
  CHECK(lineOf(said, "CapEff").ends_with("0000000000000000"));
  CHECK(lineOf(said, "NoNewPrivs").ends_with("1"));
  CHECK(lineOf(said, "Seccomp").ends_with("2"));
  CHECK(said.find("Read-only file system") != std::string::npos);
  CHECK(said.find("wrote") == std::string::npos);
  CHECK(said.find("stored") != std::string::npos);
  CHECK(said.find("2000 2777") != std::string::npos);
  CHECK(c.eventually([&] { return c.log(wide).find("stored") != std::string::npos; }));
  const auto free = c.log(wide);
  INFO(free);
  CHECK(free.find("uid=0") != std::string::npos);
  CHECK(free.find("wrote") != std::string::npos);
  const auto rights = lineOf(free, "CapEff");
  CHECK((std::stoull(rights.substr(rights.find_last_of("\t ") + 1), nullptr, 16) & (1ULL << 12U)) != 0);  // NET_ADMIN
  CHECK(lineOf(free, "NoNewPrivs").ends_with("0"));
  CHECK(c.eventually([&] { return c.waiting("root") == "CreateContainerConfigError"; }));
}

TEST_CASE("sub paths and projected volumes show what they name, and a host port leads to the container") {
  NEEDS_CONTAINERD();
  makeSettings(c);
  const auto made = c.make("shown", pod("echo kept > /sub/file; cat /one; ls /all; cat /all/team/c /all/p /all/me; "
                                        "echo; mkdir /tmp/w; echo hi > /tmp/w/index.html; httpd -f -p 8080 -h /tmp/w",
                                        R"J(,"ports":[{"containerPort":8080,"hostPort":18080}],
      "env":[{"name":"POD","valueFrom":{"fieldRef":{"fieldPath":"metadata.name"}}}],
      "volumeMounts":[{"name":"dir","mountPath":"/sub","subPathExpr":"of/$(POD)"
},{"name":"dir","mountPath":"/whole"},
        {"name":"settings","mountPath":"/one","subPath":"colour"},{"name":"all","mountPath":"/all"}])J",
                                        R"J(,"volumes":[{"name":"dir","emptyDir":{}},
      {"name":"settings","configMap":{"name":"settings"}},{"name":"all","projected":{"sources":[
        {"configMap":{"name":"settings","items":[{"key":"colour","path":"team/c"}]}},
        {"secret":{"name":"key","items":[{"key":"password","path":"p","mode":256}]}},
        {"downwardAPI":{"items":[{"path":"me","fieldRef":{"fieldPath":"metadata.name"}}]}}]}}])J"));
  REQUIRE(c.eventually([&] { return c.isReady("shown"); }));
  CHECK(c.eventually([&] { return c.log(made).find("greens3cr3tshown") != std::string::npos; }));
  CHECK(c.log(made).starts_with("greenme\np\nteam\n"));
  CHECK(c.exec("shown", {"cat", "/whole/of/shown/file"}) == "kept\n");
  CHECK(c.exec("shown", {"stat", "-L", "-c", "%a", "/all/p"}) == "400\n");
  CheckRequest request;
  request.kind = CheckKind::http;
  request.host = "10.199.1.1";
  request.port = 18080;
  CHECK(c.eventually([&] { return checkOverNetwork(request).success; }));
  c.remove("shown");
  CHECK(c.eventually([&] { return c.gone("shown"); }));
  CHECK_FALSE(checkOverNetwork(request).success);
}
