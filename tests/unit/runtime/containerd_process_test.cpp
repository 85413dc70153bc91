#include "nodeagent/runtime/containerd_process.h"

#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/child.h"
#include "nodeagent/runtime/leftovers.h"
#include "tests/source_path.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

/// A node's directory, removed afterwards with the containerd in it.
class NodeDir {
 public:
  NodeDir() {
    if (::geteuid() != 0 || !runCommand({{"containerd", "--version"}}).ok()) {
      std::puts("skipped: containerd and root are needed");
      std::fflush(stdout);
      std::_Exit(77);
    }
    std::string pattern = "/tmp/steer-containerd-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
    options.dir = path_;
    options.tag = "test-" + path_.substr(path_.size() - 6);
  }
  ~NodeDir() {
    if (auto left = ContainerdProcess::start(options); left.ok()) (void)(*left)->stop();
    std::error_code ec;
    fs::remove_all(path_, ec);
  }
  std::unique_ptr<ContainerdProcess> start() {
    auto started = ContainerdProcess::start(options);
    INFO((started.ok() ? "" : started.error().message));
    REQUIRE(started.ok());
    return std::move(*started);
  }
  const std::string& path() const { return path_; }
  ContainerdOptions options;

 private:
  std::string path_;
};

bool serves(const ContainerdProcess& c) { return runChecked({{"ctr", "-a", c.socket(), "version"}}).ok(); }

/// Waits for what a supervisor does by itself.
template <class Condition>
bool soon(Condition condition) {
  const Deadline end{seconds{10}};
  while (!condition())
    if (end.passed()) return false;
  return true;
}

}  // namespace

TEST_CASE("a containerd answers when start returns, and is gone with all it had after stop") {
  NodeDir dir;
  const auto containerd = dir.start();
  CHECK(serves(*containerd));
  const pid_t pid = containerd->pid();
  REQUIRE(pid > 0);
  REQUIRE(containerd->stop().ok());
  CHECK(::kill(pid, 0) != 0);
  CHECK_FALSE(fs::exists(containerd->socket()));
}

TEST_CASE("a containerd that is killed comes back") {
  NodeDir dir;
  const auto containerd = dir.start();
  const pid_t first = containerd->pid();
  ::kill(first, SIGKILL);
  CHECK(soon([&] { return containerd->pid() != first && containerd->pid() != 0 && serves(*containerd); }));
}

TEST_CASE("the next supervisor adopts a running containerd instead of starting another") {
  NodeDir dir;
  pid_t first = 0;
  {
    const auto containerd = dir.start();
    first = containerd->pid();
  }
  CHECK(::kill(first, 0) == 0);
  const auto next = dir.start();
  CHECK(next->pid() == first);
  ::kill(first, SIGKILL);  // also an adopted one is watched
  CHECK(soon([&] { return next->pid() != first && next->pid() != 0 && serves(*next); }));
}

TEST_CASE("a process that was given the old one's id is not mistaken for it") {
  NodeDir dir;
  fs::create_directories(dir.path());
  std::ofstream(dir.path() + "/containerd.pid") << ::getpid() << " 12345\n";
  const auto containerd = dir.start();
  CHECK(containerd->pid() != ::getpid());
  CHECK(serves(*containerd));
}

TEST_CASE("a data directory with a long name is no hindrance") {
  NodeDir dir;
  dir.options.dir += "/" + std::string(90, 'd') + "/" + std::string(90, 'e');
  const auto containerd = dir.start();
  CHECK(serves(*containerd));
  CHECK(containerd->stop().ok());
}

TEST_CASE("a containerd that cannot start says where its log is") {
  NodeDir dir;
  dir.options.patience = seconds{5};
  fs::create_directories(dir.path() + "/containerd");
  std::ofstream(dir.path() + "/containerd/root") << "a file in the way";
  const auto started = ContainerdProcess::start(dir.options);
  REQUIRE_FALSE(started.ok());
  fs::remove(dir.path() + "/containerd/root");
}

TEST_CASE("images of a folder are imported, run, and come back when they were removed") {
  NodeDir dir;
  const std::string images = dir.path() + "/images";
  const auto made = runCommand({{sourcePath("scripts/images"), images}}, "", minutes{2});
  REQUIRE(made.ok());
  INFO(made->err);
  REQUIRE(made->code == 0);
  const auto containerd = dir.start();
  REQUIRE(containerd->importImages(images).ok());
  const auto list = [&] {
    return runChecked({{"ctr", "-a", containerd->socket(), "-n", "k8s.io", "images", "ls", "-q"}}).valueOr("");
  };
  for (const auto* name : {"registry.local/pause:1", "registry.local/busybox:1", "registry.local/redis:7",
                           "registry.local/guestbook-web:v1", "registry.local/guestbook-web:v2"})
    CHECK(list().find(name) != std::string::npos);
  (void)runChecked({{"ctr", "-a", containerd->socket(), "-n", "k8s.io", "images", "rm", "registry.local/busybox:1"}});
  CHECK(list().find("busybox") == std::string::npos);
  CHECK(containerd->importImages(images).ok());
  CHECK(list().find("busybox") != std::string::npos);
  CHECK_FALSE(containerd->importImages(images + "/none").ok());
  // A container of it runs: programs, libraries and loader are all there.
  const auto ran = runCommand({{"ctr", "-a", containerd->socket(), "-n", "k8s.io", "run", "--rm",
                                "registry.local/redis:7", "t1", "/bin/redis-cli", "--version"}},
                              "", seconds{30});
  REQUIRE(ran.ok());
  INFO(ran->out << ran->err);
  CHECK(ran->out.find("redis-cli 7") != std::string::npos);
}

TEST_CASE("leftovers: mounts below the folders and processes in the control group go, others stay") {
  NodeDir dir;
  const std::string group = "/steer-test-" + std::to_string(::getpid());
  const std::string folder = "/sys/fs/cgroup/pids" + group + "/pod";
  std::error_code ec;
  if (!fs::create_directories(folder, ec)) return;  // version 2 only: covered by the same code path elsewhere
  auto child = Child::start({{"sleep", "60"}});
  auto other = Child::start({{"sleep", "60"}});
  REQUIRE(child.ok());
  std::ofstream(folder + "/cgroup.procs") << child->pid() << std::flush;
  const std::string inside = dir.path() + "/a b", outside = dir.path() + "x";
  fs::create_directories(inside);
  fs::create_directories(outside);
  REQUIRE(::mount("tmpfs", inside.c_str(), "tmpfs", 0, "size=1m") == 0);
  REQUIRE(::mount("tmpfs", outside.c_str(), "tmpfs", 0, "size=1m") == 0);
  const auto mounted = [](std::string path) {
    for (std::size_t at = 0; (at = path.find(' ', at)) != std::string::npos;) path.replace(at, 1, "\\040");
    std::stringstream text;
    text << std::ifstream("/proc/self/mountinfo").rdbuf();
    return text.str().find(" " + path + " ") != std::string::npos;
  };
  CHECK(mounted(inside));
  CHECK(removeLeftovers({dir.path() + "/none.sock", {dir.path()}, group}).ok());
  CHECK(child->wait(seconds{5}) == 128 + SIGKILL);
  CHECK_FALSE(other->poll());
  CHECK_FALSE(fs::exists("/sys/fs/cgroup/pids" + group));
  CHECK_FALSE(mounted(inside));
  CHECK(mounted(outside));
  ::umount2(outside.c_str(), MNT_DETACH);
  fs::remove(outside);
  other->signal(SIGKILL);
  CHECK_FALSE(removeLeftovers({"", {}, "/"}).ok());
}
