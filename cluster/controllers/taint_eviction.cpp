// Eviction of pods that do not tolerate a NoExecute taint of their node, per pod.
#include <algorithm>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/node_lifecycle.h"
#include "cluster/controllers/pod_facts.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

bool tolerates(const json::value& toleration, const json::value& taint) {
  const auto effect = stringAt(toleration, {"effect"});
  if (!effect.empty() && effect != stringAt(taint, {"effect"})) return false;
  const auto key = stringAt(toleration, {"key"});
  const bool exists = stringAt(toleration, {"operator"}) == "Exists";
  if (key.empty()) return exists;
  if (key != stringAt(taint, {"key"})) return false;
  return exists || stringAt(toleration, {"value"}) == stringAt(taint, {"value"});
}

bool sameTaints(const Object& a, const Object& b) {
  return arrayAt(a.spec(), {"taints"}) == arrayAt(b.spec(), {"taints"});
}

class TaintEvictionController final : public Controller {
 public:
  std::string_view name() const override { return "taint-eviction-controller"; }
  std::vector<std::string> resources() const override { return {"nodes", "pods"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    std::vector<Key> keys;
    if (!after) return keys;
    if (resource == "nodes") {
      if (before && sameTaints(*before, *after)) return keys;
      for (const auto& pod : snapshot.podsOnNode(after->name())) keys.push_back({pod->ns(), pod->name()});
      return keys;
    }
    const auto nodeName = stringAt(after->spec(), {"nodeName"});
    if (nodeName.empty() || (before && stringAt(before->spec(), {"nodeName"}) == nodeName)) return keys;
    return {{after->ns(), after->name()}};
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    const auto pod = snapshot.get("pods", key.ns, key.name);
    if (!pod || pod->deleting() || podfacts::terminal(*pod)) return out;
    const auto node = snapshot.get("nodes", "", stringAt(pod->spec(), {"nodeName"}));
    if (!node) return out;
    std::optional<Time> evictAt;
    for (const auto& taint : arrayAt(node->spec(), {"taints"})) {
      if (stringAt(taint, {"effect"}) != "NoExecute") continue;
      if (const auto at = toleratedUntil(*pod, taint, now); at && (!evictAt || *at < *evictAt)) evictAt = at;
    }
    if (!evictAt) return out;
    if (*evictAt > now) out.recheck = evictAt;
    else evict(pod, now, out);
    return out;
  }

 private:
  /// Nothing = for ever.
  static std::optional<Time> toleratedUntil(const Object& pod, const json::value& taint, Time now) {
    const Time since = parseTime(stringAt(taint, {"timeAdded"})).value_or(now);
    std::optional<std::int64_t> least;
    bool tolerated = false;
    for (const auto& toleration : arrayAt(pod.spec(), {"tolerations"})) {
      if (!tolerates(toleration, taint)) continue;
      tolerated = true;
      if (const auto* limit = find(toleration, {"tolerationSeconds"}); limit != nullptr && asInt(*limit))
        least = std::min(least.value_or(*asInt(*limit)), *asInt(*limit));
    }
    if (!tolerated) return since;
    if (!least) return std::nullopt;
    return since + seconds(std::max<std::int64_t>(0, *least));
  }

  static void evict(const ObjectPtr& pod, Time now, Decision& out) {
    json::object status = pod->status();
    setCondition(
        status,
        {"DisruptionTarget", "True", "DeletionByTaintManager", "Taint manager: deleting due to NoExecute taint"}, now);
    if (status != pod->status()) {
      json::object body = pod->json();
      body["status"] = std::move(status);
      out.writes.push_back(Write::updateStatus("pods", std::move(body)));
    }
    out.events.push_back({pod, "Normal", "TaintManagerEviction",
                          "Marking for deletion Pod " + pod->ns() + "/" + pod->name(), out.writes.size()});
    DeleteOptions options;
    options.uid = pod->uid();
    out.writes.push_back(Write::remove({"pods", pod->ns(), pod->name()}, std::move(options)));
  }
};

}  // namespace

std::unique_ptr<Controller> makeTaintEvictionController() { return std::make_unique<TaintEvictionController>(); }

}  // namespace steer
