// Pods of a real containerd on a node's network: the address they get, the names they resolve, the
// services they reach, host ports, and nothing left behind.
#include <catch2/catch.hpp>

#include "nodeagent/agent/network_loop.h"
#include "nodeagent/runtime/containerd_process.h"
#include "nodeagent/runtime/cri_runtime.h"
#include "tests/source_path.h"
#include "tests/unit/cluster_network/world.h"
#include "tests/unit/network/local_cluster.h"

using namespace steer;
using namespace steer::test;

namespace {

class RealNode : public LocalCluster {
 public:
  RealNode() {
    if (!runCommand({{"containerd", "--version"}}).ok()) {
      std::puts("skipped: containerd is needed");
      std::fflush(stdout);
      std::_Exit(77);
    }
    inside(node(1), [&] {
      ContainerdOptions options;
      options.dir = dir_.path() + "/node";
      options.tag = "test-" + plan().tag;
      options.cgroup = "/steer-test-" + plan().tag;
      auto started = ContainerdProcess::start(options);
      if (!started.ok()) {
        std::puts(started.error().message.c_str());
        return;
      }
      containerd = std::move(*started);
      NodeDoorsOptions wanted;
      wanted.network = networkOptions(1);
      wanted.network.cniConfDir = containerd->cniConfDir();
      wanted.network.cniStateDir = containerd->cniStateDir();
      if (auto opened = openNodeDoors(wanted); opened.ok()) doors = std::move(*opened);
    });
    REQUIRE(containerd);
    REQUIRE(doors.setUpPods);
    inside(node(1), [&] { setUp_ = doors.setUpPods(podCidr(1)); });
    must(setUp_);
    const auto images = dir_.path() + "/images";
    REQUIRE(runChecked({{sourcePath("scripts/images"), images}}, "", minutes{2}).ok());
    must(containerd->importImages(images));
    runtime = makeCriRuntime({containerd->socket(), "n1"});
  }
  ~RealNode() {
    if (runtime)
      if (const auto all = runtime->list(); all.ok())
        for (const auto& sandbox : all->sandboxes) {
          (void)runtime->stopSandbox(sandbox.id);
          (void)runtime->removeSandbox(sandbox.id);
        }
    runtime.reset();
    if (containerd) CHECK(containerd->stop().ok());
  }

  struct Pod {
    std::string container, ip;
  };
  Pod runPod(const std::string& name, std::vector<std::string> command, std::vector<HostPort> ports = {}) {
    SandboxConfig sandbox;
    sandbox.podName = sandbox.hostname = name;
    sandbox.podNamespace = "shop";
    sandbox.podUid = "uid-" + name;
    sandbox.logDirectory = dir_.path() + "/logs/" + name;
    sandbox.cgroupParent = "/steer-test-" + plan().tag + "/" + name;
    sandbox.ports = std::move(ports);
    sandbox.labels = {{kNodeLabel, "n1"}, {kPodUidLabel, sandbox.podUid}};
    sandbox.dns = DnsConfig{{podIp(1, 1)}, {"shop.svc.cluster.local", "svc.cluster.local"}, {"ndots:5"}};
    auto id = runtime->runSandbox(sandbox);
    INFO((id.ok() ? "" : id.error().message));
    REQUIRE(id.ok());
    ContainerConfig config;
    config.name = "main";
    config.image = "registry.local/busybox:1";
    config.command = std::move(command);
    config.logPath = "main/0.log";
    config.labels = sandbox.labels;
    auto container = runtime->createContainer(*id, config, sandbox);
    INFO((container.ok() ? "" : container.error().message));
    REQUIRE(container.ok());
    must(runtime->startContainer(*container));
    const auto seen = runtime->observe(sandbox.podUid);
    REQUIRE(seen.ok());
    REQUIRE(seen->sandboxes.size() == 1);
    REQUIRE(seen->sandboxes[0].ips.size() == 1);
    return {*container, seen->sandboxes[0].ips[0]};
  }
  std::string in(const Pod& pod, const std::string& script) {
    const auto done = runtime->execSync(pod.container, {"sh", "-c", script}, seconds{20});
    return done.ok() ? done->output : "failed: " + done.error().message;
  }

  std::unique_ptr<ContainerdProcess> containerd;
  std::unique_ptr<PodRuntime> runtime;
  NetworkDoors doors;

 private:
  TempDir dir_;
  Result<void> setUp_;
};

}  // namespace

TEST_CASE("containers get addresses of their node's range, resolve services and reach them by name") {
  RealNode node;
  const std::string serve = "mkdir /www; hostname >/www/index.html; exec httpd -f -p 8080 -h /www";
  const auto a = node.runPod("a", {"sh", "-c", serve}, {{"TCP", 8080, 18080, ""}});
  const auto b = node.runPod("b", {"sh", "-c", serve});
  const auto client = node.runPod("client", {"sleep", "1000"});
  const auto range = *Cidr::parse(node.podCidr(1));
  CHECK(range.contains(*parseIpv4(a.ip)));
  CHECK(a.ip != b.ip);

  World world;
  world.service(R"({"metadata":{"namespace":"shop","name":"web"},"spec":{"clusterIP":")" + node.serviceIp(10) +
                R"(","ports":[{"name":"http","port":80}]}})");
  world.slice(webSlice(R"([{"addresses":[")" + a.ip + R"("],"nodeName":"n1"},{"addresses":[")" + b.ip +
                       R"("],"nodeName":"n1"}])"));
  node.must(node.doors.applyRules(NftRuleset(buildServiceTable(world.snapshot(), "n1"), node.nft())));
  node.must(node.doors.setNames(std::make_shared<const DnsTable>(world.snapshot(), DnsOptions{})));

  const auto asked = node.in(client, "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- http://web/; done");
  CHECK(asked.find("a\n") != std::string::npos);
  CHECK(asked.find("b\n") != std::string::npos);
  CHECK(node.in(client, "wget -qO- http://web.shop.svc.cluster.local/").size() == 2);
  // A host port answers at the node.
  CHECK(runChecked({{"curl", "-sS", "-m", "5", "http://" + node.local().node(1).address + ":18080/"}}).valueOr("") ==
        "a\n");
  // An endpoint that asks its own service may get itself.
  const auto self = node.in(a, "for i in 1 2 3 4 5 6 7 8 9 10 11 12; do wget -qO- http://web/; done");
  CHECK(self.find("a\n") != std::string::npos);
  CHECK(node.in(client, "nslookup nobody.shop.svc.cluster.local").find("NXDOMAIN") != std::string::npos);
}
