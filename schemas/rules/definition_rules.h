#pragma once
// Rules of the schema that a custom resource definition carries: it must be structural. Pure.
// Source: Kubernetes documentation, "Extend the Kubernetes API with CustomResourceDefinitions".
#include "schemas/rules/reading.h"

namespace steer {

void checkDefinitionSchema(const FieldPath& at, const json::object& schema, RuleReport& report);

}  // namespace steer
