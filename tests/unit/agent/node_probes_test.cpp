// Probes of every kind against real containers.
#include "nodeagent/pod/container_spec.h"
#include "real_node.h"

using namespace steer;
using namespace steer::nodetest;

namespace {

bool started(const Cluster& c, const std::string& name) { return boolAt(c.container(name), {"started"}); }

std::string grpcPod(const std::string& dir, const std::string& probes) {
  return R"({"terminationGracePeriodSeconds":1,"containers":[{"name":"c","image":"registry.local/busybox:1",
    "command":["/p/loader","--library-path","/p/lib","/p/program","9090"],
    "volumeMounts":[{"name":"p","mountPath":"/p","readOnly":true}],)" +
         probes + R"(}],"volumes":[{"name":"p","hostPath":{"path":")" + dir + R"(/program","type":"Directory"}}]})";
}

}  // namespace

TEST_CASE("tcp and grpc probes decide over readiness and restarts, and a startup probe holds the others back") {
  NEEDS_CONTAINERD();
  REQUIRE(std::system((kFixture + " program " + c.dir + " " + STEER_GRPC_HEALTH_SERVER).c_str()) == 0);
  c.make("tcp", pod("sleep 1; httpd -f -p 9000",
                    R"(,"readinessProbe":{"tcpSocket":{"port":9000},"periodSeconds":1,"failureThreshold":1})"));
  c.make("tcp-closed", pod("sleep 3600", R"(,"livenessProbe":{"tcpSocket":{"port":9001},"periodSeconds":1,
    "failureThreshold":2})"));
  c.make("grpc", grpcPod(c.dir, R"("readinessProbe":{"grpc":{"port":9090,"service":"good"},"periodSeconds":1})"));
  c.make("grpc-bad", grpcPod(c.dir, R"("readinessProbe":{"grpc":{"port":9090},"periodSeconds":1},
    "livenessProbe":{"grpc":{"port":9090,"service":"bad"},"initialDelaySeconds":1,"periodSeconds":1,
    "failureThreshold":2})"));
  c.make("slow", pod("sleep 3; touch /tmp/up; sleep 3600", R"(,
    "startupProbe":{"exec":{"command":["test","-e","/tmp/up"]},"periodSeconds":1,"failureThreshold":30},
    "livenessProbe":{"exec":{"command":["test","-e","/tmp/up"]},"periodSeconds":1,"failureThreshold":1})"));
  c.make("stuck", pod("sleep 3600", R"(,
    "startupProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":2})"));

  REQUIRE(c.eventually([&] { return c.phase("slow") == "Running"; }));
  CHECK_FALSE(started(c, "slow"));
  CHECK_FALSE(c.isReady("slow"));
  CHECK(c.eventually([&] { return c.isReady("tcp"); }));
  CHECK(c.eventually([&] { return c.isReady("grpc"); }));
  CHECK(c.restarts("grpc") == 0);
  CHECK(c.eventually([&] { return c.isReady("slow") && started(c, "slow"); }));
  CHECK(c.restarts("slow") == 0);
  CHECK(c.eventually([&] { return c.restarts("tcp-closed") >= 1; }));
  CHECK(eventSays(c, "tcp-closed", "Unhealthy", "Connection refused"));
  CHECK(c.eventually([&] { return c.restarts("grpc-bad") >= 1; }));
  CHECK(eventSays(c, "grpc-bad", "Unhealthy", "service unhealthy"));
  CHECK(c.eventually([&] { return c.restarts("stuck") >= 1; }));
  CHECK(eventSays(c, "stuck", "Killing", "failed startup probe"));
}

TEST_CASE("a probe's own grace period wins over the pod's when it kills") {
  NEEDS_CONTAINERD();
  c.make("deaf", R"({"terminationGracePeriodSeconds":600,"containers":[{"name":"c","image":"registry.local/busybox:1",
    "command":["sh","-c","trap '' TERM; while true; do sleep 1; done"],
    "livenessProbe":{"exec":{"command":["false"]},"periodSeconds":1,"failureThreshold":1,
                     "terminationGracePeriodSeconds":1}}]})");
  CHECK(c.eventually([&] { return c.restarts("deaf") >= 1; }));
  CHECK(intAt(c.container("deaf"), {"lastState", "terminated", "exitCode"}) == 137);
}
