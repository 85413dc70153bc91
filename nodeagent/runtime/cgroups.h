#pragma once
// Cgroups: the control groups of pods, in every hierarchy of version 1 and in version 2. Thread rule: stateless.
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"
#include "nodeagent/pod/pod_cgroup.h"

namespace steer {

class Cgroups {
 public:
  /// What this machine has mounted.
  static Cgroups ofMachine();
  /// A tree as /sys/fs/cgroup: version 2 when it holds cgroup.controllers, else a folder for each controller.
  static Cgroups at(const std::filesystem::path& root);

  CgroupVersion version() const { return version_; }
  /// Makes the group (and those above it) and limits it. Version 2: the groups above hand their controllers down.
  /// Errors: io naming the file.
  Result<void> limit(const std::string& group, const LinuxResources& resources) const;
  /// Removes the group (and the empty groups below it) from every hierarchy; what is not there is no
  /// error. Errors: io when processes are still in it.
  Result<void> remove(const std::string& group) const;

 private:
  Cgroups(CgroupVersion version, std::vector<std::filesystem::path> roots) : version_(version), roots_(roots) {}
  std::filesystem::path rootOf(const std::string& controller) const;

  CgroupVersion version_;
  std::vector<std::filesystem::path> roots_;  ///< version 2: one; version 1: one for each hierarchy
};

}  // namespace steer
