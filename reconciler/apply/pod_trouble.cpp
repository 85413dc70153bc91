#include "reconciler/apply/pod_trouble.h"

namespace steer {
namespace {

/// Of Deployments, ReplicaSets, Jobs and the like (matchLabels), and of ReplicationControllers (the labels themselves).
std::string selectorOf(const Object& workload) {
  if (objectAt(workload.spec(), {"template"}).empty()) return "";
  const auto& selector = objectAt(workload.spec(), {"selector"});
  const auto& labels = selector.contains("matchLabels") ? objectAt(selector, {"matchLabels"}) : selector;
  std::string out;
  for (const auto& member : labels) {
    if (!member.value().is_string()) continue;
    out += (out.empty() ? "" : ",") + std::string(std::string_view(member.key().data(), member.key().size())) + "=" +
           std::string(view(member.value().get_string()));
  }
  return out;
}

}  // namespace

std::string podTrouble(Client& client, const Object& workload) {
  ListOptions options;
  options.ns = workload.ns();
  options.labelSelector = selectorOf(workload);
  if (options.labelSelector.empty()) return "";
  const auto pods = client.list("pods", options);
  if (!pods.ok()) return "";
  std::string waiting;
  for (const auto& pod : pods->items) {
    if (pod->deleting()) continue;
    const auto health = assessHealth(*pod);
    const auto text = "pod " + pod->name() + ": " + health.reason;
    if (health.state == HealthState::degraded) return text;
    if (health.state == HealthState::progressing && waiting.empty() && health.reason.starts_with("not scheduled"))
      waiting = text;
  }
  return waiting;
}

Health toldHealth(Client& client, const Object& object) {
  auto health = assessHealth(object);
  if (health.state == HealthState::healthy || object.deleting()) return health;
  if (const auto trouble = podTrouble(client, object); !trouble.empty()) health.reason += "; " + trouble;
  return health;
}

}  // namespace steer
