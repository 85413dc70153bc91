#pragma once
// Image names, pull policy and registry credentials. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "nodeagent/pod/runtime_values.h"

namespace steer {

enum class PullPolicy { always, ifNotPresent, never };

/// What the container says, else Always for ":latest" (or no tag) and IfNotPresent otherwise.
PullPolicy pullPolicyOf(const json::object& container);
/// "docker.io" when the name has no registry part.
std::string registryOf(std::string_view image);
/// Credentials for the image out of dockerconfigjson and dockercfg secrets, in order.
std::vector<ImageAuth> credentialsFor(std::string_view image, const std::vector<ObjectPtr>& pullSecrets);

}  // namespace steer
