#include "cli/cluster/cluster_facts.h"

#include "core/json.h"
#include "core/write.h"

namespace steer::cli {

Result<void> publishFacts(Client& client, const ClusterFacts& facts) {
  json::object body{{"apiVersion", "v1"},
                    {"kind", "ConfigMap"},
                    {"metadata", json::object{{"name", "steersman-cluster"}, {"namespace", "kube-system"}}},
                    {"data", json::object{{"podCidr", facts.podCidr},
                                          {"serviceCidr", facts.serviceCidr},
                                          {"domain", facts.domain},
                                          {"tag", facts.tag}}}};
  const auto written = client.write(Write::apply("configmaps", std::move(body), "steersman-server", true));
  if (!written.ok()) return written.error();
  return {};
}

Result<ClusterFacts> readFacts(Client& client) {
  STEER_TRY(const auto object, client.get({"configmaps", "kube-system", "steersman-cluster"}));
  const auto& data = objectAt(object->json(), {"data"});
  return ClusterFacts{std::string(stringAt(data, {"podCidr"})), std::string(stringAt(data, {"serviceCidr"})),
                      std::string(stringAt(data, {"domain"}, "cluster.local")),
                      std::string(stringAt(data, {"tag"}, "steer"))};
}

Result<std::string> readCa(Client& client) {
  STEER_TRY(const auto object, client.get({"configmaps", "kube-system", "kube-root-ca.crt"}));
  return std::string(stringAt(objectAt(object->json(), {"data"}), {"ca.crt"}));
}

}  // namespace steer::cli
