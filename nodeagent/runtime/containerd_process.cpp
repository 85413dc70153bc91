#include "nodeagent/runtime/containerd_process.h"

#include <signal.h>
#include <sys/mount.h>
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

#include "core/child.h"
#include "core/log.h"

namespace steer {
namespace fs = std::filesystem;

namespace {

bool answers(const std::string& socketPath) {
  sockaddr_un address{};
  if (socketPath.size() >= sizeof address.sun_path) return false;
  address.sun_family = AF_UNIX;
  std::copy(socketPath.begin(), socketPath.end(), address.sun_path);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool ok = connect(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  close(fd);
  return ok;
}

/// The process is a containerd with this configuration; a pid may have been given to somebody else.
bool isOurs(pid_t pid, const std::string& configPath) {
  std::ifstream in("/proc/" + std::to_string(pid) + "/cmdline", std::ios::binary);
  const std::string line((std::istreambuf_iterator<char>(in)), {});
  return line.find("containerd") != std::string::npos && line.find(configPath) != std::string::npos;
}

std::optional<pid_t> readPid(const std::string& file) {
  std::ifstream in(file);
  pid_t pid = 0;
  if (in >> pid && pid > 1) return pid;
  return std::nullopt;
}

Result<void> writeText(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::trunc);
  out << text;
  out.close();
  if (!out) return makeError(Errc::io, "cannot write " + path);
  return {};
}

/// Mount points below a folder, deepest first.
std::vector<std::string> mountsBelow(const std::string& folder) {
  std::ifstream in("/proc/self/mountinfo");
  std::vector<std::string> out;
  for (std::string line; std::getline(in, line);) {
    std::istringstream fields(line);
    std::string skip, point;
    fields >> skip >> skip >> skip >> skip >> point;
    if (point.starts_with(folder + "/")) out.push_back(point);
  }
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
  return out;
}

}  // namespace

struct ContainerdProcess::State {
  ContainerdOptions options;
  std::string runDir, socketPath, configPath, pidFile;
  std::mutex mutex;
  std::condition_variable cv;
  bool stopping = false;
  std::optional<Child> child;    ///< started by us
  std::optional<pid_t> adopted;  ///< started by an earlier agent
  std::thread watcher;

  bool alive() {
    if (child) return !child->poll().has_value();
    return adopted && isOurs(*adopted, configPath);
  }

  Result<void> launch() {
    ChildSpec spec;
    spec.argv = {"containerd", "--config", configPath};
    spec.outFile = options.dir + "/containerd.log";
    spec.newSession = true;
    STEER_TRY(child, Child::start(spec));
    adopted.reset();
    return writeText(pidFile, std::to_string(child->pid()) + "\n");
  }

  Result<void> waitUntilItAnswers() {
    const auto deadline = std::chrono::steady_clock::now() + options.patience;
    while (!answers(socketPath)) {
      if (!alive())
        return makeError(Errc::unavailable, "containerd ended while starting; see " + options.dir + "/containerd.log");
      if (std::chrono::steady_clock::now() > deadline)
        return makeError(Errc::timeout, "containerd does not answer; see " + options.dir + "/containerd.log");
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return {};
  }

  void watch() {
    int failures = 0;
    std::unique_lock lock(mutex);
    while (!cv.wait_for(lock, std::chrono::milliseconds(100), [this] { return stopping; })) {
      if (alive()) {
        failures = 0;
        continue;
      }
      log::warn("containerd ended and is started again", {{"dir", options.dir}});
      if (const auto launched = launch(); !launched.ok())
        log::error("containerd cannot be started", {{"error", launched.error().message}});
      const auto pause = std::chrono::milliseconds(100) * (1 << std::min(failures++, 6));
      cv.wait_for(lock, pause, [this] { return stopping; });
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
  const auto left = readPid(state->pidFile);
  if (left && isOurs(*left, state->configPath)) state->adopted = left;
  else STEER_CHECK(state->launch());
  STEER_CHECK(state->waitUntilItAnswers());
  state->watcher = std::thread([raw = state.get()] { raw->watch(); });
  return std::unique_ptr<ContainerdProcess>(new ContainerdProcess(std::move(state)));
}

const std::string& ContainerdProcess::socket() const { return state_->socketPath; }
std::string ContainerdProcess::cniConfDir() const { return state_->options.dir + "/cni/conf"; }
std::string ContainerdProcess::cniStateDir() const { return state_->options.dir + "/cni/state"; }

void ContainerdProcess::stop() {
  state_->stopWatching();
  const auto pid = state_->child ? std::optional<pid_t>(state_->child->pid()) : state_->adopted;
  if (pid && isOurs(*pid, state_->configPath)) {
    kill(*pid, SIGTERM);
    for (int i = 0; i < 100 && state_->alive(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
    if (state_->alive()) kill(*pid, SIGKILL);
    for (int i = 0; i < 40 && state_->alive(); ++i) std::this_thread::sleep_for(std::chrono::milliseconds(50));
  }
  for (const auto& folder : {state_->runDir, state_->options.dir})
    for (const auto& point : mountsBelow(folder)) umount2(point.c_str(), MNT_DETACH);
  std::error_code ec;
  fs::remove_all(state_->runDir, ec);
  fs::remove(state_->pidFile, ec);
}

Result<void> ContainerdProcess::importImages(const std::string& folder) {
  const std::vector<std::string> ctr{"ctr", "--address", state_->socketPath, "--namespace", "k8s.io", "images"};
  auto command = [&](std::initializer_list<std::string> more) {
    ChildSpec spec;
    spec.argv = ctr;
    spec.argv.insert(spec.argv.end(), more);
    return spec;
  };
  // What was imported is remembered by file name, size and time, because listing names alone would
  // miss a rebuilt image.
  const std::string seenFile = state_->options.dir + "/imported-images";
  std::ifstream in(seenFile);
  std::string seen((std::istreambuf_iterator<char>(in)), {});
  std::error_code ec;
  std::vector<fs::path> archives;
  for (const auto& entry : fs::directory_iterator(folder, ec))
    if (entry.path().extension() == ".tar") archives.push_back(entry.path());
  if (ec) return makeError(Errc::io, "cannot read " + folder + ": " + ec.message());
  std::sort(archives.begin(), archives.end());
  for (const auto& archive : archives) {
    const auto stamp = archive.filename().string() + " " + std::to_string(fs::file_size(archive, ec)) + " " +
                       std::to_string(fs::last_write_time(archive, ec).time_since_epoch().count()) + "\n";
    if (seen.find(stamp) != std::string::npos) continue;
    STEER_TRY(const auto output, runChecked(command({"import", archive.string()}), "", seconds(120)));
    seen += stamp;
    STEER_CHECK(writeText(seenFile, seen));
  }
  return {};
}

}  // namespace steer
