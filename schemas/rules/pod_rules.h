#pragma once
// Rules of the parts of a pod, one file per family. Internal to rules/. Pure.
// Source of the rules: the Kubernetes API reference of the types and the answers of a real server.
#include <map>
#include <string>
#include <string_view>

#include "schemas/rules.h"
#include "schemas/rules/reading.h"

namespace steer {

/// Where a pod specification stands: in a pod, or in a template, whose pods get more defaults when they are made.
enum class PodPlace { pod, podTemplate };

/// What the parts of a pod must know of the rest.
struct PodScope {
  std::map<std::string, bool, std::less<>> volumes;  ///< name → may be used as a block device
  std::vector<std::string> claims;                   ///< names of spec.resourceClaims
  std::string restartPolicy;
  std::string os;
  std::int64_t graceSeconds = 30;
  bool hostUsers = true;
  PodPlace place = PodPlace::pod;
};

void checkContainers(const FieldPath& at, const json::object& spec, const PodScope& scope, RuleReport& report);
void checkEphemeralContainers(const FieldPath& at, const json::object& spec, const PodScope& scope, RuleReport& report);
/// env and envFrom of a container.
void checkEnvironment(const FieldPath& at, const json::object& container, RuleReport& report);
void checkLifecycle(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report);
void checkProbes(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report);
void checkContainerResources(const FieldPath& at, const json::object& resources, const PodScope& scope,
                             RuleReport& report);
/// spec.resources: what all containers share.
void checkPodResources(const FieldPath& at, const json::object& spec, RuleReport& report);
/// at.tolerations.
void checkTolerations(const FieldPath& at, const json::object& spec, RuleReport& report);
/// spec.overhead.
void checkOverhead(const FieldPath& at, const json::object& spec, RuleReport& report);
void checkSecurityContext(const FieldPath& at, const json::object* context, const PodScope& scope, RuleReport& report);
void checkPodSecurity(const FieldPath& at, const json::object& spec, RuleReport& report);
/// What Windows and Linux pods may not say.
void checkPodOs(const FieldPath& at, const json::object& spec, RuleReport& report);
/// spec.volumes; their names go into the scope.
void checkPodVolumes(const FieldPath& at, const json::object& spec, std::string_view podName, PodScope& scope,
                     RuleReport& report);
enum class FieldUse { environment, volume };
void checkFieldRef(const FieldPath& at, const json::object& ref, FieldUse use, RuleReport& report);
void checkResourceFieldRef(const FieldPath& at, const json::object& ref, FieldUse use, RuleReport& report);

/// A relative path that stays inside: no leading "/", no "..".
void checkDescendingPath(const FieldPath& at, std::string_view path, RuleReport& report);
void checkNoBacksteps(const FieldPath& at, std::string_view path, RuleReport& report);
/// Besides, it may not begin with "..".
void checkLocalPath(const FieldPath& at, std::string_view path, RuleReport& report);
/// A number in range, or the name of a port.
void checkPort(const FieldPath& at, const json::value* port, RuleReport& report);
/// spec of a claim that a template makes.
void checkClaimTemplate(const FieldPath& at, const json::object& claim, RuleReport& report);

}  // namespace steer
