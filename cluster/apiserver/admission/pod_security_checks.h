#pragma once
// What the files of checks share. Internal to the pod security checks. Pure.
#include <functional>
#include <string>
#include <vector>

#include "cluster/apiserver/admission/pod_security.h"

namespace steer::pod_security {

struct Pod {
  const json::object& annotations;
  const json::object& spec;
  int minor;

  bool since(int version) const { return minor >= version; }
  bool windows() const { return stringAt(spec, {"os", "name"}) == "windows"; }
};

using Findings = std::vector<PodSecurityFinding>;

/// Containers, those that run first and those that are added later; `visit` gets each with its name.
void eachContainer(const Pod& pod,
                   const std::function<void(const json::object& container, const std::string& name)>& visit);

/// `container "a"`, `containers "a", "b"`.
std::string containersText(const std::vector<std::string>& names);
std::string quotedList(const std::vector<std::string>& words);
/// Joined by `between`.
std::string joined(const std::vector<std::string>& parts, const char* between);

void checkHost(const Pod& pod, bool volumes, Findings& out);
/// capabilities and seccomp: left to the restricted level, which says more.
void checkKernel(const Pod& pod, bool capabilitiesAndSeccomp, Findings& out);
void checkRestricted(const Pod& pod, Findings& out);

}  // namespace steer::pod_security
