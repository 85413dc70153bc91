#pragma once
// One real node for the tests of this program: a containerd in a network namespace of its own, the real API server in
// memory, and the agent. Pods of one test run side by side.
#include <fcntl.h>
#include <sched.h>
#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <functional>
#include <iostream>
#include <iterator>

#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/in_process_client.h"
#include "core/random.h"
#include "nodeagent/agent/agent.h"
#include "nodeagent/agent/node_context.h"
#include "nodeagent/runtime/cri_runtime.h"
#include "tests/source_path.h"

namespace steer::nodetest {

namespace fs = std::filesystem;

inline const std::string kFixture = sourcePath("tests/unit/agent/node_fixture.sh");

inline std::string firstLine(const std::string& path) {
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
  std::unique_ptr<Client> client;      // of the test: may do everything
  std::unique_ptr<Client> nodeClient;  // of the agent: may do what a node may
  std::unique_ptr<PodRuntime> runtime;
  ThreadPool pool{8};
  std::unique_ptr<Agent> agent;
  std::unique_ptr<LoopThread> thread;
  std::string dir;

  using Adjust = std::function<void(AgentOptions&)>;

  explicit Cluster(const Machine& machine, Adjust adjust = {}) : dir(machine.dir), adjust_(std::move(adjust)) {
    auto opened = Store::open(openMemoryLog(makeMemoryDisk()), {});
    store = std::move(*opened);
    server = std::make_unique<ApiServer>(*store, clock, random,
                                         ApiServerOptions{.tokenKeys = *TokenKeys::fromPem(*TokenKeys::newPem())});
    client = makeInProcessClient(*server, systemIdentity());
    nodeClient = makeInProcessClient(*server, {"system:node:n1", {"system:nodes", "system:authenticated"}});
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
    options.caPem = "THE CA";  // nobody publishes it here
    if (adjust_) adjust_(options);
    agent = std::make_unique<Agent>(options, *nodeClient, *runtime, pool, clock);
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
  /// What a container of a former or the only run printed.
  std::string log(const ObjectPtr& pod, const std::string& container = "c", int attempt = 0) const {
    std::ifstream in(dir + "/agent/logs/pods/default_" + pod->name() + "_" + pod->uid() + "/" + container + "/" +
                     std::to_string(attempt) + ".log");
    std::string out;
    for (std::string line; std::getline(in, line);)
      if (const auto text = line.find(" F "); text != std::string::npos) out += line.substr(text + 3) + "\n";
    return out;
  }
  ObjectPtr create(const std::string& resource, const std::string& body) {
    auto made = client->write(Write::create(resource, json::parse(body).as_object()));
    if (!made.ok()) FAIL(made.error().message);
    return *made;
  }
  bool gone(const std::string& name) const { return !client->get({"pods", "default", name}).ok(); }
  void remove(const std::string& name) { REQUIRE(client->write(Write::remove({"pods", "default", name})).ok()); }
  std::string phase(const std::string& name) const { return std::string(stringAt(status(name), {"phase"})); }
  std::int64_t restarts(const std::string& name) const { return intAt(container(name), {"restartCount"}); }
  std::string waiting(const std::string& name) const {
    return std::string(stringAt(container(name), {"state", "waiting", "reason"}));
  }
  /// For a failed expectation: the pod's status and what was said about it.
  std::string explained(const std::string& name) const {
    auto out = name + ": " + jsonText(status(name));
    const auto events = client->list("events", {});
    for (const auto& e : events->items)
      if (stringAt(e->json(), {"involvedObject", "name"}) == name)
        out +=
            "\n" + std::string(stringAt(e->json(), {"reason"})) + ": " + std::string(stringAt(e->json(), {"message"}));
    return out;
  }
  /// A folder on the node that pods write their marks into.
  std::string folder(const std::string& name) const {
    const auto path = dir + "/out/" + name;
    fs::create_directories(path);
    fs::permissions(path, fs::perms::all);
    return path;
  }
  std::string exec(const std::string& pod, const std::vector<std::string>& command) const {
    const auto result = runtime->execSync(id(pod), command, seconds(5));
    return result.ok() ? result->output : "error: " + result.error().message;
  }

 private:
  Adjust adjust_;
};

inline Machine& machine() {
  static Machine instance;
  return instance;
}

inline std::string pod(const std::string& script, const std::string& more = "", const std::string& podMore = "") {
  return R"({"terminationGracePeriodSeconds":2,"containers":[{"name":"c","image":"registry.local/busybox:1","command":["sh","-c",")" +
         script + "\"]" + more + "}]" + podMore + "}";
}

/// A container whose folder /out is the node's.
inline std::string withOut(const std::string& path) {
  return R"(,"volumes":[{"name":"out","hostPath":{"path":")" + path + R"("}}])";
}
inline const char* kOutMount = R"(,"volumeMounts":[{"name":"out","mountPath":"/out"}])";

inline std::string textOf(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

/// Sentences of the events about a pod, for what must have been said.
inline bool eventSays(const Cluster& c, const std::string& pod, const std::string& reason, const std::string& words) {
  const auto events = c.client->list("events", {});
  for (const auto& e : events->items)
    if (stringAt(e->json(), {"involvedObject", "name"}) == pod && stringAt(e->json(), {"reason"}) == reason &&
        stringAt(e->json(), {"message"}).find(words) != std::string_view::npos)
      return true;
  return false;
}

}  // namespace steer::nodetest

// Needs: skips the program with a reason where real containers cannot run.
#define NEEDS_CONTAINERD_WITH(...)                                      \
  if (!steer::nodetest::machine().up) {                                 \
    std::cout << "skipped: needs root, containerd, runc and busybox\n"; \
    std::exit(77);                                                      \
  }                                                                     \
  steer::nodetest::Cluster c(steer::nodetest::machine() __VA_OPT__(, ) __VA_ARGS__)
#define NEEDS_CONTAINERD() NEEDS_CONTAINERD_WITH()
