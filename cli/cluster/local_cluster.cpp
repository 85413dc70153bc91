#include "cli/cluster/local_cluster.h"

#include <unistd.h>

#include <filesystem>

#include "cli/cluster/local_agents.h"
#include "core/folder.h"
#include "core/log.h"
#include "core/loop.h"
#include "nodeagent/agent/network_loop.h"
#include "nodeagent/network/local_nodes.h"
#include "simulator/sim_fleet.h"

namespace steer::cli {
namespace fs = std::filesystem;

namespace {

/// The cluster's own folder in every cgroup hierarchy; the nodes have emptied theirs.
void removeCgroups(const std::string& tag) {
  std::error_code ec;
  std::vector<fs::path> roots{"/sys/fs/cgroup"};
  for (const auto& path : pathsIn("/sys/fs/cgroup"))
    if (fs::is_directory(fs::symlink_status(path, ec))) roots.push_back(path);
  for (const auto& root : roots) {
    rmdir((root / "steer" / tag).c_str());
    rmdir((root / "steer").c_str());  // only when no other cluster lives there
  }
}

}  // namespace

struct LocalCluster::State {
  LocalClusterOptions options;
  ClusterFacts facts;
  std::unique_ptr<LocalNodes> network;
  std::vector<LocalNode> nodes;
  std::unique_ptr<LocalAgents> agents;
  std::unique_ptr<NetworkLoop> proxy;
  std::unique_ptr<SimFleet> fleet;
  std::vector<std::unique_ptr<LoopThread>> threads;

  Result<void> startAgents(ControlPlane& plane);
  Result<void> startProxy(ControlPlane& plane, const Clock& clock);
};

LocalCluster::LocalCluster(std::unique_ptr<State> state) : state_(std::move(state)) {}

LocalCluster::~LocalCluster() {
  for (auto& thread : state_->threads) thread->stop();
  state_->threads.clear();
}

Result<std::unique_ptr<LocalCluster>> LocalCluster::prepare(LocalClusterOptions options, ControlPlaneOptions& plane) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  state->facts = {plane.podCidr, plane.serviceCidr, "cluster.local", "steer"};
  if (state->options.runtime == RuntimeKind::cri) {
    STEER_TRY(const auto plan, recordedPlan(state->options.dataDir.root.string()));
    state->network = std::make_unique<LocalNodes>(plan);
    STEER_TRY(state->nodes, state->network->up(state->options.nodes));
    plane.podCidr = plan.podCidr.text();
    plane.serviceCidr = plan.serviceCidr.text();
    plane.alsoListen = {plan.hostAddress()};
    state->facts = {plane.podCidr, plane.serviceCidr, "cluster.local", plan.tag};
  }
  return std::unique_ptr<LocalCluster>(new LocalCluster(std::move(state)));
}

ClusterFacts LocalCluster::facts() const { return state_->facts; }

Result<void> LocalCluster::State::startAgents(ControlPlane& plane) {
  const std::string server = "https://" + network->plan().hostAddress() + ":" + std::to_string(plane.port());
  std::vector<LocalAgentSpec> specs;
  for (const auto& node : nodes) {
    const std::string name = "node-" + std::to_string(node.number);
    const fs::path dir = options.dataDir.nodes() / name;
    std::error_code ec;
    fs::create_directories(dir, ec);
    STEER_TRY(const auto token, plane.agentToken(name));
    STEER_CHECK(writeFileAtomically(dir / "token", token + "\n"));
    LocalAgentSpec spec;
    spec.nodeName = name;
    spec.netns = node.netns;
    spec.arguments = {"--server",     server,
                      "--token-file", (dir / "token").string(),
                      "--data-dir",   dir.string(),
                      "--address",    node.address,
                      "--shield",     absolutePath(options.dataDir.root).string()};
    if (!options.images.empty()) {
      spec.arguments.emplace_back("--images");
      spec.arguments.push_back(absolutePath(options.images).string());
    }
    spec.logFile = (dir / "agent.log").string();
    specs.push_back(std::move(spec));
  }
  STEER_TRY(agents, LocalAgents::start(std::move(specs), options.dataDir.nodes().string()));
  return {};
}

Result<void> LocalCluster::State::startProxy(ControlPlane& plane, const Clock& clock) {
  NetworkLoopOptions loopOptions;
  loopOptions.rules.table = network->plan().table();
  loopOptions.rules.podCidr = facts.podCidr;
  loopOptions.rules.serviceCidr = facts.serviceCidr;
  STEER_TRY(auto doors, openProxyDoors(facts.podCidr));
  proxy = std::make_unique<NetworkLoop>(plane.client(), loopOptions, std::move(doors));
  threads.push_back(std::make_unique<LoopThread>(*proxy, clock));
  return {};
}

Result<void> LocalCluster::startNodes(ControlPlane& plane, const Clock& clock) {
  if (state_->options.runtime == RuntimeKind::cri) {
    STEER_CHECK(state_->startAgents(plane));
    return state_->startProxy(plane, clock);
  }
  FleetOptions fleet;
  fleet.nodes = state_->options.nodes;
  if (!state_->options.capacity.empty()) fleet.capacity = state_->options.capacity;
  state_->fleet = std::make_unique<SimFleet>(plane.client(), fleet);
  state_->threads.push_back(std::make_unique<LoopThread>(*state_->fleet, clock));
  return {};
}

void LocalCluster::stop() {
  for (auto& thread : state_->threads) thread->stop();
  state_->threads.clear();
  if (state_->agents) {
    state_->agents->stopWithPods(seconds(60));
    state_->agents.reset();
  }
  if (state_->network) {
    removeCgroups(state_->facts.tag);
    if (const auto destroyed = state_->network->destroy(); !destroyed.ok())
      log::error("the nodes' networks cannot be removed", {{"error", destroyed.error().message}});
  }
}

}  // namespace steer::cli
