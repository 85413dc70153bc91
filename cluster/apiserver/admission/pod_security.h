#pragma once
// The Pod Security Standards: what a pod may ask for at each level, and what the labels of a namespace say about it.
// The checks stand by groups: pod_security_host.cpp (what reaches the node), pod_security_kernel.cpp (what weakens the
// kernel's fences), pod_security_restricted.cpp (what restricted asks for besides).
// Source: Kubernetes documentation, "Pod Security Standards" and "Pod Security Admission". Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace steer {

enum class PodSecurityLevel { privileged, baseline, restricted };
/// "baseline"; nothing for another word.
std::string_view levelName(PodSecurityLevel level);

/// A level as of one version of Kubernetes.
struct PodSecurityStandard {
  PodSecurityLevel level = PodSecurityLevel::privileged;
  int minor = kLatest;  ///< 1.minor
  static constexpr int kLatest = 1'000'000;

  /// "restricted:latest", "baseline:v1.30".
  std::string text() const;
  bool operator==(const PodSecurityStandard&) const = default;
};

struct PodSecurityPolicy {
  PodSecurityStandard enforce{};
  PodSecurityStandard audit{};
  PodSecurityStandard warn{};
  std::vector<std::pair<std::string, std::string>> problems{};  ///< label, what is wrong with it
};

/// What the labels of a namespace say; `otherwise` where none says anything. A label that cannot be read counts as
/// restricted where it enforces, and as nothing where it warns.
PodSecurityPolicy podSecurityOf(const json::object& labels, PodSecurityLevel otherwise);

/// One check that a pod does not pass: `privileged (container "c" must not set securityContext.privileged=true)`.
struct PodSecurityFinding {
  std::string reason;
  std::string detail;
};

/// What of a pod (its metadata's annotations and its spec) is not allowed; empty: all is.
std::vector<PodSecurityFinding> checkPodSecurity(const PodSecurityStandard& standard, const json::object& annotations,
                                                 const json::object& spec);
/// In one line, as in refusals and warnings.
std::string textOf(const std::vector<PodSecurityFinding>& findings);

}  // namespace steer
