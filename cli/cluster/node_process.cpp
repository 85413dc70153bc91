#include "cli/cluster/node_process.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>

#include "cli/cluster/cluster_facts.h"
#include "cli/cluster/data_dir.h"
#include "cli/cluster/node_identity.h"
#include "cli/command.h"
#include "cluster/client/http_client.h"
#include "core/barrier.h"
#include "core/executor.h"
#include "core/folder.h"
#include "core/log.h"
#include "core/loop.h"
#include "nodeagent/agent/agent.h"
#include "nodeagent/agent/network_loop.h"
#include "nodeagent/dns/dns_server.h"
#include "nodeagent/runtime/containerd_process.h"
#include "nodeagent/runtime/cri_runtime.h"

namespace steer::cli {
namespace fs = std::filesystem;

namespace {

/// "https://host:port" → host and port.
Result<std::pair<std::string, std::string>> hostOf(const std::string& server) {
  const auto start = server.find("://");
  const auto rest = start == std::string::npos ? server : server.substr(start + 3);
  const auto colon = rest.rfind(':');
  if (!server.starts_with("https://") || colon == std::string::npos)
    return makeError(Errc::badRequest, "--server: cannot read \"" + server + "\"; write https://HOST:PORT");
  return std::pair{rest.substr(0, colon), rest.substr(colon + 1)};
}

/// The address of this machine from which the server is reached.
Result<std::string> ownAddress(const std::string& server) {
  STEER_TRY(const auto target, hostOf(server));
  addrinfo hints{};
  hints.ai_family = AF_INET;
  hints.ai_socktype = SOCK_DGRAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(target.first.c_str(), target.second.c_str(), &hints, &found) != 0)
    return makeError(Errc::unavailable, "--server: the name " + target.first + " cannot be resolved");
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in own{};
  socklen_t size = sizeof own;
  const bool ok = connect(fd, found->ai_addr, found->ai_addrlen) == 0 &&
                  getsockname(fd, reinterpret_cast<sockaddr*>(&own), &size) == 0;
  close(fd);
  freeaddrinfo(found);
  if (!ok)
    return makeError(Errc::unavailable, "no way to " + target.first + "; name this node's address with --address");
  std::string text(INET_ADDRSTRLEN, '\0');
  inet_ntop(AF_INET, &own.sin_addr, text.data(), INET_ADDRSTRLEN);
  text.resize(text.find('\0'));
  return text;
}

Result<void> complete(NodeProcessOptions& options) {
  if (options.nodeName.empty()) {
    std::string name(256, '\0');
    gethostname(name.data(), name.size() - 1);
    options.nodeName = name.substr(0, name.find('\0'));
  }
  if (const char* token = std::getenv("STEER_TOKEN"); token != nullptr) options.token = token;
  unsetenv("STEER_TOKEN");  // children have no use for it
  if (!options.tokenFile.empty()) {
    STEER_TRY(options.token, readFile(options.tokenFile));
  }
  while (!options.token.empty() && std::isspace(static_cast<unsigned char>(options.token.back())) != 0)
    options.token.pop_back();
  if (options.address.empty()) {
    STEER_TRY(options.address, ownAddress(options.server));
  }
  if (options.dataDir.empty()) options.dataDir = "/var/lib/steersman/nodes/" + options.nodeName;
  options.dataDir = absolutePath(options.dataDir).string();
  std::error_code ec;
  fs::create_directories(options.dataDir, ec);
  if (ec) return makeError(Errc::io, "cannot make " + options.dataDir + ": " + ec.message());
  return {};
}

template <class T>
bool retryable(const Result<T>& result) {
  return factsOf(result.error().code).retryable || result.error().code == Errc::notFound;
}

/// Asks again until it works, is hopeless, or somebody interrupts.
template <class Ask>
auto insist(const char* what, Ask ask) -> decltype(ask()) {
  for (int i = 0;; ++i) {
    auto answer = ask();
    if (answer.ok() || !retryable(answer) || interrupted()) return answer;
    if (i % 20 == 0) log::info("waiting for the server", {{"for", what}, {"error", answer.error().message}});
    std::this_thread::sleep_for(std::chrono::milliseconds(250));
  }
}

/// Ends every pod of this node, side by side.
void stopAllPods(PodRuntime& runtime) {
  const auto state = runtime.list();
  if (!state.ok()) return;
  std::vector<std::thread> jobs;
  for (const auto& sandbox : state->sandboxes)
    jobs.emplace_back([&runtime, id = sandbox.id] {
      (void)barrier::run("the end of a pod", [&] {
        (void)runtime.stopSandbox(id);
        (void)runtime.removeSandbox(id);
      });
    });
  for (auto& job : jobs) job.join();
}

struct Node {
  std::unique_ptr<NodeIdentityLoop> identity;
  std::unique_ptr<Client> client;
  std::unique_ptr<ContainerdProcess> containerd;
  std::unique_ptr<PodRuntime> runtime;
  ThreadPool pool{12};
  std::unique_ptr<Agent> agent;
  std::unique_ptr<NetworkLoop> network;
  std::vector<std::unique_ptr<LoopThread>> threads;
};

AgentOptions agentOptions(const NodeProcessOptions& options, const ClusterFacts& facts, const std::string& caPem) {
  AgentOptions out;
  out.nodeName = options.nodeName;
  out.clusterName = facts.tag;
  out.address = options.address;
  out.rootDir = options.dataDir;
  out.shielded = options.shielded;
  out.clusterDomain = facts.domain;
  out.caPem = caPem;
  if (const auto host = hostOf(options.server); host.ok()) {
    out.apiServerHost = host->first;
    out.apiServerPort = std::atoi(host->second.c_str());
  }
  for (const auto& label : options.labels)
    if (const auto eq = label.find('='); eq != std::string::npos)
      out.labels[label.substr(0, eq)] = label.substr(eq + 1);
  return out;
}

Result<void> startNetwork(Node& node, const NodeProcessOptions& options, const ClusterFacts& facts,
                          const std::string& cniConfDir, const std::string& cniStateDir) {
  NetworkLoopOptions loop;
  loop.nodeName = options.nodeName;
  loop.rules.table = "steer_" + facts.tag;
  loop.rules.podCidr = facts.podCidr;
  loop.rules.serviceCidr = facts.serviceCidr;
  loop.names.zone = facts.domain;
  NodeDoorsOptions doors;
  doors.network.cniConfDir = cniConfDir;
  doors.network.cniStateDir = cniStateDir;
  doors.network.clusterPodCidr = facts.podCidr;
  doors.dnsUpstreams = DnsServer::upstreamsOf("/etc/resolv.conf", {});
  STEER_TRY(auto opened, openNodeDoors(doors));
  opened.tellReady = [agent = node.agent.get()](bool ready, const std::string& why) {
    agent->setNetworkReady(ready, why);
  };
  node.network = std::make_unique<NetworkLoop>(*node.client, loop, std::move(opened));
  return {};
}

}  // namespace

Result<void> runNode(NodeProcessOptions options) {
  STEER_CHECK(complete(options));
  SystemClock clock;
  Node node;
  STEER_TRY(auto identity, insist("joining", [&] {
              return NodeIdentity::open(
                  {options.server, options.token, options.dataDir, options.nodeName, options.address}, clock.now());
            }));
  const std::string caPem = identity.caPem();
  const auto serving = identity.serving();
  STEER_TRY(
      node.client,
      makeHttpClient(
          {.server = options.server, .caPem = caPem, .certificate = identity.certificate(), .silence = seconds(10)}));
  node.identity = std::make_unique<NodeIdentityLoop>(std::move(identity));
  STEER_TRY(const auto facts, insist("the cluster's facts", [&] { return readFacts(*node.client); }));
  std::string socket = options.runtimeEndpoint;
  if (socket.starts_with("unix://")) socket = socket.substr(7);
  std::string cniConf = "/etc/cni/net.d", cniState = options.dataDir + "/cni/state";
  if (socket.empty()) {
    ContainerdOptions containerd;
    containerd.dir = options.dataDir;
    containerd.tag = facts.tag + "-" + options.nodeName;
    containerd.cgroup = "/steer/" + facts.tag + "/" + options.nodeName;
    STEER_TRY(node.containerd, ContainerdProcess::start(containerd));
    if (!options.images.empty()) STEER_CHECK(node.containerd->importImages(options.images));
    socket = node.containerd->socket();
    cniConf = node.containerd->cniConfDir();
    cniState = node.containerd->cniStateDir();
  }
  node.runtime = makeCriRuntime({socket, options.nodeName});
  auto agent = agentOptions(options, facts, caPem);
  agent.serving = serving;
  node.agent = std::make_unique<Agent>(std::move(agent), *node.client, *node.runtime, node.pool, clock);
  STEER_CHECK(startNetwork(node, options, facts, cniConf, cniState));
  node.threads.push_back(std::make_unique<LoopThread>(*node.agent, clock));
  node.threads.push_back(std::make_unique<LoopThread>(*node.identity, clock));
  node.threads.push_back(std::make_unique<LoopThread>(*node.network, clock));
  log::info("the node's agent runs", {{"node", options.nodeName}, {"address", options.address}});
  waitForInterrupt();
  for (auto& thread : node.threads) thread->stop();
  node.threads.clear();
  node.network.reset();
  node.agent.reset();
  if (interruptSignal() == SIGINT) {
    stopAllPods(*node.runtime);
    node.runtime.reset();
    if (node.containerd)
      if (const auto stopped = node.containerd->stop(); !stopped.ok())
        log::error("the container runtime did not end cleanly", {{"error", stopped.error().message}});
  }
  return {};
}

}  // namespace steer::cli
