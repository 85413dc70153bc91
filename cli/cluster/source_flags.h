#pragma once
// The flags that `steer up` and `steer server` share: what is followed (--repo, --branch, --path), how it is reached,
// what the tenants of the cluster may, and what of the control plane runs.
#include <string>
#include <vector>

#include "cli/command_line.h"
#include "cluster/apiserver/admission/pod_security.h"
#include "reconciler/git/git_source.h"

namespace steer::cli {

struct SourceFlags {
  std::string repo;
  std::string branch;
  std::string path;
  std::string sshKey;
  std::string knownHosts;
  std::string tokenFile;
  int intervalSeconds = 15;

  std::vector<std::string> allowed{};
  std::string podSecurity = "privileged";
  std::string controllers = "*";
  std::string disabledAdmission{};
  bool acceptLoss = false;
  PodSecurityLevel podSecurityDefault() const;
  void addTo(const CommandLine& command);
  bool given() const { return !repo.empty(); }
  /// Errors: io when a named file cannot be read.
  Result<SourceOptions> options() const;
};

}  // namespace steer::cli
