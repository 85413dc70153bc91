#include "measure.h"

#include <algorithm>

namespace steer::bench {

double Measured::percentile(double p) const {
  if (micros.empty()) return 0;
  std::vector<float> sorted = micros;
  const auto at = static_cast<std::size_t>(p * static_cast<double>(sorted.size() - 1));
  std::nth_element(sorted.begin(), sorted.begin() + static_cast<std::ptrdiff_t>(at), sorted.end());
  return static_cast<double>(sorted[at]);
}

json::object benchPod(std::size_t number) {
  const std::string name = "web-6c9f7d5b8c-" + std::to_string(100000 + number);
  const std::string uid = "3f0c8a52-6d0e-4b57-9d57-" + std::to_string(100000000000 + number);
  auto parsed = parseJson(R"({"apiVersion":"v1","kind":"Pod","metadata":{"namespace":"shop",
    "labels":{"app":"web","tier":"frontend","pod-template-hash":"6c9f7d5b8c"},"generation":1,
    "creationTimestamp":"2026-11-21T04:00:00Z","ownerReferences":[{"apiVersion":"apps/v1","kind":"ReplicaSet",
    "name":"web-6c9f7d5b8c","uid":"9b1c2d3e-1111-4222-8333-444455556666","controller":true}]},
    "spec":{"nodeName":"node-17","restartPolicy":"Always","schedulerName":"default-scheduler",
    "containers":[{"name":"web","image":"registry.local/web:1.2.3","ports":[{"containerPort":8080,"protocol":"TCP"}],
    "resources":{"requests":{"cpu":"100m","memory":"64Mi"}},"terminationMessagePath":"/dev/termination-log",
    "imagePullPolicy":"IfNotPresent"}],"terminationGracePeriodSeconds":30,"dnsPolicy":"ClusterFirst"},
    "status":{"phase":"Running","podIP":"10.244.17.23","conditions":[{"type":"Ready","status":"True",
    "lastTransitionTime":"2026-11-21T04:00:01Z"}]}})");
  auto& body = parsed->get_object();
  body["metadata"].get_object()["name"] = name;
  body["metadata"].get_object()["uid"] = uid;
  return std::move(body);
}

}  // namespace steer::bench
