#pragma once
// Literals for the tests of schemas.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/json.h"
#include "schemas/schema.h"
#include "schemas/validate.h"

namespace steer::test {

inline json::object parse(std::string_view text) { return parseJson(text).value().as_object(); }

inline const KindSchema& kindOf(const json::object& object) {
  const auto* kind =
      SchemaRegistry::builtin().find(Gvk::from(stringAt(object, {"apiVersion"}), stringAt(object, {"kind"})));
  REQUIRE(kind != nullptr);
  return *kind;
}

/// "path: message" of each finding, with "; hint".
inline std::vector<std::string> findingsOf(const json::object& object) {
  std::vector<std::string> out;
  for (const auto& f : validateObject(kindOf(object), object))
    out.push_back(f.path + ": " + f.message + (f.hint.empty() ? "" : "; " + f.hint));
  return out;
}

inline constexpr std::string_view kWeb = R"({
  "apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web", "namespace": "shop"},
  "spec": {
    "selector": {"matchLabels": {"app": "web"}},
    "template": {
      "metadata": {"labels": {"app": "web"}},
      "spec": {"containers": [{"name": "web", "image": "nginx:1.25", "ports": [{"containerPort": 80}]}]}}}})";

}  // namespace steer::test
