#include "cli/cluster/local_agents.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <fstream>
#include <mutex>
#include <thread>

#include "core/barrier.h"
#include "core/child.h"
#include "core/log.h"

namespace steer::cli {
namespace {

constexpr auto kLook = std::chrono::milliseconds(200);

std::string selfPath() {
  std::string path(4096, '\0');
  const auto n = readlink("/proc/self/exe", path.data(), path.size());
  path.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return path;
}

/// The process still is an agent of this node (a pid may have been given to somebody else).
bool isAgentOf(pid_t pid, const std::string& nodeName) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  std::string line((std::istreambuf_iterator<char>(in)), {});
  std::replace(line.begin(), line.end(), '\0', ' ');
  return line.find(" agent ") != std::string::npos && line.find("--node-name " + nodeName + " ") != std::string::npos;
}

void endLeftover(const std::string& pidFile, const std::string& nodeName) {
  std::ifstream in(pidFile);
  pid_t pid = 0;
  if (!(in >> pid) || pid <= 1 || !isAgentOf(pid, nodeName)) return;
  kill(pid, SIGTERM);
  for (int i = 0; i < 50 && isAgentOf(pid, nodeName); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(100));
  if (isAgentOf(pid, nodeName)) kill(pid, SIGKILL);
}

}  // namespace

struct LocalAgents::State {
  struct Agent {
    LocalAgentSpec spec;
    std::string pidFile;
    std::optional<Child> child;
    int failures = 0;
    std::chrono::steady_clock::time_point startedAt{};
    std::chrono::steady_clock::time_point restartAt{};
  };

  std::string binary = selfPath();
  std::vector<Agent> agents;
  std::mutex mutex;
  std::condition_variable cv;
  bool stopping = false;
  std::thread watcher;

  Result<void> launch(Agent& agent) {
    ChildSpec child;
    child.argv = {binary, "agent", "--node-name", agent.spec.nodeName};
    child.argv.insert(child.argv.end(), agent.spec.arguments.begin(), agent.spec.arguments.end());
    child.netns = agent.spec.netns;
    child.outFile = agent.spec.logFile;
    child.newSession = true;
    STEER_TRY(agent.child, Child::start(child));
    agent.startedAt = std::chrono::steady_clock::now();
    std::ofstream(agent.pidFile, std::ios::trunc) << agent.child->pid() << "\n";
    return {};
  }

  void watch() {
    std::unique_lock lock(mutex);
    while (!cv.wait_for(lock, kLook, [this] { return stopping; })) {
      const auto now = std::chrono::steady_clock::now();
      for (auto& agent : agents) {
        if (agent.child && !agent.child->poll()) continue;
        if (agent.child) {
          if (now - agent.startedAt > std::chrono::seconds(30)) agent.failures = 0;
          agent.restartAt = now + std::chrono::milliseconds(200) * (1 << std::min(agent.failures++, 6));
          agent.child.reset();
          log::warn("a node's agent ended and will be started again", {{"node", agent.spec.nodeName}});
        }
        if (now < agent.restartAt) continue;
        if (const auto launched = launch(agent); !launched.ok()) {
          agent.restartAt = now + std::chrono::seconds(5);
          log::error("a node's agent cannot be started",
                     {{"node", agent.spec.nodeName}, {"error", launched.error().message}});
        }
      }
    }
  }

  void endAll(int signalNumber, Duration atMost) {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    cv.notify_all();
    if (watcher.joinable()) watcher.join();
    for (auto& agent : agents)
      if (agent.child) agent.child->signal(signalNumber);
    const auto deadline = std::chrono::steady_clock::now() + atMost;
    for (auto& agent : agents) {
      if (!agent.child) continue;
      const auto left = std::chrono::duration_cast<Duration>(deadline - std::chrono::steady_clock::now());
      if (!agent.child->wait(std::max(left, Duration{milliseconds(100)}))) {
        agent.child->signal(SIGKILL);
        (void)agent.child->wait(seconds(5));
      }
      agent.child.reset();
      unlink(agent.pidFile.c_str());
    }
  }
};

LocalAgents::LocalAgents(std::unique_ptr<State> state) : state_(std::move(state)) {}

LocalAgents::~LocalAgents() { state_->endAll(SIGTERM, seconds(10)); }

Result<std::unique_ptr<LocalAgents>> LocalAgents::start(std::vector<LocalAgentSpec> specs, const std::string& pidDir) {
  auto agents = std::unique_ptr<LocalAgents>(new LocalAgents(std::make_unique<State>()));
  for (auto& spec : specs) {
    State::Agent agent;
    agent.pidFile = pidDir + "/" + spec.nodeName + ".pid";
    endLeftover(agent.pidFile, spec.nodeName);
    agent.spec = std::move(spec);
    STEER_CHECK(agents->state_->launch(agent));
    agents->state_->agents.push_back(std::move(agent));
  }
  agents->state_->watcher = std::thread(
      [state = agents->state_.get()] { barrier::keepRunning("the watch over agents", [state] { state->watch(); }); });
  return agents;
}

void LocalAgents::stopWithPods(Duration atMost) { state_->endAll(SIGINT, atMost); }

}  // namespace steer::cli
