// Control groups in trees that look like a machine's.
#include "nodeagent/runtime/cgroups.h"

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct Tree {
  fs::path root;
  Tree() {
    char name[] = "/tmp/steer-cgroup-XXXXXX";
    root = mkdtemp(name);
  }
  ~Tree() { fs::remove_all(root); }
  Tree(const Tree&) = delete;
  Tree& operator=(const Tree&) = delete;
  std::string text(const std::string& path) const {
    std::ifstream in(root / path);
    return std::string(std::istreambuf_iterator<char>(in), {});
  }
};

LinuxResources half() {
  LinuxResources out;
  out.cpuShares = 512;
  out.cpuPeriod = 100'000;
  out.cpuQuota = 50'000;
  out.memoryLimit = 67'108'864;
  return out;
}

}  // namespace

TEST_CASE("version 2: one tree, whose groups hand controllers down and hold weights and maxima") {
  Tree tree;
  // The kernel shows each group what it was handed; a controller that is not there is not asked for.
  for (const auto* above : {"", "steer", "steer/a", "steer/a/n1", "steer/a/n1/burstable"}) {
    fs::create_directories(tree.root / above);
    std::ofstream(tree.root / above / "cgroup.controllers") << "cpu memory pids rdma\n";
  }
  const auto groups = Cgroups::at(tree.root);
  CHECK(groups.version() == CgroupVersion::v2);
  REQUIRE(groups.limit("/steer/a/n1/burstable/podu1", half()).ok());
  for (const auto* above : {"", "steer/", "steer/a/", "steer/a/n1/", "steer/a/n1/burstable/"})
    CHECK(tree.text(std::string(above) + "cgroup.subtree_control") == "+cpu +memory +pids");
  CHECK_FALSE(fs::exists(tree.root / "steer/a/n1/burstable/podu1/cgroup.subtree_control"));
  CHECK(tree.text("steer/a/n1/burstable/podu1/cpu.weight") == "20");
  CHECK(tree.text("steer/a/n1/burstable/podu1/cpu.max") == "50000 100000");
  CHECK(tree.text("steer/a/n1/burstable/podu1/memory.max") == "67108864");
}

TEST_CASE("version 1: a folder in each controller's own tree, also where two are mounted as one") {
  Tree tree;
  fs::create_directories(tree.root / "cpu,cpuacct");
  fs::create_directories(tree.root / "memory");
  const auto groups = Cgroups::at(tree.root);
  CHECK(groups.version() == CgroupVersion::v1);
  REQUIRE(groups.limit("/steer/a/n1/podu1", half()).ok());
  CHECK(tree.text("cpu,cpuacct/steer/a/n1/podu1/cpu.shares") == "512");
  CHECK(tree.text("cpu,cpuacct/steer/a/n1/podu1/cpu.cfs_quota_us") == "50000");
  CHECK(tree.text("memory/steer/a/n1/podu1/memory.limit_in_bytes") == "67108864");
}

TEST_CASE("removing a group takes the empty groups below it, and never more than a group of ours") {
  Tree tree;
  fs::create_directories(tree.root / "memory/steer/a/podu1/c1");
  fs::create_directories(tree.root / "memory/steer/a/podu2");
  const auto groups = Cgroups::at(tree.root);
  REQUIRE(groups.remove("/steer/a/podu1").ok());
  CHECK_FALSE(fs::exists(tree.root / "memory/steer/a/podu1"));
  CHECK(fs::exists(tree.root / "memory/steer/a/podu2"));
  CHECK(groups.remove("/steer/a/podu1").ok());
  for (const auto* wrong : {"/", "", "/..", "../x"}) CHECK_FALSE(groups.remove(wrong).ok());
}
