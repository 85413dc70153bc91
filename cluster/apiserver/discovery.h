#pragma once
// Discovery: which groups, versions and resources there are, in the plain and the aggregated form.
// Pure.
#include <string>
#include <string_view>

#include "core/json.h"
#include "schemas/schema.h"

namespace steer {

/// /api
json::object coreVersions();
/// /apis
json::object groupList(const SchemaRegistry& registry);
/// /apis/<group>; empty when there is no such group.
json::object groupOf(const SchemaRegistry& registry, std::string_view group);
/// /api/v1, /apis/<group>/<version>; empty when there is no such version.
json::object resourceList(const SchemaRegistry& registry, std::string_view group, std::string_view version);

enum class Groups { core, named };
/// The aggregated form of /api (core) and /apis (named); apiVersion "v2" or "v2beta1".
json::object aggregated(const SchemaRegistry& registry, Groups which, const std::string& version);

}  // namespace steer
