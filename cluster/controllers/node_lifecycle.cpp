#include "cluster/controllers/node_lifecycle.h"

#include <algorithm>
#include <map>

#include "cluster/controllers/conditions.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr const char* kLeases = "leases.coordination.k8s.io";
constexpr const char* kUnreachable = "node.kubernetes.io/unreachable";
constexpr const char* kNotReady = "node.kubernetes.io/not-ready";

std::string readyOf(const Object& node) {
  const auto* ready = findCondition(node.status(), "Ready");
  return ready == nullptr ? "Unknown" : std::string(stringAt(*ready, {"status"}));
}

/// Taints that this controller writes; all others belong to people.
bool ownTaint(const json::value& taint) {
  const auto key = stringAt(taint, {"key"});
  const auto effect = stringAt(taint, {"effect"});
  if (key == kUnreachable || key == kNotReady) return true;
  return effect == "NoSchedule" &&
         (key == "node.kubernetes.io/unschedulable" || key == "node.kubernetes.io/memory-pressure" ||
          key == "node.kubernetes.io/disk-pressure" || key == "node.kubernetes.io/pid-pressure" ||
          key == "node.kubernetes.io/network-unavailable");
}

const json::value* findTaint(const Object& node, std::string_view key, std::string_view effect) {
  for (const auto& taint : arrayAt(node.spec(), {"taints"}))
    if (stringAt(taint, {"key"}) == key && stringAt(taint, {"effect"}) == effect) return &taint;
  return nullptr;
}

std::string zoneOf(const Object& node) {
  return std::string(node.label("topology.kubernetes.io/region")) + "/" +
         std::string(node.label("topology.kubernetes.io/zone"));
}

struct Zone {
  std::size_t nodes = 0;
  std::size_t lost = 0;
  std::optional<Time> lastEmptied{};
};

std::map<std::string, Zone> zonesWithout(const Snapshot& snapshot, const Object& self) {
  std::map<std::string, Zone> out;
  snapshot.each("nodes", "", [&](const ObjectPtr& node) {
    auto& zone = out[zoneOf(*node)];
    ++zone.nodes;
    if (readyOf(*node) != "True") ++zone.lost;
    if (node->name() == self.name()) return;
    for (const char* key : {kUnreachable, kNotReady})
      if (const auto* taint = findTaint(*node, key, "NoExecute"))
        if (const auto at = parseTime(stringAt(*taint, {"timeAdded"})))
          if (!zone.lastEmptied || *at > *zone.lastEmptied) zone.lastEmptied = at;
  });
  return out;
}

/// The time from which this node may be emptied. Each zone empties its nodes one per 10 s; a zone with more
/// than two and at least 55 % of its nodes lost one per 100 s, or none when it has 50 nodes or fewer; a zone
/// that is lost altogether as usual, for its pods find room elsewhere. When every zone is lost, none is
/// emptied: more likely we cannot hear than all of them fell.
std::optional<Time> evictionFrom(const Snapshot& snapshot, const Object& node) {
  const auto zones = zonesWithout(snapshot, node);
  std::size_t total = 0;
  const bool allLost = std::all_of(zones.begin(), zones.end(), [&](const auto& entry) {
    total += entry.second.nodes;
    return entry.second.lost == entry.second.nodes;
  });
  if (allLost && total > 1) return std::nullopt;
  const auto& zone = zones.at(zoneOf(node));
  const bool mostLost = zone.lost < zone.nodes && zone.lost > 2 && zone.lost * 100 >= zone.nodes * 55;
  if (mostLost && zone.nodes <= 50) return std::nullopt;
  if (!zone.lastEmptied) return Time{};
  return *zone.lastEmptied + seconds(mostLost ? 100 : 10);
}

class NodeLifecycleController final : public Controller {
 public:
  explicit NodeLifecycleController(NodeRules rules) : rules_(rules) {}
  std::string_view name() const override { return "node-controller"; }
  std::vector<std::string> resources() const override { return {"nodes", kLeases, "pods"}; }

  std::vector<Key> keysFor(const Snapshot&, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    const auto& object = after ? after : before;
    if (resource == "nodes") return {{"", object->name()}};
    // A renewed lease only moves the next look, which reads it then; its first one is news.
    if (resource == kLeases && object->ns() == "kube-node-lease" && !(before && after)) return {{"", object->name()}};
    return {};
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    const auto node = snapshot.get("nodes", "", key.name);
    if (!node || node->deleting()) return out;
    const Time alive = lastSign(snapshot, *node);
    std::string ready = readyOf(*node);
    if (now - alive > rules_.grace) {
      if (markUnknown(node, now, out)) ready = "Unknown";
    } else {
      out.recheck = alive + rules_.grace + milliseconds(1);
    }
    adjustTaints(snapshot, *node, ready, now, out);
    if (ready == "Unknown") markPodsNotReady(snapshot, *node, now, out);
    return out;
  }

 private:
  Time lastSign(const Snapshot& snapshot, const Object& node) const {
    Time alive = rules_.listeningSince;
    if (const auto created = node.created()) alive = std::max(alive, *created);
    if (const auto* ready = findCondition(node.status(), "Ready"))
      if (const auto beat = parseTime(stringAt(*ready, {"lastHeartbeatTime"}))) alive = std::max(alive, *beat);
    if (const auto lease = snapshot.get(kLeases, "kube-node-lease", node.name()))
      if (const auto renewed = parseTime(stringAt(lease->spec(), {"renewTime"}))) alive = std::max(alive, *renewed);
    return alive;
  }

  static bool markUnknown(const ObjectPtr& node, Time now, Decision& out) {
    json::object status = node->status();
    bool changed = false;
    for (const char* type : {"Ready", "MemoryPressure", "DiskPressure", "PIDPressure"}) {
      const auto* old = findCondition(status, type);
      if (old == nullptr && type != std::string_view("Ready")) continue;
      if (old != nullptr && stringAt(*old, {"status"}) == "Unknown") continue;
      const std::string beat(old == nullptr ? "" : stringAt(*old, {"lastHeartbeatTime"}));
      setCondition(status,
                   {type, "Unknown", old == nullptr ? "NodeStatusNeverUpdated" : "NodeStatusUnknown",
                    old == nullptr ? "Kubelet never posted node status." : "Kubelet stopped posting node status."},
                   now);
      if (!beat.empty())
        for (auto& item : ensureArray(status, "conditions"))
          if (stringAt(item, {"type"}) == type) item.as_object()["lastHeartbeatTime"] = beat;
      changed = true;
    }
    if (!changed) return true;
    json::object body = node->json();
    body["status"] = std::move(status);
    out.events.push_back(
        {node, "Normal", "NodeNotReady", "Node " + node->name() + " status is now: NodeNotReady", out.writes.size()});
    out.writes.push_back(Write::updateStatus("nodes", std::move(body)));
    return true;
  }

  static void adjustTaints(const Snapshot& snapshot, const Object& node, const std::string& ready, Time now,
                           Decision& out) {
    std::vector<std::pair<std::string, std::string>> wanted;
    const auto& status = node.status();
    if (boolAt(node.spec(), {"unschedulable"})) wanted.emplace_back("node.kubernetes.io/unschedulable", "NoSchedule");
    for (const auto& [type, taint] : {std::pair{"MemoryPressure", "memory-pressure"},
                                      {"DiskPressure", "disk-pressure"},
                                      {"PIDPressure", "pid-pressure"},
                                      {"NetworkUnavailable", "network-unavailable"}})
      if (conditionIs(status, type, "True"))
        wanted.emplace_back(std::string("node.kubernetes.io/") + taint, "NoSchedule");
    if (ready != "True") {
      const std::string key = ready == "False" ? kNotReady : kUnreachable;
      wanted.emplace_back(key, "NoSchedule");
      const auto from = evictionFrom(snapshot, node);
      if (findTaint(node, key, "NoExecute") != nullptr ? from.has_value() : from && *from <= now)
        wanted.emplace_back(key, "NoExecute");
      else if (from && (!out.recheck || *from < *out.recheck)) out.recheck = from;
    }
    json::array taints;
    for (const auto& taint : arrayAt(node.spec(), {"taints"})) {
      const auto match =
          std::find(wanted.begin(), wanted.end(),
                    std::pair{std::string(stringAt(taint, {"key"})), std::string(stringAt(taint, {"effect"}))});
      if (match == wanted.end() && ownTaint(taint)) continue;
      taints.push_back(taint);
      if (match != wanted.end()) wanted.erase(match);
    }
    for (const auto& [key, effect] : wanted)
      taints.push_back({{"key", key}, {"effect", effect}, {"timeAdded", formatTime(now)}});
    if (taints == arrayAt(node.spec(), {"taints"})) return;
    json::value value = taints.empty() ? json::value(nullptr) : json::value(std::move(taints));
    out.writes.push_back(Write::patch({"nodes", "", node.name()}, PatchType::merge,
                                      json::object{{"spec", json::object{{"taints", std::move(value)}}}}));
  }

  /// Services stop sending to pods that nobody can vouch for.
  static void markPodsNotReady(const Snapshot& snapshot, const Object& node, Time now, Decision& out) {
    for (const auto& pod : snapshot.podsOnNode(node.name())) {
      if (!conditionIs(pod->status(), "Ready", "True")) continue;
      json::object status = pod->status();
      setCondition(status, {"Ready", "False", "NodeNotReady", "The node does not answer."}, now);
      json::object body = pod->json();
      body["status"] = std::move(status);
      out.events.push_back({pod, "Warning", "NodeNotReady", "Node is not ready", out.writes.size()});
      out.writes.push_back(Write::updateStatus("pods", std::move(body)));
    }
  }

  NodeRules rules_;
};

}  // namespace

std::unique_ptr<Controller> makeNodeLifecycleController(NodeRules rules) {
  return std::make_unique<NodeLifecycleController>(rules);
}

}  // namespace steer
