// The agent with a real containerd in a network namespace of its own, and the real API server.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "core/random.h"
#include "nodeagent/agent/agent.h"
#include "nodeagent/agent/node_context.h"
#include "nodeagent/runtime/cri_runtime.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

const std::string kFixture = std::string(STEER_SOURCE_DIR) + "/tests/unit/agent/node_fixture.sh";

std::string firstLine(const std::string& path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// containerd and its namespace, for all tests of this program.
struct Machine {
  std::string dir;
  bool up = false;

  Machine() {
    if (geteuid() != 0 || std::system("command -v containerd runc busybox gcc ip >/dev/null") != 0) return;
    char name[] = "/tmp/steer-node-XXXXXX";
    dir = mkdtemp(name);
    up = std::system((kFixture + " up " + dir + " >" + dir + "/ns").c_str()) == 0;
    if (!up) return;
    // Probes are made from the node's network.
    const int fd = open(("/run/netns/" + firstLine(dir + "/ns")).c_str(), O_RDONLY | O_CLOEXEC);
    up = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
    close(fd);
  }
  ~Machine() {
    if (!dir.empty()) std::system((kFixture + " down " + dir).c_str());
  }
};

/// A cluster of this one node.
struct Cluster {
  SystemClock clock;
  Random random;
  std::unique_ptr<Store> store;
  std::unique_ptr<ApiServer> server;
  std::unique_ptr<Client> client;
  std::unique_ptr<PodRuntime> runtime;
  ThreadPool pool{8};
  std::unique_ptr<Agent> agent;
  std::unique_ptr<LoopThread> thread;
  std::string dir;

  explicit Cluster(const Machine& machine) : dir(machine.dir) {
    auto opened = Store::open(openMemoryLog(makeMemoryDisk()), {});
    store = std::move(*opened);
    server = std::make_unique<ApiServer>(*store, clock, random, ApiServerOptions{});
    client = makeInProcessClient(*server, systemIdentity());
    runtime = makeCriRuntime({dir + "/s/c.sock", "n1"});
    startAgent();
  }
  ~Cluster() {
    const auto pods = client->list("pods", {});
    for (const auto& pod : pods->items) {
      DeleteOptions now;
      now.gracePeriodSeconds = 1;
      (void)client->write(Write::remove({"pods", pod->ns(), pod->name()}, now));
    }
    eventually([&] { return runtime->list()->empty(); });
    stopAgent();
  }
  void startAgent() {
    AgentOptions options;
    options.nodeName = "n1";
    options.clusterName = "test";
    options.address = "10.199.1.1";
    options.rootDir = dir + "/agent";
    options.serverPort = -1;
    options.referencePeriod = seconds(1);
    options.useNodeResolver = true;
    agent = std::make_unique<Agent>(options, *client, *runtime, pool, clock);
    agent->setNetworkReady(true);
    thread = std::make_unique<LoopThread>(*agent, clock);
  }
  void stopAgent() {
    thread.reset();
    agent.reset();
  }
  static bool eventually(const std::function<bool()>& holds, int secondsToWait = 30) {
    for (int i = 0; i < secondsToWait * 20; ++i) {
      if (holds()) return true;
      usleep(50'000);
    }
    return false;
  }
  ObjectPtr make(const std::string& name, const std::string& spec) {
    auto body = json::parse(spec).as_object();
    body["nodeName"] = "n1";
    if (!body.contains("restartPolicy")) body["restartPolicy"] = "Always";
    auto made =
        client->write(Write::create("pods", {{"apiVersion", "v1"},
                                             {"kind", "Pod"},
                                             {"metadata", json::object{{"name", name}, {"namespace", "default"}}},
                                             {"spec", body}}));
    if (!made.ok()) FAIL(made.error().message);
    return *made;
  }
  json::object status(const std::string& name) const {
    const auto pod = client->get({"pods", "default", name});
    return pod.ok() ? (*pod)->status() : json::object{};
  }
  json::object container(const std::string& name) const {
    const auto pod = status(name);
    const auto& list = arrayAt(pod, {"containerStatuses"});
    return list.empty() ? json::object{} : list.front().as_object();
  }
  bool isReady(const std::string& name) const {
    const auto pod = status(name);
    for (const auto& c : arrayAt(pod, {"conditions"}))
      if (stringAt(c, {"type"}) == "Ready") return stringAt(c, {"status"}) == "True";
    return false;
  }
  bool hasEvent(const std::string& reason, const std::string& pod) const {
    const auto events = client->list("events", {});
    for (const auto& e : events->items)
      if (stringAt(e->json(), {"reason"}) == reason && stringAt(e->json(), {"involvedObject", "name"}) == pod)
        return true;
    return false;
  }
  std::string id(const std::string& name) const {
    const auto text = std::string(stringAt(container(name), {"containerID"}));
    return text.substr(text.rfind('/') + 1);
  }
  std::string exec(const std::string& pod, const std::vector<std::string>& command) const {
    const auto result = runtime->execSync(id(pod), command, seconds(5));
    return result.ok() ? result->output : "error: " + result.error().message;
  }
};

Machine& machine() {
  static Machine instance;
  return instance;
}

std::string pod(const std::string& script, const std::string& more = "", const std::string& podMore = "") {
  return R"({"terminationGracePeriodSeconds":2,"containers":[{"name":"c","image":"registry.local/busybox:1","command":["sh","-c",")" +
         script + "\"]" + more + "}]" + podMore + "}";
}

}  // namespace

#define NEEDS_CONTAINERD()                                              \
  if (!machine().up) {                                                  \
    std::cout << "skipped: needs root, containerd, runc and busybox\n"; \
    std::exit(77);                                                      \
  }                                                                     \
  Cluster c(machine())

TEST_CASE("a pod runs, writes its log, and leaves nothing behind when it is deleted") {
  NEEDS_CONTAINERD();
  const auto made = c.make("web", pod("echo hello $WHO; trap 'exit 0' TERM; sleep 3600 & wait",
                                      R"(,"env":[{"name":"WHO","value":"world"}])"));
  REQUIRE(c.eventually([&] { return c.isReady("web"); }));
  CHECK(c.eventually([&] { return c.agent->ready(); }));
  CHECK(stringAt(c.status("web"), {"phase"}) == "Running");
  CHECK(stringAt(c.status("web"), {"podIP"}).starts_with("10.199.1."));
  const auto log = c.dir + "/agent/logs/pods/default_web_" + made->uid() + "/c/0.log";
  CHECK(c.eventually([&] { return firstLine(log).find("stdout F hello world") != std::string::npos; }));
  CHECK(c.exec("web", {"cat", "/etc/hosts"}).find("\tweb\n") != std::string::npos);
  CHECK(c.eventually([&] { return c.hasEvent("Started", "web"); }));
  CHECK(fs::exists("/sys/fs/cgroup/memory/steer/test/n1/pod" + made->uid()));

  REQUIRE(c.client->write(Write::remove({"pods", "default", "web"})).ok());
  CHECK(c.eventually([&] { return !c.client->get({"pods", "default", "web"}).ok(); }));
  CHECK(c.runtime->list()->empty());
  CHECK_FALSE(fs::exists(c.dir + "/agent/pods/" + made->uid()));
  CHECK_FALSE(fs::exists(c.dir + "/agent/logs/pods/default_web_" + made->uid()));
  CHECK_FALSE(fs::exists("/sys/fs/cgroup/memory/steer/test/n1/pod" + made->uid()));
}

TEST_CASE("a container that ends is started again, and a crash loop is shown with its exit code") {
  NEEDS_CONTAINERD();
  c.make("crash", pod("echo last words > /dev/termination-log; exit 3"));
  CHECK(c.eventually([&] {
    return stringAt(c.container("crash"), {"state", "waiting", "reason"}) == "CrashLoopBackOff";
  }));
  CHECK(intAt(c.container("crash"), {"restartCount"}) == 1);
  CHECK(intAt(c.container("crash"), {"lastState", "terminated", "exitCode"}) == 3);
  CHECK(stringAt(c.container("crash"), {"lastState", "terminated", "message"}) == "last words\n");
}

TEST_CASE("a container that takes more memory than its limit is reported as OOMKilled") {
  NEEDS_CONTAINERD();
  c.make("greedy",
         pod("tail /dev/zero", R"(,"resources":{"limits":{"memory":"32Mi"}})", R"(,"restartPolicy":"Never")"));
  CHECK(c.eventually([&] { return stringAt(c.status("greedy"), {"phase"}) == "Failed"; }));
  CHECK(stringAt(c.container("greedy"), {"state", "terminated", "reason"}) == "OOMKilled");
}

TEST_CASE("readiness follows its probe and liveness restarts what does not answer") {
  NEEDS_CONTAINERD();
  c.make("probed", pod("mkdir /tmp/w; echo ok > /tmp/w/live; httpd -f -p 8080 -h /tmp/w",
                       R"(,"ports":[{"name":"web","containerPort":8080}],
                "readinessProbe":{"httpGet":{"path":"/ready","port":"web"},"periodSeconds":1,"failureThreshold":1},
                "livenessProbe":{"exec":{"command":["test","-e","/tmp/w/live"]},"periodSeconds":1,"failureThreshold":1})"));
  REQUIRE(c.eventually([&] { return stringAt(c.status("probed"), {"phase"}) == "Running"; }));
  CHECK(c.eventually([&] { return c.hasEvent("Unhealthy", "probed"); }));
  CHECK_FALSE(c.isReady("probed"));
  c.exec("probed", {"touch", "/tmp/w/ready"});
  CHECK(c.eventually([&] { return c.isReady("probed"); }));
  c.exec("probed", {"rm", "/tmp/w/live"});
  CHECK(c.eventually([&] { return intAt(c.container("probed"), {"restartCount"}) == 1; }));
}

TEST_CASE("a changed config map reaches the running pod") {
  NEEDS_CONTAINERD();
  const auto map = [](const char* value) {
    return json::object{{"apiVersion", "v1"},
                        {"kind", "ConfigMap"},
                        {"metadata", json::object{{"name", "settings"}, {"namespace", "default"}}},
                        {"data", json::object{{"colour", value}}}};
  };
  c.make("shown", pod("sleep 3600", R"(,"volumeMounts":[{"name":"v","mountPath":"/etc/settings"}])",
                      R"(,"volumes":[{"name":"v","configMap":{"name":"settings"}}])"));
  CHECK(c.eventually([&] { return c.hasEvent("FailedMount", "shown"); }));
  REQUIRE(c.client->write(Write::create("configmaps", map("green"))).ok());
  REQUIRE(c.eventually([&] { return c.isReady("shown"); }));
  CHECK(c.exec("shown", {"cat", "/etc/settings/colour"}) == "green");
  REQUIRE(c.client->write(Write::update("configmaps", map("blue"))).ok());
  CHECK(c.eventually([&] { return c.exec("shown", {"cat", "/etc/settings/colour"}) == "blue"; }));
}

TEST_CASE("a new agent adopts what the old one left running") {
  NEEDS_CONTAINERD();
  c.make("lasting", pod("sleep 3600"));
  REQUIRE(c.eventually([&] { return c.isReady("lasting"); }));
  const auto before = c.container("lasting");
  c.stopAgent();
  c.startAgent();
  CHECK(c.eventually([&] { return c.agent->ready(); }));
  usleep(1'000'000);
  CHECK(c.container("lasting") == before);
  CHECK(c.runtime->list()->containers.size() == 1);
}

TEST_CASE("a pod deleted while no agent was there is stopped by the next one") {
  NEEDS_CONTAINERD();
  const auto made = c.make("gone", pod("sleep 3600"));
  REQUIRE(c.eventually([&] { return c.isReady("gone"); }));
  c.stopAgent();
  DeleteOptions force;
  force.gracePeriodSeconds = 0;
  REQUIRE(c.client->write(Write::remove({"pods", "default", "gone"}, force)).ok());
  REQUIRE_FALSE(c.client->get({"pods", "default", "gone"}).ok());
  c.startAgent();
  CHECK(c.eventually([&] { return c.runtime->list()->empty(); }, 50));
}

TEST_CASE("an agent that ended between sandbox and container leaves no duplicate") {
  NEEDS_CONTAINERD();
  c.stopAgent();
  const auto made = c.make("half", pod("sleep 3600"));
  PodSetting setting;
  setting.nodeName = "n1";
  setting.logDirectory = c.dir + "/agent/logs/pods/default_half_" + made->uid();
  setting.cgroupParent = "/steer/test/n1/pod" + made->uid();
  const auto sandbox = c.runtime->runSandbox(sandboxConfigOf(*made, 0, setting));
  REQUIRE(sandbox.ok());
  SECTION("nothing more") {}
  SECTION("with a container that was never started") {
    ContainerRequest request;
    request.name = "c";
    request.imageRef = "registry.local/busybox:1";
    const auto config = containerConfigOf(*made, request, setting, {});
    REQUIRE(config.ok());
    REQUIRE(c.runtime->createContainer(*sandbox, *config, sandboxConfigOf(*made, 0, setting)).ok());
  }
  c.startAgent();
  REQUIRE(c.eventually([&] { return c.isReady("half"); }));
  const auto all = c.runtime->list();
  CHECK(all->sandboxes.size() == 1);
  CHECK(all->sandboxes.front().id == *sandbox);
  CHECK(all->containers.size() == 1);
  CHECK(intAt(c.container("half"), {"restartCount"}) == 0);
}

TEST_CASE("a missing image is shown, and pods go on while the runtime restarts") {
  NEEDS_CONTAINERD();
  c.make("steady", pod("sleep 3600"));
  c.make("lacking", R"({"containers":[{"name":"c","image":"registry.local/absent:1","imagePullPolicy":"Never"}]})");
  REQUIRE(c.eventually([&] { return c.isReady("steady"); }));
  CHECK(c.eventually([&] {
    return stringAt(c.container("lacking"), {"state", "waiting", "reason"}) == "ErrImageNeverPull";
  }));
  const auto before = c.id("steady");
  REQUIRE(std::system(("kill -9 $(cat " + c.dir + "/pid); " + kFixture + " daemon " + c.dir).c_str()) == 0);
  usleep(1'500'000);
  CHECK(c.eventually([&] { return c.isReady("steady"); }));
  CHECK(c.id("steady") == before);
  CHECK(c.exec("steady", {"echo", "here"}) == "here\n");
}
