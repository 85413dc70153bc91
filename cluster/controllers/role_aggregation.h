#pragma once
// The rules of cluster roles that consist of others (aggregationRule), written into them for people to read. Pure.
// What they grant does not hang on it: the server looks at the parts.
#include <memory>

#include "core/controller.h"

namespace steer {

std::unique_ptr<Controller> makeRoleAggregationController();

}  // namespace steer
