#include "simulator/sim_fleet.h"

#include <algorithm>
#include <charconv>

#include "core/barrier.h"
#include "core/node_labels.h"
#include "core/rfc3339.h"
#include "nodeagent/pod/sim_wishes.h"
#include "simulator/sim_pod.h"

namespace steer {
namespace {

/// The control plane has given this node up; a node that hears that contradicts.
bool saysUnknown(const Object& node) {
  for (const auto& condition : arrayAt(node.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return stringAt(condition, {"status"}) == "Unknown";
  return false;
}

/// The last number of an IPv4 address.
std::optional<std::uint32_t> hostOf(const std::string& ip) {
  const auto dot = ip.rfind('.');
  std::uint32_t host = 0;
  if (dot == std::string::npos ||
      std::from_chars(ip.data() + dot + 1, ip.data() + ip.size(), host).ptr != ip.data() + ip.size())
    return std::nullopt;
  return host;
}

}  // namespace

struct SimFleet::SimPod {
  ObjectPtr object;
  std::string node;
  std::string ip;
  SimPodLife life;
  std::optional<Time> due;
  std::string reported;  ///< the status last sent, to send only changes
  std::optional<Time> stopSeen{};
  bool ended = false;  ///< its containers, after it was asked to stop
};

namespace {

std::string placeOf(const Object& pod) { return "the simulated pod " + pod.ns() + "/" + pod.name(); }

}  // namespace

SimFleet::SimFleet(Client& client, FleetOptions options) : client_(client), options_(std::move(options)) {
  const std::size_t count = options_.adopt.empty() ? options_.nodes : options_.adopt.size();
  for (std::size_t i = 0; i < count; ++i) {
    SimNode node;
    node.adopted = !options_.adopt.empty();
    node.registered = node.adopted;
    node.name = node.adopted ? options_.adopt[i] : options_.namePrefix + std::to_string(i + 1);
    nodeIndex_[node.name] = i;
    nodes_.push_back(std::move(node));
  }
}

SimFleet::~SimFleet() = default;

std::vector<std::string> SimFleet::nodeNames() const {
  std::vector<std::string> out;
  for (const auto& node : nodes_) out.push_back(node.name);
  return out;
}

SimFleet::SimNode* SimFleet::nodeOf(const std::string& name) {
  const auto it = nodeIndex_.find(name);
  return it == nodeIndex_.end() ? nullptr : &nodes_[it->second];
}

void SimFleet::crashNode(const std::string& name) {
  auto* node = nodeOf(name);
  if (node == nullptr) return;
  node->state = NodeState::crashed;
  for (auto& [uid, pod] : pods_) {
    if (pod->node != name) continue;
    pod->life.phase = SimPodLife::Phase::gone;
    if (pod->due) timers_.erase({*pod->due, uid});
    pod->due.reset();
  }
}

void SimFleet::reviveNode(const std::string& name) {
  auto* node = nodeOf(name);
  if (node == nullptr) return;
  node->state = NodeState::up;
  node->registered = false;  // says anew that it is ready
  node->leaseDue = Time{};
  // Everything on it starts anew, as after a reboot.
  for (auto& [uid, pod] : pods_) {
    if (pod->node != name) continue;
    const auto phase = stringAt(pod->object->status(), {"phase"});
    if (phase == "Succeeded" || phase == "Failed") {  // what has ended does not run again
      pod->life = SimPodLife::begin(*pod->object, Time{});
    } else {
      const int restarts = pod->life.restarts + 1;
      pod->life = SimPodLife{};
      pod->life.restarts = restarts;
    }
    timers_.insert({Time{}, uid});
    pod->due = Time{};
  }
  wake();
}

void SimFleet::partitionNode(const std::string& name) {
  if (auto* node = nodeOf(name)) node->state = NodeState::partitioned;
}

void SimFleet::healNode(const std::string& name) {
  auto* node = nodeOf(name);
  if (node == nullptr) return;
  node->state = NodeState::up;
  node->registered = false;  // says anew that it is ready
  node->leaseDue = Time{};
  for (auto& [uid, pod] : pods_) {
    if (pod->node != name) continue;
    if (pod->due) timers_.erase({*pod->due, uid});
    pod->due = Time{};
    pod->reported.clear();
    timers_.insert({Time{}, uid});
  }
  wake();
}

std::size_t SimFleet::runningOn(const std::string& node) const {
  return static_cast<std::size_t>(std::count_if(pods_.begin(), pods_.end(), [&](const auto& entry) {
    return entry.second->node == node && entry.second->life.phase == SimPodLife::Phase::running;
  }));
}

bool SimFleet::reachable(const SimPod& pod) {
  const auto* node = nodeOf(pod.node);
  return node != nullptr && node->state == NodeState::up;
}

void SimFleet::registerNodes(Time now) {
  std::vector<Write> writes;
  std::vector<SimNode*> asked;
  for (auto& node : nodes_) {
    if (node.adopted || node.registered || node.state != NodeState::up) continue;
    json::object capacity;
    for (const auto& [resource, quantity] : options_.capacity) capacity[resource] = quantity;
    json::object labels = standingNodeLabels(node.name);
    for (const auto& [key, value] : options_.labels) labels[key] = value;
    const auto index = static_cast<std::uint32_t>(&node - nodes_.data()) + 1;
    const std::string address = "172.30." + std::to_string(index / 256) + "." + std::to_string(index % 256);
    json::object status{{"capacity", capacity},
                        {"allocatable", capacity},
                        {"addresses", json::array{json::object{{"type", "InternalIP"}, {"address", address}},
                                                  json::object{{"type", "Hostname"}, {"address", node.name}}}},
                        {"nodeInfo", json::object{{"kubeletVersion", "v1.33.0-steer-sim"},
                                                  {"osImage", "simulated"},
                                                  {"kernelVersion", "simulated"},
                                                  {"containerRuntimeVersion", "simulated://1"},
                                                  {"architecture", "amd64"},
                                                  {"operatingSystem", "linux"}}},
                        {"conditions", json::array{json::object{{"type", "Ready"},
                                                                {"status", "True"},
                                                                {"reason", "SimulatedNodeReady"},
                                                                {"message", "simulated node is ready"},
                                                                {"lastHeartbeatTime", formatTime(now)},
                                                                {"lastTransitionTime", formatTime(now)}}}}};
    json::object metadata{{"name", node.name}, {"labels", std::move(labels)}};
    json::object body{{"apiVersion", "v1"}, {"kind", "Node"}, {"metadata", metadata}, {"spec", json::object{}}};
    writes.push_back(Write::create("nodes", body));
    writes.push_back(Write::patch({"nodes", "", node.name}, PatchType::merge,
                                  json::object{{"status", std::move(status)}}, "status"));
    asked.push_back(&node);
  }
  if (writes.empty()) return;
  const auto results = client_.batch(std::move(writes), {});
  for (std::size_t i = 0; i < asked.size(); ++i) asked[i]->registered = results[2 * i + 1].ok();
}

void SimFleet::renewLeases(Time now) {
  std::vector<Write> writes;
  std::vector<SimNode*> asked;
  for (auto& node : nodes_) {
    if (node.adopted || !node.registered || node.state != NodeState::up || now < node.leaseDue) continue;
    json::object body{{"apiVersion", "coordination.k8s.io/v1"},
                      {"kind", "Lease"},
                      {"metadata", json::object{{"name", node.name}, {"namespace", "kube-node-lease"}}},
                      {"spec", json::object{{"holderIdentity", node.name},
                                            {"leaseDurationSeconds", 40},
                                            {"renewTime", formatMicroTime(now)}}}};
    writes.push_back(Write::create("leases.coordination.k8s.io", body));
    asked.push_back(&node);
  }
  if (writes.empty()) return;
  auto results = client_.batch(std::move(writes), {});
  std::vector<Write> renewals;
  std::vector<SimNode*> renewing;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    if (results[i].ok()) {
      asked[i]->leaseDue = now + options_.leaseEvery;
    } else if (results[i].error().code == Errc::alreadyExists) {
      renewals.push_back(Write::patch({"leases.coordination.k8s.io", "kube-node-lease", asked[i]->name},
                                      PatchType::merge,
                                      json::object{{"spec", json::object{{"renewTime", formatMicroTime(now)}}}}));
      renewing.push_back(asked[i]);
    } else {
      asked[i]->leaseDue = now + seconds(1);
    }
  }
  if (renewals.empty()) return;
  results = client_.batch(std::move(renewals), {});
  for (std::size_t i = 0; i < renewing.size(); ++i)
    renewing[i]->leaseDue = now + (results[i].ok() ? options_.leaseEvery : seconds(1));
}

std::string SimFleet::allocateIp(SimNode& node) {
  const auto stored = informer_->snapshot().get("nodes", "", node.name);
  const auto cidr = stored == nullptr ? "" : stringAt(stored->spec(), {"podCIDR"});
  if (cidr.empty()) return "";
  std::uint32_t host = 0;
  if (!node.freeIps.empty()) {
    host = *node.freeIps.begin();
    node.freeIps.erase(node.freeIps.begin());
  } else {
    host = ++node.nextIp + 1;
  }
  const auto lastDot = cidr.rfind('.', cidr.find('/'));
  return std::string(cidr.substr(0, lastDot + 1)) + std::to_string(host);
}

/// An address that is taken already is not given again.
void SimFleet::noteIp(SimNode& node, const std::string& ip) {
  const auto host = hostOf(ip);
  if (node.adopted && host && *host > 1) node.nextIp = std::max(node.nextIp, *host - 1);
}

void SimFleet::takeIn(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  if (after == nullptr) {
    if (before != nullptr) forget(before->uid());
    return;
  }
  const auto nodeName = std::string(stringAt(after->spec(), {"nodeName"}));
  if (!nodeIndex_.contains(nodeName)) return;
  auto& pod = pods_[after->uid()];
  if (pod == nullptr) {
    pod = std::make_unique<SimPod>();
    pod->life = SimPodLife::begin(*after, now);
    pod->node = nodeName;
    pod->ip = stringAt(after->status(), {"podIP"});
    noteIp(nodes_[nodeIndex_[nodeName]], pod->ip);
    pod->due = now;
    timers_.insert({now, after->uid()});
  }
  const bool startsDeleting = after->deleting() && (pod->object == nullptr || !pod->object->deleting());
  const bool shortened =
      after->deleting() && pod->object != nullptr && after->deletionTime() != pod->object->deletionTime();
  const bool asksAnew = pod->object != nullptr && objectAt(after->metadata(), {"annotations"}) !=
                                                      objectAt(pod->object->metadata(), {"annotations"});
  if (asksAnew) pod->life.askedAt = now;
  pod->object = after;
  if (startsDeleting || shortened || asksAnew) {
    if (pod->due) timers_.erase({*pod->due, after->uid()});
    pod->due = now;
    timers_.insert({now, after->uid()});
  }
}

void SimFleet::forget(const std::string& uid) {
  const auto it = pods_.find(uid);
  if (it == pods_.end()) return;
  barrier::forget(placeOf(*it->second->object));
  if (it->second->due) timers_.erase({*it->second->due, uid});
  if (auto* node = nodeOf(it->second->node); node != nullptr && !it->second->ip.empty()) {
    if (const auto host = hostOf(it->second->ip)) node->freeIps.insert(*host);
  }
  pods_.erase(it);
}

void SimFleet::walk(SimPod& pod, Time now) {
  const auto uid = pod.object->uid();
  auto schedule = [&](std::optional<Time> due) {
    pod.due = due;
    if (due) timers_.insert({*due, uid});
  };
  if (pod.life.phase == SimPodLife::Phase::gone) return;
  SimPodLife::Delays delays;
  delays.start = options_.startDelay;
  if (options_.delaysOf) delays = options_.delaysOf(*pod.object);
  else if (stringAt(pod.object->spec(), {"restartPolicy"}, "Always") != "Always") delays.exit = options_.endAfter;
  if (pod.object->deleting()) {
    if (!pod.stopSeen) pod.stopSeen = now;
    const Time gone = pod.life.goneAt(*pod.object, delays, *pod.stopSeen);
    if (delays.end && *pod.stopSeen + *delays.end < gone && !pod.ended) {
      const Time end = *pod.stopSeen + *delays.end;
      if (now < end) return schedule(end);
      endContainers(pod);
    }
    if (now < gone) return schedule(gone);
    finishDeletion(pod);
    return schedule(now + seconds(5));  // asks again if the server did not hear it
  }
  const auto next = pod.life.advance(*pod.object, delays, now);
  report(pod, now);
  schedule(next);
}

/// Nothing runs any more, and others may have the place; the pod itself goes a little later.
void SimFleet::endContainers(SimPod& pod) {
  pod.ended = true;
  const bool job = stringAt(pod.object->spec(), {"restartPolicy"}, "Always") != "Always";
  outbox_.push_back(Write::patch({"pods", pod.object->ns(), pod.object->name()}, PatchType::merge,
                                 json::object{{"status", json::object{{"phase", job ? "Failed" : "Succeeded"}}}},
                                 "status"));
}

void SimFleet::finishDeletion(SimPod& pod) {
  // Who holds the pod waits to see how it ended.
  const auto phase = stringAt(pod.object->status(), {"phase"});
  if (!pod.object->finalizers().empty() && phase != "Succeeded" && phase != "Failed")
    outbox_.push_back(Write::patch({"pods", pod.object->ns(), pod.object->name()}, PatchType::merge,
                                   json::object{{"status", json::object{{"phase", "Failed"}}}}, "status"));
  DeleteOptions options;
  options.gracePeriodSeconds = 0;
  options.uid = pod.object->uid();
  outbox_.push_back(Write::remove({"pods", pod.object->ns(), pod.object->name()}, options));
}

void SimFleet::report(SimPod& pod, Time) {
  // Who asks for a slow start wants to see it; else one write less for each pod.
  if (pod.life.phase == SimPodLife::Phase::waiting) {
    const auto wishes = simWishesOf(*pod.object);
    if (!wishes.start && wishes.mistake.empty()) return;
  }
  auto* node = nodeOf(pod.node);
  if (pod.ip.empty()) pod.ip = allocateIp(*node);
  const auto stored = informer_->snapshot().get("nodes", "", pod.node);
  const auto& addresses = stored == nullptr ? json::array() : arrayAt(stored->status(), {"addresses"});
  const std::string hostIp(addresses.empty() ? "" : stringAt(addresses.front(), {"address"}));
  json::value patch = json::object{{"status", pod.life.status(*pod.object, pod.ip, hostIp)}};
  auto text = jsonText(patch);
  if (text == pod.reported) return;
  pod.reported = std::move(text);
  outbox_.push_back(
      Write::patch({"pods", pod.object->ns(), pod.object->name()}, PatchType::merge, std::move(patch), "status"));
}

void SimFleet::flush(Time now) {
  if (outbox_.empty()) return;
  std::vector<Write> writes = std::move(outbox_);
  outbox_.clear();
  const auto targets = [&] {
    std::vector<ObjectRef> out;
    for (const auto& write : writes) out.push_back(write.target);
    return out;
  }();
  const auto results = client_.batch(std::move(writes), {});
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i].ok() || results[i].error().code == Errc::notFound) continue;
    // Tell it again: forget what was reported and look at the pod soon.
    const auto object = informer_->snapshot().get(targets[i]);
    const auto it = object == nullptr ? pods_.end() : pods_.find(object->uid());
    if (it == pods_.end()) continue;
    it->second->reported.clear();
    if (it->second->due) timers_.erase({*it->second->due, it->first});
    it->second->due = now + milliseconds(200);
    timers_.insert({*it->second->due, it->first});
  }
}

Loop::Next SimFleet::step(Time now) {
  if (informer_ == nullptr)
    informer_ = std::make_unique<Informer>(client_, std::vector<Informer::Source>{{"pods", {}}, {"nodes", {}}},
                                           wakerForMe(), nullptr, Snapshot::Indexes::none);
  retryAt_.reset();
  registerNodes(now);
  renewLeases(now);
  const bool more = informer_->pump(
      now,
      [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
        if (resource == "pods") takeIn(before, after, now);
        else if (after == nullptr || saysUnknown(*after))
          if (auto* node = nodeOf((after ? after : before)->name())) node->registered = false;
      },
      2000);
  std::size_t budget = 5000;
  std::vector<std::string> unreachable;
  while (!timers_.empty() && timers_.begin()->first <= now && budget-- > 0) {
    const auto uid = timers_.begin()->second;
    timers_.erase(timers_.begin());
    const auto it = pods_.find(uid);
    if (it == pods_.end()) continue;
    it->second->due.reset();
    // A pod that cannot be walked holds up itself alone.
    const auto& object = *it->second->object;
    const auto fault = barrier::run(placeOf(object), [&] {
      if (reachable(*it->second)) walk(*it->second, now);
    });
    if (!fault || it->second->due) continue;
    it->second->due = now + seconds(2);
    timers_.insert({*it->second->due, uid});
  }
  flush(now);
  std::optional<Time> next = retryAt_;
  auto sooner = [&](std::optional<Time> t) {
    if (t && (!next || *t < *next)) next = t;
  };
  if (more) return again(now);
  if (!timers_.empty()) sooner(timers_.begin()->first);
  sooner(informer_->retryAt());
  for (const auto& node : nodes_) {
    if (node.adopted || node.state != NodeState::up) continue;
    sooner(node.registered ? node.leaseDue : now + seconds(1));
  }
  return {next};
}

}  // namespace steer
