#include "nodeagent/agent/machine_facts.h"

#include <sys/statvfs.h>
#include <sys/utsname.h>

#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

#include "core/quantity.h"
#include "core/version.h"

namespace steer {

namespace {

constexpr std::int64_t kKept = 100LL * 1024 * 1024;  ///< memory that pods do not get
constexpr std::int64_t kLeastMemory = 100LL * 1024 * 1024;
constexpr int kLeastDiskPercent = 5;

std::string firstLine(const char* path) {
  std::ifstream in(path);
  std::string line;
  std::getline(in, line);
  return line;
}

/// Bytes of one row of /proc/meminfo; 0 when absent.
std::int64_t memoryRow(std::string_view name) {
  std::ifstream in("/proc/meminfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key;
    std::int64_t kib = 0;
    words >> key >> kib;
    if (key == std::string(name) + ":") return kib * 1024;
  }
  return 0;
}

std::string osImage() {
  std::ifstream in("/etc/os-release");
  for (std::string line; std::getline(in, line);) {
    if (!line.starts_with("PRETTY_NAME=")) continue;
    auto value = line.substr(12);
    std::erase(value, '"');
    return value;
  }
  return "Linux";
}

DnsConfig nodeResolver() {
  DnsConfig out;
  std::ifstream in("/etc/resolv.conf");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string key;
    words >> key;
    const std::vector<std::string> rest{std::istream_iterator<std::string>(words), {}};
    if (key == "nameserver" && !rest.empty()) out.servers.push_back(rest.front());
    if (key == "search") out.searches = rest;
    if (key == "options") out.options = rest;
  }
  return out;
}

std::string kibText(std::int64_t bytes) { return std::to_string(bytes / 1024) + "Ki"; }

}  // namespace

MachineFacts machineFacts(const AgentOptions& options) {
  MachineFacts out;
  out.memoryBytes = options.simulated ? 8LL << 30 : memoryRow("MemTotal");
  const unsigned cpus = options.simulated ? 4 : std::max(1U, std::thread::hardware_concurrency());
  out.capacity = {{"cpu", std::to_string(cpus)}, {"memory", kibText(out.memoryBytes)}, {"pods", "110"}};
  struct statvfs fs {};
  if (!options.simulated && statvfs(options.rootDir.c_str(), &fs) == 0)
    out.capacity["ephemeral-storage"] = kibText(static_cast<std::int64_t>(fs.f_blocks * fs.f_frsize));
  out.allocatable = out.capacity;
  out.allocatable["memory"] = kibText(options.simulated ? out.memoryBytes : out.memoryBytes - kKept);
  for (const auto& [resource, amount] : options.capacity) {
    out.capacity[resource] = amount;
    out.allocatable[resource] = amount;
  }
  if (const auto given = options.capacity.find("memory"); given != options.capacity.end())
    if (const auto quantity = Quantity::parse(given->second); quantity.ok()) out.memoryBytes = quantity->units();
  struct utsname uts {};
  uname(&uts);
  const std::string machine = uts.machine;
  out.nodeInfo = {{"machineID", options.simulated ? "" : firstLine("/etc/machine-id")},
                  {"systemUUID", ""},
                  {"bootID", options.simulated ? "" : firstLine("/proc/sys/kernel/random/boot_id")},
                  {"kernelVersion", std::string(uts.release)},
                  {"osImage", osImage()},
                  {"kubeletVersion", kKubernetesVersion},
                  {"kubeProxyVersion", kKubernetesVersion},
                  {"operatingSystem", "linux"},
                  {"architecture", machine == "x86_64"    ? "amd64"
                                   : machine == "aarch64" ? "arm64"
                                                          : machine}};
  if (!options.simulated) out.resolver = nodeResolver();
  return out;
}

MachinePressure machinePressure(const std::string& rootDir) {
  MachinePressure out;
  const auto available = memoryRow("MemAvailable");
  out.memory = available > 0 && available < kLeastMemory;
  struct statvfs fs {};
  if (statvfs(rootDir.c_str(), &fs) == 0 && fs.f_blocks > 0)
    out.disk = fs.f_bavail * 100 / fs.f_blocks < static_cast<fsblkcnt_t>(kLeastDiskPercent);
  return out;
}

}  // namespace steer
