// Hooks, the end of pods, restart policies, init containers and sidecars, in real containers.
#include <httplib.h>

#include <thread>

#include "core/sync.h"
#include "real_node.h"

using namespace steer;
using namespace steer::nodetest;

namespace {

/// Hears what hooks ask for, at the node's address on the pods' network.
class Listener {
 public:
  Listener() {
    server_.Get(".*", [this](const httplib::Request& request, httplib::Response&) {
      asked_.with([&](auto& asked) { asked.push_back(request.path + " " + request.get_header_value("X-From")); });
    });
    port = server_.bind_to_any_port("10.199.1.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
  }
  ~Listener() {
    server_.stop();
    thread_.join();
  }
  Listener(const Listener&) = delete;
  Listener& operator=(const Listener&) = delete;
  bool heard(const std::string& what) const {
    return asked_.with([&](const auto& asked) { return std::find(asked.begin(), asked.end(), what) != asked.end(); });
  }
  int port = 0;

 private:
  httplib::Server server_;
  Sync<std::vector<std::string>> asked_;
  std::thread thread_;
};

std::string httpHook(int port, const std::string& path) {
  return R"({"httpGet":{"host":"10.199.1.1","port":)" + std::to_string(port) + R"(,"path":")" + path +
         R"(","httpHeaders":[{"name":"X-From","value":"hook"}]}})";
}

double secondsUntilGone(Cluster& c, const std::string& name) {
  const Time begin = c.clock.now();
  c.remove(name);
  REQUIRE(c.eventually([&] { return c.gone(name); }));
  return static_cast<double>((c.clock.now() - begin) / milliseconds(1)) / 1000.0;
}

/// Waits while it ignores the request to end, or says that it was asked.
const char* kPolite = "trap 'echo term >> /out/order; exit 0' TERM; echo up >> /out/order; sleep 3600 & wait";
const char* kDeaf = "trap '' TERM; while true; do sleep 1; done";

}  // namespace

TEST_CASE("hooks run after the start and before the end, as commands and as requests") {
  NEEDS_CONTAINERD();
  Listener listener;
  const auto out = c.folder("hooks");
  c.make("hooked", pod(kPolite, std::string(kOutMount) + R"(,"lifecycle":{
      "postStart":{"exec":{"command":["sh","-c","echo started >> /out/hook"]}},
      "preStop":{"exec":{"command":["sh","-c","echo prestop >> /out/order"]}}})",
                       withOut(out)));
  c.make("asking", pod("sleep 3600", R"(,"lifecycle":{"postStart":)" + httpHook(listener.port, "/hello") +
                                         R"(,"preStop":)" + httpHook(listener.port, "/bye") + "}"));
  c.make("broken", pod("sleep 3600", R"(,"lifecycle":{"postStart":{"exec":{"command":["sh","-c","exit 4"]}}})"));
  REQUIRE(c.eventually([&] { return c.isReady("hooked") && c.isReady("asking"); }));
  CHECK(textOf(out + "/hook") == "started\n");
  CHECK(listener.heard("/hello hook"));
  CHECK_FALSE(listener.heard("/bye hook"));
  c.remove("hooked");
  c.remove("asking");
  CHECK(c.eventually([&] { return c.gone("hooked") && c.gone("asking"); }));
  CHECK(textOf(out + "/order") == "up\nprestop\nterm\n");
  CHECK(listener.heard("/bye hook"));
  CHECK(c.eventually([&] { return c.hasEvent("FailedPostStartHook", "broken"); }));
  CHECK(c.eventually([&] { return c.restarts("broken") >= 1; }));
}

TEST_CASE("a pod that ends at the request goes at once, a deaf one after its grace, which preStop uses up too") {
  NEEDS_CONTAINERD();
  const auto out = c.folder("grace");
  const auto patient = [](int grace, const std::string& spec) {
    auto body = json::parse(spec).as_object();
    body["terminationGracePeriodSeconds"] = grace;
    return jsonText(body);
  };
  c.make("polite", patient(60, pod(kPolite, kOutMount, withOut(out))));
  c.make("deaf", patient(3, pod(kDeaf)));
  c.make("lingering", patient(4, pod(kDeaf, R"(,"lifecycle":{"preStop":{"exec":{"command":["sleep","60"]}}})")));
  REQUIRE(c.eventually([&] { return c.isReady("polite") && c.isReady("deaf") && c.isReady("lingering"); }));
  CHECK(secondsUntilGone(c, "polite") < 3);
  CHECK(textOf(out + "/order") == "up\nterm\n");
  const double deaf = secondsUntilGone(c, "deaf");
  CHECK(deaf >= 2.9);
  CHECK(deaf < 6);
  const double lingering = secondsUntilGone(c, "lingering");
  CHECK(lingering >= 3.9);
  CHECK(lingering < 9);  // the grace, and the little that is left to a container after a hook used it up
}

TEST_CASE(
    "restart policies back off, init containers run in order, a sidecar lives beside the main container and ends after "
    "it") {
  NEEDS_CONTAINERD();
  const Time begin = c.clock.now();
  c.make("always", pod("exit 0"));
  c.make("failing", pod("exit 3", "", R"(,"restartPolicy":"OnFailure")"));
  c.make("done", pod("exit 0", "", R"(,"restartPolicy":"OnFailure")"));
  c.make("never", pod("exit 5", "", R"(,"restartPolicy":"Never")"));
  const auto out = c.folder("init");
  const auto one = [](const std::string& name, const std::string& script, const std::string& more = "") {
    return R"({"name":")" + name + R"(","image":"registry.local/busybox:1","command":["sh","-c",")" + script + "\"]" +
           kOutMount + more + "}";
  };
  c.make("staged", R"({"restartPolicy":"Never","terminationGracePeriodSeconds":5,"initContainers":[)" +
                       one("first", "sleep 1; echo first >> /out/order") + "," +
                       one("side",
                           "trap 'echo side-end >> /out/order; exit 0' TERM; echo side >> /out/order; "
                           "while true; do usleep 100000; done",
                           R"(,"restartPolicy":"Always")") +
                       "," + one("second", "echo second >> /out/order") + R"(],"containers":[)" +
                       one("main", "echo main >> /out/order; sleep 1; echo main-end >> /out/order") + "]" +
                       withOut(out) + "}");
  c.make("blocked", R"({"restartPolicy":"Never","initContainers":[)" + one("bad", "exit 7") + R"(],"containers":[)" +
                        one("main", "echo never > /out/never") + "]" + withOut(out) + "}");
  CHECK(c.eventually([&] { return c.phase("staged") == "Succeeded"; }));
  CHECK(c.eventually([&] { return textOf(out + "/order") == "first\nside\nsecond\nmain\nmain-end\nside-end\n"; }));
  CHECK(c.eventually([&] { return c.phase("blocked") == "Failed"; }));
  CHECK_FALSE(fs::exists(out + "/never"));
  CHECK(c.eventually([&] { return c.phase("done") == "Succeeded" && c.phase("never") == "Failed"; }));
  for (const auto* name : {"always", "failing"}) {
    INFO(name);
    CHECK(c.eventually([&] { return c.restarts(name) >= 1 && c.waiting(name) == "CrashLoopBackOff"; }));
    CHECK(c.eventually([&] { return eventSays(c, name, "BackOff", "Back-off restarting failed container"); }));
  }
  CHECK(c.eventually([&] { return c.restarts("failing") >= 2; }));
  CHECK(c.clock.now() - begin >= seconds(10));  // the first restart is at once, the second waits
  CHECK(c.restarts("done") == 0);
  CHECK(c.restarts("never") == 0);
  CHECK(intAt(c.container("never"), {"state", "terminated", "exitCode"}) == 5);
  CHECK(intAt(c.container("failing"), {"lastState", "terminated", "exitCode"}) == 3);
}
