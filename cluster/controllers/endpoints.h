#pragma once
// Endpoints, the older form, kept in parallel to EndpointSlices for services with a selector. Pure.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeEndpointsController();

}  // namespace steer
