#include "cluster/controllers/replicas.h"

#include <algorithm>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/ownership.h"
#include "cluster/controllers/pod_facts.h"
#include "cluster/controllers/scale_down.h"

namespace steer {
namespace {

/// A new pod from the owner's template; the server completes its name.
json::object podFromTemplate(const Object& owner) {
  const auto& podTemplate = objectAt(owner.spec(), {"template"});
  json::object metadata{{"generateName", owner.name() + "-"}, {"namespace", owner.ns()}};
  for (const char* key : {"labels", "annotations", "finalizers"})
    if (const auto* value = find(podTemplate, {"metadata", key})) metadata[key] = *value;
  metadata["ownerReferences"] = json::array{controllerRef(owner)};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", std::move(metadata)},
          {"spec", objectAt(podTemplate, {"spec"})}};
}

bool hasLabels(const Object& pod, const json::object& wanted) {
  for (const auto& [key, value] : wanted) {
    const auto* have = pod.labels().if_contains(key);
    if (have == nullptr || *have != value) return false;
  }
  return true;
}

void setCount(json::object& status, std::string_view key, std::int64_t value) {
  if (value == 0) status.erase(jkey(key));
  else status[jkey(key)] = value;
}

/// The counts of the status; `recheck` is when the next pod becomes available by waiting.
json::object countReplicas(const Object& owner, const std::vector<ObjectPtr>& pods, Time now,
                           std::optional<Time>& recheck) {
  const auto& templateLabels = objectAt(owner.spec(), {"template", "metadata", "labels"});
  const auto minReady = intAt(owner.spec(), {"minReadySeconds"});
  std::int64_t labelled = 0, ready = 0, available = 0;
  for (const auto& pod : pods) {
    if (hasLabels(*pod, templateLabels)) ++labelled;
    const auto at = podfacts::availableAt(*pod, minReady);
    if (!at) continue;
    ++ready;
    if (*at <= now) ++available;
    else if (!recheck || *at < *recheck) recheck = *at;
  }
  json::object status = owner.status();
  status["replicas"] = static_cast<std::int64_t>(pods.size());
  setCount(status, "fullyLabeledReplicas", labelled);
  setCount(status, "readyReplicas", ready);
  setCount(status, "availableReplicas", available);
  setCount(status, "observedGeneration", owner.generation());
  return status;
}

Write statusWrite(const std::string& resource, const Object& owner, json::object status) {
  json::object body = owner.json();
  body["status"] = std::move(status);
  return Write::updateStatus(resource, std::move(body));
}

/// Active pods per node of this owner and of its siblings (the other replica sets of a deployment).
std::map<std::string, std::size_t> companyOf(const Snapshot& snapshot, const std::string& resource,
                                             const Object& owner) {
  std::vector<std::string> uids{owner.uid()};
  if (const auto parent = owner.controllerOwner()) {
    for (const auto& sibling : snapshot.ownedBy(resource, parent->uid))
      if (sibling->uid() != owner.uid()) uids.push_back(sibling->uid());
  }
  std::map<std::string, std::size_t> out;
  for (const auto& uid : uids)
    for (const auto& pod : snapshot.ownedBy("pods", uid))
      if (podfacts::active(*pod)) ++out[std::string(stringAt(pod->spec(), {"nodeName"}))];
  return out;
}

void createPods(const Object& owner, const ObjectPtr& about, std::size_t count, Decision& out) {
  const json::object pod = podFromTemplate(owner);
  out.slowStart = {out.writes.size(), std::min(count, kReplicaBurst)};
  for (std::size_t i = 0; i < std::min(count, kReplicaBurst); ++i) {
    EventNote note{about, "Normal", "SuccessfulCreate", "Created pod: {name}", out.writes.size()};
    out.writes.push_back(Write::create("pods", pod));
    out.events.push_back(std::move(note));
  }
}

void deletePods(const std::vector<ObjectPtr>& victims, const ObjectPtr& about, Decision& out) {
  for (const auto& pod : victims) {
    EventNote note{about, "Normal", "SuccessfulDelete", "Deleted pod: " + pod->name(), out.writes.size()};
    DeleteOptions options;
    options.uid = pod->uid();
    out.writes.push_back(Write::remove({"pods", pod->ns(), pod->name()}, std::move(options)));
    out.events.push_back(std::move(note));
  }
}

}  // namespace

std::vector<Controller::Key> ReplicaController::keysFor(const Snapshot& snapshot, std::string_view resource,
                                                        const ObjectPtr& before, const ObjectPtr& after) const {
  if (resource == kind_.resource) {
    const auto& object = after ? after : before;
    return {{object->ns(), object->name()}};
  }
  return ownerKeys(snapshot, kind_.resource, kind_.kind, before, after, kind_.selectorOf);
}

Decision ReplicaController::decide(const Snapshot& snapshot, const Key& key, Time now) const {
  Decision out;
  const auto owner = snapshot.get(kind_.resource, key.ns, key.name);
  if (!owner) return out;
  const auto selector = kind_.selectorOf(*owner);
  if (selector.matchesEverything()) {
    out.events.push_back({owner, "Warning", "SelectingAll", "This controller selects all pods; it does nothing."});
    return out;
  }
  if (!selector.matches(objectAt(owner->spec(), {"template", "metadata", "labels"}))) {
    out.events.push_back({owner, "Warning", "SelectorMismatch",
                          "The selector does not select the template's pods; they would be created without end."});
    return out;
  }
  auto claim = claimOwned(snapshot, "pods", *owner, selector, &podfacts::active);
  out.writes = std::move(claim.writes);
  std::vector<ObjectPtr> pods;
  for (auto& pod : claim.owned)
    if (podfacts::active(*pod)) pods.push_back(std::move(pod));

  const auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, intAt(owner->spec(), {"replicas"}, 1)));
  if (!owner->deleting()) {
    if (pods.size() < wanted) {
      createPods(*owner, owner, wanted - pods.size(), out);
    } else if (pods.size() > wanted) {
      const auto excess = std::min(pods.size() - wanted, kReplicaBurst);
      deletePods(podsToDelete(pods, excess, companyOf(snapshot, kind_.resource, *owner), now), owner, out);
    }
  }
  json::object status = countReplicas(*owner, pods, now, out.recheck);
  removeCondition(status, "ReplicaFailure");  // written after the pods: their failure ends the list before
  if (status != owner->status()) out.writes.push_back(statusWrite(kind_.resource, *owner, std::move(status)));
  return out;
}

Decision ReplicaController::refused(const Snapshot& snapshot, const Key& key, const Write& write, const Error& error,
                                    Time now) const {
  Decision out;
  const auto owner = snapshot.get(kind_.resource, key.ns, key.name);
  const bool creating = write.verb == Write::Verb::create;
  const bool deleting = write.verb == Write::Verb::remove;
  if (!owner || write.target.resource != "pods" || !(creating || deleting)) return out;
  if (deleting && error.code == Errc::notFound) return out;
  const std::string reason = creating ? "FailedCreate" : "FailedDelete";
  std::vector<ObjectPtr> pods;
  for (const auto& pod : snapshot.ownedBy("pods", owner->uid()))
    if (podfacts::active(*pod) && kind_.selectorOf(*owner).matches(pod->labels())) pods.push_back(pod);
  json::object status = countReplicas(*owner, pods, now, out.recheck);
  // The first message stays while the reason does: each new text would be a write, that write a new attempt, and the
  // attempt's error names another pod.
  const auto* known = findCondition(status, "ReplicaFailure");
  if (known == nullptr || stringAt(*known, {"status"}) != "True" || stringAt(*known, {"reason"}) != reason)
    setCondition(status, {"ReplicaFailure", "True", reason, error.message}, now);
  if (status != owner->status()) out.writes.push_back(statusWrite(kind_.resource, *owner, std::move(status)));
  const std::string lead = creating ? "Error creating: " : "Error deleting: ";
  out.events.push_back({owner, "Warning", reason, lead + error.message, std::nullopt});
  return out;
}

}  // namespace steer
