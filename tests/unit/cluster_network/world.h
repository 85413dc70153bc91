#pragma once
// A snapshot from literals.
#include <string>

#include "core/snapshot.h"

namespace steer::test {

class World {
 public:
  World& service(const std::string& text) { return put("services", text); }
  World& slice(const std::string& text) { return put("endpointslices.discovery.k8s.io", text); }
  const Snapshot& snapshot() const { return snapshot_; }

 private:
  World& put(const std::string& resource, const std::string& text) {
    auto body = parseJson(text);
    if (!body.ok()) throw std::runtime_error(body.error().message);
    snapshot_.put(resource, Object::make(std::move(body->as_object())));
    return *this;
  }
  Snapshot snapshot_;
};

inline std::string webService(const std::string& extraSpec = "") {
  return R"({"apiVersion":"v1","kind":"Service","metadata":{"namespace":"shop","name":"web"},"spec":{"clusterIP":"10.96.0.10",)" +
         extraSpec + R"("ports":[{"name":"http","port":80,"protocol":"TCP","targetPort":8080}]}})";
}

/// endpoints = the JSON text of the array.
inline std::string webSlice(const std::string& endpoints, const std::string& name = "web-1") {
  return R"({"apiVersion":"discovery.k8s.io/v1","kind":"EndpointSlice","addressType":"IPv4","metadata":{"namespace":"shop","name":")" +
         name +
         R"(","labels":{"kubernetes.io/service-name":"web"}},"ports":[{"name":"http","port":8080,"protocol":"TCP"}],"endpoints":)" +
         endpoints + "}";
}

}  // namespace steer::test
