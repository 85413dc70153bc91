#pragma once
// Manifests as literals, for tests of planning and applying.
#include <string>
#include <vector>

#include "reconciler/plan/plan.h"
#include "schemas/schema.h"

namespace steer {

inline WantedObject wantedOf(const std::string& text) {
  json::object body = parseJson(text)->as_object();
  const auto gvk = Gvk::from(stringAt(body, {"apiVersion"}), stringAt(body, {"kind"}));
  ObjectRef ref{SchemaRegistry::builtin().find(gvk)->resource(), std::string(stringAt(body, {"metadata", "namespace"})),
                std::string(stringAt(body, {"metadata", "name"}))};
  return {std::move(ref), std::move(body), {"all.yaml", 1, 1}};
}

inline WantedObject aNamespace(const std::string& name) {
  return wantedOf(R"({"apiVersion":"v1","kind":"Namespace","metadata":{"name":")" + name + R"("}})");
}

inline WantedObject aConfigMap(const std::string& name, const std::string& value, const std::string& more = "") {
  return wantedOf(R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":")" + name +
                  R"(","namespace":"shop"},"data":{"k":")" + value + R"("})" + more + "}");
}

inline WantedObject aDeployment(const std::string& name, int replicas, const std::string& app = "web") {
  return wantedOf(
      R"({"apiVersion":"apps/v1","kind":"Deployment","metadata":{"name":")" + name +
      R"(","namespace":"shop"},"spec":{"replicas":)" + std::to_string(replicas) +
      R"(,"selector":{"matchLabels":{"app":")" + app + R"("}},"template":{"metadata":{"labels":{"app":")" + app +
      R"("}},"spec":{"containers":[{"name":"c","image":"web:1","resources":{"requests":{"cpu":"0.5"}}}]}}}})");
}

inline WantedObject aService(const std::string& name) {
  return wantedOf(R"({"apiVersion":"v1","kind":"Service","metadata":{"name":")" + name +
                  R"(","namespace":"shop"},"spec":{"selector":{"app":"web"},"ports":[{"port":80}]}})");
}

}  // namespace steer
