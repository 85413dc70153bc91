#pragma once
// Deployment: rolling updates over replica sets. The controller is makeDeploymentController(); the
// rest of this room's deployment_*.cpp are its steps over one Rollout value. Pure.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeDeploymentController();
/// "pod-template-hash" of a template, without that label; collisionCount makes another one.
std::string podTemplateHash(const json::object& podTemplate, std::int64_t collisionCount);

}  // namespace steer
