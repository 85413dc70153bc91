#pragma once
// Where volumes come from, in pods, persistent volumes and attachments alike. Pure.
#include <cstddef>
#include <string_view>

#include "core/json.h"
#include "schemas/rules.h"

namespace steer {

enum class VolumeHolder { pod, persistent };

/// Each source that is given; more than one is forbidden. Returns how many were found, with those `before`.
std::size_t checkVolumeSources(const FieldPath& at, const json::object& holder, VolumeHolder kind, std::size_t before,
                               RuleReport& report);

/// The name of a CSI driver: a subdomain of at most 63 characters.
void checkDriverName(const FieldPath& at, std::string_view name, RuleReport& report);

}  // namespace steer
