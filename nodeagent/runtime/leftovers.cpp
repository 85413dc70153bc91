#include "nodeagent/runtime/leftovers.h"

#include <poll.h>
#include <signal.h>
#include <sys/mount.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "core/clock.h"
#include "core/folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

/// The arguments of a process; empty when it is gone.
std::vector<std::string> argumentsOf(const std::string& pid) {
  std::ifstream in("/proc/" + pid + "/cmdline", std::ios::binary);
  std::vector<std::string> out;
  for (std::string argument; std::getline(in, argument, '\0');) out.push_back(argument);
  return out;
}

/// Shims are known by the address of the containerd they report to.
std::vector<pid_t> shimsOf(const std::string& socket) {
  std::vector<pid_t> out;
  for (const auto& path : pathsIn("/proc")) {
    const std::string name = path.filename();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    const auto arguments = argumentsOf(name);
    if (arguments.empty() || arguments[0].find("containerd-shim") == std::string::npos) continue;
    const auto address = std::find(arguments.begin(), arguments.end(), "-address");
    if (address != arguments.end() && address + 1 != arguments.end() && *(address + 1) == socket) out.push_back(pid);
  }
  return out;
}

/// The group's folder in every mounted hierarchy (version 1 controllers and version 2).
std::vector<fs::path> cgroupFolders(const std::string& group) {
  std::vector<fs::path> out;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    const auto dash = line.find(" - cgroup");
    if (dash == std::string::npos) continue;
    std::istringstream words(line);
    std::string skip, at;
    words >> skip >> skip >> skip >> skip >> at;
    std::error_code ec;
    if (const fs::path folder = at + group; fs::is_directory(folder, ec)) out.push_back(folder);
  }
  return out;
}

/// The group and all below it, deepest first.
std::vector<fs::path> groupsBelow(const fs::path& folder) {
  std::vector<fs::path> out{folder};
  std::error_code ec;
  for (auto it = fs::recursive_directory_iterator(folder, ec); !ec && it != fs::recursive_directory_iterator();
       it.increment(ec))
    if (it->is_directory(ec)) out.push_back(it->path());
  std::sort(out.begin(), out.end(), [](const auto& a, const auto& b) { return a.native().size() > b.native().size(); });
  return out;
}

/// One round; true when nothing is left.
bool endGroups(const std::string& group) {
  bool empty = true;
  for (const auto& folder : cgroupFolders(group))
    for (const auto& one : groupsBelow(folder)) {
      std::ifstream procs(one / "cgroup.procs");
      for (pid_t pid = 0; procs >> pid;)
        if (pid > 0) ::kill(pid, SIGKILL);
      std::error_code ec;
      fs::remove(one, ec);
      if (fs::exists(one, ec)) empty = false;
    }
  return empty;
}

/// mountinfo writes spaces and the like as octal escapes.
std::string unescaped(const std::string& text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    unsigned code = 0;
    if (text[i] == '\\' && i + 3 < text.size() &&
        std::from_chars(text.data() + i + 1, text.data() + i + 4, code, 8).ptr == text.data() + i + 4) {
      out += static_cast<char>(code);
      i += 3;
    } else {
      out += text[i];
    }
  }
  return out;
}

/// Mount points below the folders, the latest first.
std::vector<std::string> mountsBelow(const std::vector<std::string>& folders) {
  std::vector<std::string> out;
  std::ifstream in("/proc/self/mountinfo");
  for (std::string line; std::getline(in, line);) {
    std::istringstream words(line);
    std::string skip, at;
    words >> skip >> skip >> skip >> skip >> at;
    at = unescaped(at);
    for (const auto& folder : folders)
      if (at.starts_with(folder + "/")) {
        out.push_back(at);
        break;
      }
  }
  std::reverse(out.begin(), out.end());
  return out;
}

}  // namespace

Result<void> removeLeftovers(const Leftovers& of) {
  const bool group = !of.cgroup.empty();
  if (group && (of.cgroup.size() < 2 || of.cgroup[0] != '/' || of.cgroup.find("..") != std::string::npos))
    return makeError(Errc::internal, "not a control group of ours: " + of.cgroup);
  const Deadline end{seconds{10}};
  for (;;) {
    const auto shims = shimsOf(of.socket);
    for (const pid_t shim : shims) ::kill(shim, SIGKILL);
    const bool groupsGone = !group || endGroups(of.cgroup);
    const auto mounts = mountsBelow(of.folders);
    for (const auto& mount : mounts) ::umount2(mount.c_str(), MNT_DETACH);
    if (shims.empty() && groupsGone && mounts.empty()) return {};
    if (end.passed())
      return makeError(Errc::timeout, "pods left something behind that cannot be removed: " +
                                          (mounts.empty() ? "control group " + of.cgroup : "mount " + mounts[0]));
    (void)::poll(nullptr, 0, 20);
  }
}

}  // namespace steer
