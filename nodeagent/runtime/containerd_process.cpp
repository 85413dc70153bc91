#include "nodeagent/runtime/containerd_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <condition_variable>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <sstream>
#include <thread>
#include <vector>

#include "core/barrier.h"
#include "core/child.h"
#include "core/log.h"
#include "nodeagent/runtime/leftovers.h"

namespace steer {
namespace fs = std::filesystem;

namespace {

/// True when a gRPC server answers: it greets a client that sends HTTP/2's preface.
bool answers(const std::string& socketPath) {
  sockaddr_un address{};
  if (socketPath.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::copy(socketPath.begin(), socketPath.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  if (ok) {
    static const std::string preface("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    pollfd reply{fd, POLLIN, 0};
    char first = 0;
    ok = send(fd, preface.data(), preface.size(), MSG_NOSIGNAL) == static_cast<ssize_t>(preface.size()) &&
         poll(&reply, 1, 200) == 1 && recv(fd, &first, 1, 0) == 1;
  }
  close(fd);
  return ok;
}

/// A process for as long as the machine is up: ids are given again, but not with the same start time.
struct ProcessIdentity {
  pid_t pid = 0;
  std::string started;  ///< clock ticks since boot
};

/// "" when it is gone or only waits to be reaped.
std::string startTimeOf(pid_t pid) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/stat");
  const std::string stat((std::istreambuf_iterator<char>(in)), {});
  const auto end = stat.rfind(')');  // the name before it may hold anything
  if (end == std::string::npos) return "";
  std::istringstream rest(stat.substr(end + 1));
  std::string word;
  rest >> word;
  if (word == "Z" || word == "X") return "";
  for (int field = 4; field <= 22; ++field) rest >> word;
  return word;
}

bool lives(const ProcessIdentity& who) {
  return who.pid > 1 && !who.started.empty() && startTimeOf(who.pid) == who.started;
}

std::optional<ProcessIdentity> readIdentity(const std::string& file) {
  std::ifstream in(file);
  ProcessIdentity who;
  if (in >> who.pid >> who.started && lives(who)) return who;
  return std::nullopt;
}

Result<void> writeText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return makeError(Errc::io, "cannot write " + path);
  return {};
}

}  // namespace

struct ContainerdProcess::State {
  ContainerdOptions options;
  std::string runDir, socketPath, configPath, pidFile;
  std::mutex mutex;
  std::condition_variable cv;
  bool stopping = false;
  std::optional<Child> child;  ///< started by us
  ProcessIdentity identity;    ///< of ours, or of the one an earlier agent started
  std::thread watcher;

  bool alive() {
    if (child) return !child->poll().has_value();
    return lives(identity);
  }

  Result<void> launch() {
    ChildSpec spec;
    spec.argv = {"containerd", "--config", configPath};
    spec.outFile = options.dir + "/containerd.log";
    spec.newSession = true;
    STEER_TRY(child, Child::start(spec));
    identity = {child->pid(), startTimeOf(child->pid())};
    return writeText(pidFile, std::to_string(identity.pid) + " " + identity.started + "\n");
  }

  Result<void> waitUntilItAnswers() {
    const Deadline deadline{options.patience};
    while (!answers(socketPath)) {
      if (!alive())
        return makeError(Errc::unavailable, "containerd ended while starting; see " + options.dir + "/containerd.log");
      if (deadline.passed())
        return makeError(Errc::timeout, "containerd does not answer; see " + options.dir + "/containerd.log");
      (void)poll(nullptr, 0, 5);
    }
    return {};
  }

  void watch() {
    unsigned failures = 0;
    std::optional<Deadline> trial{seconds{30}};  ///< one that lives so long is no longer a failed start
    std::unique_lock lock(mutex);
    while (!cv.wait_for(lock, milliseconds(100), [this] { return stopping; })) {
      if (alive()) {
        if (trial && trial->passed()) {
          failures = 0;
          trial.reset();
        }
        continue;
      }
      // The first time at once; one that dies at birth waits longer each time.
      const auto pause = failures == 0 ? milliseconds(0) : milliseconds(100) * (1 << std::min(failures, 7u));
      if (cv.wait_for(lock, pause, [this] { return stopping; })) return;
      ++failures;
      trial.emplace(seconds{30});
      log::warn("containerd ended and is started again", {{"dir", options.dir}});
      if (const auto launched = launch(); !launched.ok())
        log::error("containerd cannot be started", {{"error", launched.error().message}});
    }
  }

  void stopWatching() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    cv.notify_all();
    if (watcher.joinable()) watcher.join();
  }
};

ContainerdProcess::ContainerdProcess(std::unique_ptr<State> state) : state_(std::move(state)) {}

ContainerdProcess::~ContainerdProcess() { state_->stopWatching(); }

Result<std::unique_ptr<ContainerdProcess>> ContainerdProcess::start(ContainerdOptions options) {
  auto state = std::make_unique<State>();
  state->options = std::move(options);
  // A socket's path may have 107 bytes, a data directory more.
  state->runDir = "/run/steersman/" + state->options.tag;
  state->socketPath = state->runDir + "/containerd.sock";
  state->configPath = state->options.dir + "/containerd.toml";
  state->pidFile = state->options.dir + "/containerd.pid";
  std::error_code ec;
  for (const auto& dir : {state->runDir, state->options.dir + "/containerd/root", state->options.dir + "/cni/conf",
                          state->options.dir + "/cni/state", state->options.dir + "/certs"}) {
    fs::create_directories(dir, ec);
    if (ec) return makeError(Errc::io, "cannot make " + dir + ": " + ec.message());
  }
  STEER_CHECK(writeText(state->configPath, containerdConfig(state->options, state->runDir)));
  if (const auto left = readIdentity(state->pidFile)) state->identity = *left;
  else STEER_CHECK(state->launch());
  STEER_CHECK(state->waitUntilItAnswers());
  state->watcher =
      std::thread([raw = state.get()] { barrier::keepRunning("the watch over containerd", [raw] { raw->watch(); }); });
  return std::unique_ptr<ContainerdProcess>(new ContainerdProcess(std::move(state)));
}

const std::string& ContainerdProcess::socket() const { return state_->socketPath; }
std::string ContainerdProcess::cniConfDir() const { return state_->options.dir + "/cni/conf"; }
std::string ContainerdProcess::cniStateDir() const { return state_->options.dir + "/cni/state"; }

pid_t ContainerdProcess::pid() const {
  std::lock_guard lock(state_->mutex);
  return state_->alive() ? state_->identity.pid : 0;
}

Result<void> ContainerdProcess::stop() {
  state_->stopWatching();
  const auto end = [this](int signal, Duration atMost) {
    const Deadline deadline{atMost};
    if (state_->alive()) kill(state_->identity.pid, signal);
    while (state_->alive() && !deadline.passed()) (void)poll(nullptr, 0, 10);
  };
  end(SIGTERM, seconds{10});
  end(SIGKILL, seconds{5});
  if (state_->alive())
    return makeError(Errc::timeout, "containerd " + std::to_string(state_->identity.pid) + " does not end");
  STEER_CHECK(removeLeftovers({state_->socketPath, {state_->runDir, state_->options.dir}, state_->options.cgroup}));
  std::error_code ec;
  fs::remove_all(state_->runDir, ec);
  fs::remove(state_->pidFile, ec);
  return {};
}

}  // namespace steer
