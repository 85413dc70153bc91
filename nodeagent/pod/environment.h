#pragma once
// The environment of a container: env, envFrom and service variables, expanded. Pure.
// Source: Kubernetes documentation, "Define Environment Variables for a Container",
// "Expose Pod Information to Containers Through Environment Variables", "Service" (environment variables).
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "core/object.h"
#include "core/result.h"
#include "nodeagent/pod/api_access.h"

namespace steer {

using Environment = std::vector<std::pair<std::string, std::string>>;

/// What references in a pod resolve to. Look-ups answer nullptr for what does not exist.
struct PodReferences {
  std::function<ObjectPtr(const std::string& name)> configMap;
  std::function<ObjectPtr(const std::string& name)> secret;
  /// A token of the pod's service account. Unset: the node gives none.
  std::function<Result<std::string>(const TokenWish&)> serviceAccountToken;
  std::string clusterCertificate;   ///< PEM; empty = not known
  std::vector<ObjectPtr> services;  ///< of the pod's namespace, and default/kubernetes
  json::object nodeAllocatable;     ///< for limits that a container does not set
  std::string hostIp;
  std::string podIp;
};

/// In order: service variables, envFrom, env; a later one of the same name replaces the earlier.
/// Errors: notFound naming the missing config map, secret or key (never a value).
Result<Environment> environmentOf(const Object& pod, const json::object& container, const PodReferences& refs);

/// $(NAME) becomes the value when NAME is known and stays as it is otherwise; $$ is a dollar sign.
std::string expandVariables(std::string_view text, const Environment& known);

/// metadata.name, metadata.labels['x'], spec.nodeName, status.podIP, …
Result<std::string> fieldValue(const Object& pod, std::string_view fieldPath, const PodReferences& refs);
/// limits.cpu, requests.memory, … of the container, divided by the divisor, rounded up.
Result<std::string> resourceValue(const json::object& container, std::string_view resource, const json::value* divisor,
                                  const PodReferences& refs);

/// FOO_SERVICE_HOST and friends.
Environment serviceVariables(const std::vector<ObjectPtr>& services, std::string_view podNamespace, bool all);

}  // namespace steer
