#pragma once
// Where a pod stands in the tree of control groups, and what the groups above its containers are limited to. Pure.
// Layout: NODE/podUID for Guaranteed pods, NODE/burstable/podUID and NODE/besteffort/podUID for the others, so that
// classes share the processor by what they asked for. Source: Kubernetes documentation, "Pod Quality of Service
// Classes", "Reserve Compute Resources" (node allocatable); kernel documentation of cgroup v1 and v2.
#include <string>
#include <vector>

#include "core/object.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

/// "" for Guaranteed, "/burstable", "/besteffort".
std::string qosFolder(const Object& pod);
/// "…/burstable/podUID" below the node's group.
std::string podCgroupOf(const std::string& nodeGroup, const Object& pod);
/// Every place where a pod of this uid may stand: for one whose specification is not known any more.
std::vector<std::string> podCgroupsOf(const std::string& nodeGroup, const std::string& podUid);

/// Sums over the pod: shares of all requests; quota and memory only when every container has a limit. Init
/// containers run before the others: the larger counts. Sidecars run beside both.
LinuxResources podResourcesOf(const Object& pod);
/// The processor share of all burstable pods together.
std::int64_t burstableShares(const std::vector<ObjectPtr>& pods);

enum class CgroupVersion { v1, v2 };
struct CgroupSetting {
  std::string controller;  ///< v1: the hierarchy
  std::string file;
  std::string value;
  bool operator==(const CgroupSetting&) const = default;
};
std::vector<CgroupSetting> cgroupSettings(const LinuxResources& resources, CgroupVersion version);

}  // namespace steer
