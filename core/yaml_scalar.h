#pragma once
// How Kubernetes reads a plain YAML scalar: the rules of YAML 1.1 with the octals of 1.2, as
// sigs.k8s.io/yaml applies them before it turns the document into JSON. Pure.
#include <string>
#include <string_view>

#include "core/json.h"
#include "core/result.h"

namespace steer {

/// An unquoted scalar without a tag: null, bool, number or string. Numbers that are whole become
/// integers, as they do on their way through JSON ("3.0" reads as 3). ".nan" and ".inf" cannot be
/// written in JSON and are errors.
Result<json::value> readPlainScalar(std::string_view text);

/// A scalar with one of YAML's own tags ("tag:yaml.org,2002:int"). Errors name the tag.
Result<json::value> readTaggedScalar(std::string_view tag, std::string_view text);

}  // namespace steer
