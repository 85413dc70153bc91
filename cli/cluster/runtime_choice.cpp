#include "cli/cluster/runtime_choice.h"

#include <unistd.h>

#include <filesystem>
#include <sstream>

#include "core/folder.h"
#include "core/quantity.h"

namespace steer::cli {
namespace {

bool onPath(const char* program) {
  const char* path = std::getenv("PATH");
  std::istringstream dirs(std::string(path == nullptr ? "" : path) + ":/usr/sbin:/sbin:/usr/local/sbin");
  std::string dir;
  while (std::getline(dirs, dir, ':'))
    if (!dir.empty() && access((dir + "/" + program).c_str(), X_OK) == 0) return true;
  return false;
}

std::string joined(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "" : ", ") + word;
  return out;
}

}  // namespace

std::vector<std::string> missingForContainers() {
  std::vector<std::string> missing;
  if (geteuid() != 0) missing.emplace_back("root");
  for (const char* program : {"containerd", "runc", "ip", "ctr"})
    if (!onPath(program)) missing.emplace_back(program);
  if (!fileExists("/usr/lib/cni/bridge") && !fileExists("/opt/cni/bin/bridge")) missing.emplace_back("CNI plugins");
  return missing;
}

Result<RuntimeChoice> chooseRuntime(const std::string& wanted) {
  if (wanted == "sim") return RuntimeChoice{RuntimeKind::sim, ""};
  const auto missing = missingForContainers();
  if (missing.empty()) return RuntimeChoice{RuntimeKind::cri, ""};
  if (wanted == "cri")
    return makeError(Errc::unavailable,
                     "real containers need " + joined(missing) + ", missing here; install them or use --runtime sim");
  return RuntimeChoice{RuntimeKind::sim, joined(missing)};
}

Result<std::vector<std::pair<std::string, std::string>>> parseCapacity(const std::string& text) {
  std::vector<std::pair<std::string, std::string>> out;
  std::istringstream parts(text);
  std::string part;
  while (std::getline(parts, part, ',')) {
    const auto eq = part.find('=');
    if (eq == std::string::npos || eq == 0 || !Quantity::parse(part.substr(eq + 1)).ok())
      return makeError(Errc::badRequest,
                       "--node-capacity: cannot read \"" + part + "\"; write for example cpu=4,memory=8Gi,pods=110");
    out.emplace_back(part.substr(0, eq), part.substr(eq + 1));
  }
  return out;
}

}  // namespace steer::cli
