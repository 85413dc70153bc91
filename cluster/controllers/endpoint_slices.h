#pragma once
// EndpointSlices of services with a selector, and mirrors of hand-written Endpoints. Pure.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeEndpointSliceController();
/// Endpoints of a service without selector, mirrored to slices.
std::unique_ptr<Controller> makeEndpointMirrorController();

}  // namespace steer
