// The agent with a real containerd in a network namespace of its own, and the real API server.
#include <atomic>

#include "real_node.h"

using namespace steer;
using namespace steer::nodetest;

namespace {

/// A server that can stop answering: who asks then waits until he gives up.
class Hanging final : public Client {
 public:
  Hanging(std::unique_ptr<Client> real, std::atomic<bool>& hangs) : real_(std::move(real)), hangs_(hangs) {}
  Result<ObjectPtr> get(const ObjectRef& ref) override {
    if (waited()) return late();
    return real_->get(ref);
  }
  Result<ObjectList> list(const std::string& resource, const ListOptions& o) override {
    if (waited()) return late();
    return real_->list(resource, o);
  }
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& o, std::uint64_t from,
                                       Waker waker) override {
    if (waited()) return late();
    STEER_TRY(auto real, real_->watch(resource, o, from, std::move(waker)));
    return std::unique_ptr<Watch>(std::make_unique<Broken>(std::move(real), hangs_));
  }
  Result<Observation> observe(const ObserveRequest& request) override { return real_->observe(request); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& o) override {
    if (waited()) return std::vector<Result<ObjectPtr>>(writes.size(), late());
    return real_->batch(std::move(writes), o);
  }
  Result<ObjectPtr> write(const Write& write) override {
    if (waited()) return late();
    return real_->write(write);
  }

 private:
  /// Breaks when the server hangs, so that it is listed again.
  class Broken final : public Watch {
   public:
    Broken(std::unique_ptr<Watch> real, std::atomic<bool>& hangs) : real_(std::move(real)), hangs_(hangs) {}
    std::optional<WatchEvent> poll() override { return hangs_ ? std::nullopt : real_->poll(); }
    bool closed() const override { return hangs_ || real_->closed(); }

   private:
    std::unique_ptr<Watch> real_;
    std::atomic<bool>& hangs_;
  };
  static Error late() { return makeError(Errc::timeout, "no answer"); }
  bool waited() const {
    for (int i = 0; i < 100 && hangs_; ++i) usleep(50'000);
    return hangs_;
  }
  std::unique_ptr<Client> real_;
  std::atomic<bool>& hangs_;
};

}  // namespace

TEST_CASE("while the server hangs the node goes on: a container that dies is started again, probes go on") {
  std::atomic<bool> hangs{false};
  NEEDS_CONTAINERD();
  c.stopAgent();
  c.nodeClient = std::make_unique<Hanging>(std::move(c.nodeClient), hangs);
  c.startAgent();
  for (int i = 0; i < 6; ++i) c.make("other-" + std::to_string(i), pod("sleep 3600"));
  c.make("mortal", pod("trap 'exit 1' TERM; touch /tmp/live; while true; do usleep 100000; done",
                       R"(,"livenessProbe":{"exec":{"command":["test","-e","/tmp/live"]},"periodSeconds":1,
                       "failureThreshold":1})"));
  REQUIRE(c.eventually([&] { return c.isReady("mortal") && c.isReady("other-5"); }));
  const auto uid = (*c.client->get({"pods", "default", "mortal"}))->uid();
  const auto newest = [&] {
    std::uint32_t attempt = 0;
    const auto state = c.runtime->observe(uid);
    if (!state.ok()) return attempt;
    for (const auto& container : state->containers)
      if (container.phase == ContainerPhase::running) attempt = std::max(attempt, container.attempt);
    return attempt;
  };
  const auto id = c.id("mortal");
  hangs = true;
  usleep(1'500'000);  // refreshes, leases and lists are under way and stay without an answer
  REQUIRE(c.runtime->execSync(id, {"rm", "/tmp/live"}, seconds(5)).ok());
  CHECK(Cluster::eventually([&] { return newest() == 1; }, 20));
  hangs = false;
  CHECK(c.eventually([&] { return c.restarts("mortal") >= 1 && c.isReady("mortal"); }));
}

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
  CHECK(fs::exists("/sys/fs/cgroup/memory/steer/test/n1/besteffort/pod" + made->uid()));

  REQUIRE(c.client->write(Write::remove({"pods", "default", "web"})).ok());
  CHECK(c.eventually([&] { return !c.client->get({"pods", "default", "web"}).ok(); }));
  CHECK(c.runtime->list()->empty());
  CHECK_FALSE(fs::exists(c.dir + "/agent/pods/" + made->uid()));
  CHECK_FALSE(fs::exists(c.dir + "/agent/logs/pods/default_web_" + made->uid()));
  CHECK_FALSE(fs::exists("/sys/fs/cgroup/memory/steer/test/n1/besteffort/pod" + made->uid()));
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
  // Without a volume, which nobody would have made.
  const auto made = c.make("half", pod("sleep 3600", "", R"(,"automountServiceAccountToken":false)"));
  PodSetting setting;
  setting.nodeName = "n1";
  setting.logDirectory = c.dir + "/agent/logs/pods/default_half_" + made->uid();
  setting.cgroupParent = "/steer/test/n1/besteffort/pod" + made->uid();
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
