#pragma once
// meta.k8s.io/v1 Tables: what `kubectl get` prints. Pure.
#include <string>
#include <vector>

#include "cluster/apiserver/kind_strategy.h"
#include "core/object.h"
#include "schemas/schema.h"

namespace steer {

enum class IncludeObject { none, metadata, object };
IncludeObject includeObjectOf(std::string_view text);

enum class WithColumns : bool { no, yes };

json::object tableOf(const KindSchema& kind, const std::vector<ObjectPtr>& objects, json::object listMeta,
                     IncludeObject include, Time now, WithColumns columns = WithColumns::yes);
/// metadata alone, as PartialObjectMetadata.
json::object partialOf(const Object& object);

}  // namespace steer
