#include "simulator/rehearsal_record.h"

#include <algorithm>
#include <charconv>

#include "cluster/scheduler/pod_needs.h"
#include "reconciler/health/health.h"

namespace steer {
namespace {

constexpr std::size_t kAtOnce = 5000;

std::string keyOf(const Object& object) { return object.ns() + "/" + object.name(); }

bool holds(const Object& pod, std::string_view type) {
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == type) return stringAt(condition, {"status"}) == "True";
  return false;
}

/// Why the scheduler finds no place; empty when it does not say so.
std::string unplacedReason(const Object& pod) {
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "PodScheduled" && stringAt(condition, {"status"}) == "False")
      return std::string(stringAt(condition, {"message"}));
  return "";
}

bool over(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  return phase == "Succeeded" || phase == "Failed";
}

int readyEndpoints(const Object& slice) {
  int out = 0;
  for (const auto& endpoint : arrayAt(slice.json(), {"endpoints"}))
    if (boolAt(endpoint, {"conditions", "ready"}, true)) ++out;
  return out;
}

std::vector<Informer::Source> sources() {
  return {{"pods", {}},
          {"deployments.apps", {}},
          {"replicasets.apps", {}},
          {"replicationcontrollers", {}},
          {"jobs.batch", {}},
          {"endpointslices.discovery.k8s.io", {}}};
}

std::string resourceOf(const std::string& kind) {
  if (kind == "Deployment") return "deployments.apps";
  if (kind == "ReplicaSet") return "replicasets.apps";
  if (kind == "ReplicationController") return "replicationcontrollers";
  if (kind == "Job") return "jobs.batch";
  return kind == "Pod" ? "pods" : "";
}

/// "Deployment shop/web" → the object.
ObjectPtr objectOf(const Snapshot& state, const std::string& workload) {
  const auto space = workload.find(' ');
  const auto slash = workload.find('/', space);
  if (space == std::string::npos || slash == std::string::npos) return nullptr;
  return state.get(resourceOf(workload.substr(0, space)), workload.substr(space + 1, slash - space - 1),
                   workload.substr(slash + 1));
}

std::int64_t podsOf(const Object& node) {
  const auto text = stringAt(node.status(), {"allocatable", "pods"});
  std::int64_t out = 0;
  std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

void addAmounts(NodeForecast& node, const PodNeeds& needs, std::int64_t NodeForecast::Amount::*side) {
  node.cpu.*side += needs.requests.milliCpu;
  node.memory.*side += needs.requests.memory;
  node.pods.*side += 1;
}

}  // namespace

RehearsalRecord::RehearsalRecord(Client& client, const Snapshot& before, State state, Time start)
    : before_(before),
      state_(std::move(state)),
      start_(start),
      informer_(client, sources(), wakerForMe(), nullptr, Snapshot::Indexes::none) {}

std::string RehearsalRecord::workloadByOwner(const std::string& ns, const OwnerRef& owner) const {
  if (owner.kind == "ReplicaSet") {
    // Not from what this loop has heard: news of the pod may come before news of its owner.
    auto set = before_.get("replicasets.apps", ns, owner.name);
    if (!set) set = state_().get("replicasets.apps", ns, owner.name);
    if (set)
      if (const auto above = set->controllerOwner()) return above->kind + " " + ns + "/" + above->name;
  }
  return owner.kind + " " + ns + "/" + owner.name;
}

std::string RehearsalRecord::workloadOf(const Object& pod) const {
  const auto owner = pod.controllerOwner();
  return owner ? workloadByOwner(pod.ns(), *owner) : "Pod " + keyOf(pod);
}

void RehearsalRecord::add(ForecastEvent::Kind kind, const std::string& key, const PodState& pod, Time now) {
  if (!primed_) return;
  events_.push_back({now - start_, kind, pod.workload, key, pod.node, pod.existed});
  levels_[pod.workload].done = now - start_;
  touched_.insert(pod.workload);
}

void RehearsalRecord::changed(Level& level, Time now) {
  const bool below = level.ready < level.desired;
  if (level.belowNow && !below) level.below += now - level.since;
  if (!level.belowNow && below) level.since = now;
  level.belowNow = below;
  if (primed_) level.lowest = std::min(level.lowest, level.ready);
}

void RehearsalRecord::takePod(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  using Kind = ForecastEvent::Kind;
  const auto key = keyOf(after ? *after : *before);
  const auto found = pods_.find(key);
  if (!after) {
    if (found == pods_.end()) return;
    auto& level = levels_[found->second.workload];
    if (found->second.ready && !found->second.stopping) --level.ready;
    add(Kind::gone, key, found->second, now);
    changed(level, now);
    pods_.erase(found);
    return;
  }
  auto& pod = pods_[key];
  if (found == pods_.end()) {
    pod.workload = workloadOf(*after);
    pod.existed = !primed_;
    add(Kind::created, key, pod, now);
  }
  auto& level = levels_[pod.workload];
  const auto note = [&](bool& flag, bool value, Kind kind) {
    if (flag == value) return;
    flag = value;
    if (value) add(kind, key, pod, now);
  };
  if (const auto node = stringAt(after->spec(), {"nodeName"}); pod.node != node) {
    pod.node = node;
    add(Kind::placed, key, pod, now);
  }
  note(pod.running, stringAt(after->status(), {"phase"}) == "Running", Kind::running);
  note(pod.failed, stringAt(after->status(), {"phase"}) == "Failed", Kind::failed);
  const bool counted = pod.ready && !pod.stopping;
  note(pod.stopping, after->deleting(), Kind::stopping);
  const bool ready = holds(*after, "Ready") && !over(*after);
  if (pod.ready && !ready && !pod.stopping) add(Kind::unready, key, pod, now);
  note(pod.ready, ready, Kind::ready);
  const bool counts = pod.ready && !pod.stopping;
  level.ready += static_cast<int>(counts) - static_cast<int>(counted);
  changed(level, now);
}

void RehearsalRecord::takeWorkload(const ObjectPtr& object, Time now) {
  // A replica set under a deployment is told by the deployment.
  if (object->kind() == "ReplicaSet" && object->controllerOwner()) return;
  if (object->kind() == "Job") return;
  auto& level = levels_[object->text()];
  level.desired = object->deleting() ? 0 : static_cast<int>(intAt(object->spec(), {"replicas"}, 1));
  changed(level, now);
}

void RehearsalRecord::takeSlice(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  const auto& any = after ? *after : *before;
  const auto name = any.label("kubernetes.io/service-name");
  if (name.empty()) return;
  const auto service = any.ns() + "/" + std::string(name);
  auto& slices = slices_[service];
  if (after) slices[any.name()] = readyEndpoints(any);
  else slices.erase(any.name());
  auto& level = services_[service];
  level.ready = 0;
  for (const auto& [slice, count] : slices) level.ready += count;
  level.desired = 1;  // what counts is to be without any
  changed(level, now);
}

Loop::Next RehearsalRecord::step(Time now) {
  const bool more = informer_.pump(
      now,
      [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
        if (resource == "pods") takePod(before, after, now);
        else if (resource == "endpointslices.discovery.k8s.io") takeSlice(before, after, now);
        else if (after) takeWorkload(after, now);
        else levels_[before->text()].desired = 0;
      },
      kAtOnce);
  if (more) return again(now);
  if (!primed_ && informer_.synced()) {
    primed_ = true;
    for (auto* levels : {&levels_, &services_})
      for (auto& [name, level] : *levels) {
        level.before = level.lowest = level.ready;
        level.belowNow = level.ready < level.desired;
        level.since = start_;
        level.below = {};
      }
  }
  return Next{informer_.retryAt()};
}

bool RehearsalRecord::atRest(const Snapshot& state) const {
  for (const auto& workload : touched_) {
    const auto object = objectOf(state, workload);
    if (object && assessHealth(*object).state == HealthState::progressing) return false;
  }
  return std::none_of(pods_.begin(), pods_.end(), [](const auto& entry) { return entry.second.stopping; });
}

void RehearsalRecord::summarise(Forecast& out, const Snapshot& after) const {
  std::map<std::string, NodeForecast> nodes;
  for (const auto* state : {&before_, &after}) {
    const auto side = state == &before_ ? &NodeForecast::Amount::before : &NodeForecast::Amount::after;
    state->each("nodes", "", [&](const ObjectPtr& node) {
      auto& row = nodes[node->name()];
      row.node = node->name();
      const auto amounts = amountsOf(objectAt(node->status(), {"allocatable"}));
      row.cpu.allocatable = amounts.milliCpu;
      row.memory.allocatable = amounts.memory;
      row.pods.allocatable = podsOf(*node);
    });
    state->each("pods", "", [&](const ObjectPtr& pod) {
      const auto node = nodes.find(std::string(stringAt(pod->spec(), {"nodeName"})));
      if (node != nodes.end() && !over(*pod)) addAmounts(node->second, needsOf(pod), side);
    });
  }
  for (auto& [name, node] : nodes) out.nodes.push_back(std::move(node));
}

Forecast RehearsalRecord::finish(const Snapshot& after, Time now) {
  Forecast out;
  std::map<std::string, WorkloadForecast> rows;
  for (const auto& workload : touched_) {
    auto& row = rows[workload];
    auto& level = levels_[workload];
    if (level.belowNow) level.below += now - level.since;
    row.workload = workload;
    row.desired = level.desired;
    row.readyBefore = level.before;
    row.readyAfter = level.ready;
    row.lowest = level.lowest;
    row.below = level.below;
    row.done = level.done;
    out.took = std::max(out.took, level.done);
    if (const auto object = objectOf(after, workload)) {
      const auto health = assessHealth(*object);
      if (health.state != HealthState::healthy) row.blocked = health.reason;
    }
  }
  for (const auto& event : events_)
    if (event.kind == ForecastEvent::Kind::gone && event.existed) ++rows[event.workload].restarts;
  for (const auto& [key, pod] : pods_) {
    if (pod.existed) continue;
    auto& row = rows[pod.workload];
    ++row.added;
    const auto slash = key.find('/');
    const auto object = after.get("pods", key.substr(0, slash), key.substr(slash + 1));
    if (!pod.node.empty()) ++row.landed[pod.node];
    else if (object) ++row.unplaced[unplacedReason(*object).empty() ? "not placed yet" : unplacedReason(*object)];
  }
  for (auto& [name, row] : rows) out.workloads.push_back(std::move(row));
  for (auto& [name, level] : services_) {
    if (level.belowNow) level.below += now - level.since;
    if (level.before == level.ready && level.lowest == level.before) continue;
    out.services.push_back({name, level.before, level.lowest, level.ready, level.below});
  }
  summarise(out, after);
  out.events = std::move(events_);
  return out;
}

}  // namespace steer
