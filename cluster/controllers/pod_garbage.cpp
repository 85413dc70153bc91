#include "cluster/controllers/pod_garbage.h"

#include <algorithm>
#include <utility>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/pod_facts.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr const char* kTerminated = "terminated";
constexpr const char* kSurplus = "surplus";
constexpr std::size_t kAtOnce = 1000;
constexpr Duration kQuarantine = seconds(40);  ///< a pod may name a node that is about to register

Write removeNow(const Object& pod) {
  DeleteOptions options;
  options.uid = pod.uid();
  options.gracePeriodSeconds = 0;
  return Write::remove({"pods", pod.ns(), pod.name()}, std::move(options));
}

/// Keys: ns "node" + a node's name, ns "pod|<ns>" + a pod's name, or ns "" + "terminated".
class PodGarbageController final : public Controller {
 public:
  explicit PodGarbageController(std::size_t keepTerminated) : keep_(keepTerminated) {}
  std::string_view name() const override { return "pod-garbage-collector"; }
  std::vector<std::string> resources() const override { return {"pods", "nodes"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    if (resource == "nodes") return after ? std::vector<Key>{} : std::vector<Key>{{"node", before->name()}};
    if (!after) return {};
    std::vector<Key> keys;
    const auto node = stringAt(after->spec(), {"nodeName"});
    if (node.empty() && after->deleting()) keys.push_back({"pod|" + after->ns(), after->name()});
    if (!node.empty() && !snapshot.get("nodes", "", node)) keys.push_back({"node", std::string(node)});
    if (podfacts::terminal(*after) && !(before && podfacts::terminal(*before)) && snapshot.count("pods") > keep_)
      keys.push_back({"", kTerminated});
    return keys;
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    if (key.ns == "node") orphansOf(snapshot, key.name, now, out);
    else if (key.name == kTerminated && key.ns.empty()) surplus(snapshot, out);
    else if (const auto pod = snapshot.get("pods", key.ns.substr(4), key.name);
             pod && pod->deleting() && stringAt(pod->spec(), {"nodeName"}).empty())
      out.writes.push_back(removeNow(*pod));
    return out;
  }

 private:
  static void orphansOf(const Snapshot& snapshot, const std::string& node, Time now, Decision& out) {
    if (snapshot.get("nodes", "", node)) return;
    out.provided.push_back({{"nodes", "", node}, ""});
    for (const auto& pod : snapshot.podsOnNode(node)) {
      if (const auto born = pod->created(); born && now - *born < kQuarantine) {
        const Time later = *born + kQuarantine;
        if (!out.recheck || later < *out.recheck) out.recheck = later;
        continue;
      }
      json::object status = pod->status();
      setCondition(status, {"DisruptionTarget", "True", "DeletionByPodGC", "PodGC: node no longer exists"}, now);
      if (!podfacts::terminal(*pod)) status["phase"] = "Failed";
      json::object body = pod->json();
      body["status"] = std::move(status);
      out.writes.push_back(Write::updateStatus("pods", std::move(body)));
      out.writes.push_back(removeNow(*pod));
    }
  }

  void surplus(const Snapshot& snapshot, Decision& out) const {
    std::vector<ObjectPtr> finished;
    snapshot.each("pods", "", [&](const ObjectPtr& pod) {
      if (podfacts::terminal(*pod) && !pod->deleting()) finished.push_back(pod);
    });
    if (finished.size() <= keep_) return;
    std::sort(finished.begin(), finished.end(),
              [](const ObjectPtr& a, const ObjectPtr& b) { return a->created() < b->created(); });
    finished.resize(finished.size() - keep_);
    for (const auto& pod : finished) out.writes.push_back(removeNow(*pod));
  }

  std::size_t keep_;
};

class EventExpiryController final : public Controller {
 public:
  EventExpiryController(Duration ttl, std::size_t most) : ttl_(ttl), most_(most) {}
  std::string_view name() const override { return "event-expiry"; }
  std::vector<std::string> resources() const override { return {"events"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    // One look is planned when an event appears; it reads then how often it was seen again.
    if (!after || before) return {};
    std::vector<Key> out{{after->ns(), after->name()}};
    if (snapshot.count("events") > most_) out.push_back({"", kSurplus});
    return out;
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    if (key.ns.empty() && key.name == kSurplus) {
      surplus(snapshot, now, out);
      return out;
    }
    const auto event = snapshot.get("events", key.ns, key.name);
    if (!event) return out;
    const Time last = lastSeen(*event, now);
    if (last + ttl_ > now) out.recheck = last + ttl_;
    else out.writes.push_back(removal(*event));
    return out;
  }

 private:
  static Time lastSeen(const Object& event, Time now) {
    Time last = event.created().value_or(now);
    for (const char* field : {"lastTimestamp", "eventTime"})
      if (const auto at = parseTime(stringAt(event.json(), {field}))) last = std::max(last, *at);
    return last;
  }

  static Write removal(const Object& event) {
    DeleteOptions options;
    options.uid = event.uid();
    options.revision = event.revision();
    return Write::remove({"events", event.ns(), event.name()}, std::move(options));
  }

  /// A tenth at a time, so that not every new event sorts all of them.
  void surplus(const Snapshot& snapshot, Time now, Decision& out) const {
    if (snapshot.count("events") <= most_) return;
    std::vector<std::pair<Time, ObjectPtr>> all;
    snapshot.each("events", "", [&](const ObjectPtr& event) { all.emplace_back(lastSeen(*event, now), event); });
    const std::size_t surplus = std::min(all.size(), all.size() - most_ + most_ / 10);
    std::partial_sort(
        all.begin(), all.begin() + static_cast<std::ptrdiff_t>(surplus), all.end(), [](const auto& a, const auto& b) {
          return std::make_pair(a.first, a.second->revision()) < std::make_pair(b.first, b.second->revision());
        });
    for (std::size_t i = 0; i < std::min(surplus, kAtOnce); ++i) out.writes.push_back(removal(*all[i].second));
  }

  Duration ttl_;
  std::size_t most_;
};

}  // namespace

std::unique_ptr<Controller> makePodGarbageController(std::size_t keepTerminated) {
  return std::make_unique<PodGarbageController>(keepTerminated);
}

std::unique_ptr<Controller> makeEventExpiryController(Duration ttl, std::size_t most) {
  return std::make_unique<EventExpiryController>(ttl, most);
}

}  // namespace steer
