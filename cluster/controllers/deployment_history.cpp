// Which replica set is the current one, its revision, and which old ones to forget.
#include <algorithm>
#include <charconv>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/deployment.h"
#include "cluster/controllers/ownership.h"
#include "cluster/controllers/rollout.h"

namespace steer {
namespace {

enum class Round { up, down };

/// An int-or-percentage of the total.
std::int64_t shareOf(const json::value* value, std::int64_t total, Round round) {
  if (value == nullptr) return 0;
  if (const auto n = asInt(*value)) return *n;
  const auto* text = value->if_string();
  if (text == nullptr) return 0;
  std::int64_t percent = 0;
  std::from_chars(text->data(), text->data() + text->size(), percent);
  if (!view(*text).ends_with('%')) return percent;
  return (percent * total + (round == Round::up ? 99 : 0)) / 100;
}

json::object withoutHash(const json::object& podTemplate) {
  json::object out = podTemplate;
  auto* metadata = out.if_contains("metadata");
  if (metadata == nullptr || !metadata->is_object()) return out;
  auto* labels = metadata->get_object().if_contains("labels");
  if (labels != nullptr && labels->is_object()) labels->get_object().erase(jkey(kTemplateHash));
  return out;
}

/// What may be written out or left out: an older server kept it, this one does not.
bool saysNothing(const json::value& value) {
  if (const auto* map = value.if_object()) return map->empty();
  if (const auto* list = value.if_array()) return list->empty();
  return value.is_null() || value == json::value(false) || value == json::value("") || value == json::value(0);
}

/// Whether `have` says all that `want` says, and perhaps more.
bool covers(const json::value& have, const json::value& want) {
  if (const auto* wanted = want.if_object()) {
    const auto* all = have.if_object();
    return std::all_of(wanted->begin(), wanted->end(), [&](const auto& member) {
      const auto* mine = all == nullptr ? nullptr : all->if_contains(member.key());
      return mine == nullptr ? saysNothing(member.value()) : covers(*mine, member.value());
    });
  }
  const auto* wanted = want.if_array();
  const auto* all = have.if_array();
  if (wanted == nullptr || all == nullptr) return have == want;
  return std::equal(all->begin(), all->end(), wanted->begin(), wanted->end(), &covers);
}

/// Annotations of the deployment that stay with it.
bool staysWithDeployment(std::string_view key) {
  return key == "kubectl.kubernetes.io/last-applied-configuration" || key == kRevision || key == kRevisionHistory ||
         key == kDesiredReplicas || key == kMaxReplicas || key == "deprecated.deployment.rollback.to";
}

}  // namespace

std::int64_t Rollout::Set::annotationNumber(std::string_view key) const {
  const auto text = stringAt(body, {"metadata", "annotations", key});
  std::int64_t n = 0;
  std::from_chars(text.data(), text.data() + text.size(), n);
  return n;
}

std::int64_t Rollout::Set::revision() const { return annotationNumber(kRevision); }

void Rollout::resolveLimits() {
  if (!rolling()) return;
  const auto& spec = deployment_->spec();
  maxSurge_ = shareOf(find(spec, {"strategy", "rollingUpdate", "maxSurge"}), replicas(), Round::up);
  maxUnavailable_ = shareOf(find(spec, {"strategy", "rollingUpdate", "maxUnavailable"}), replicas(), Round::down);
  if (maxSurge_ == 0 && maxUnavailable_ == 0) maxUnavailable_ = 1;  // or the rollout could never move
  maxUnavailable_ = std::min(maxUnavailable_, replicas());
}

void Rollout::findNewSet() {
  const auto wanted = withoutHash(objectAt(deployment_->spec(), {"template"}));
  for (std::size_t i = 0; i < sets_.size(); ++i) {  // oldest first: the first equal one wins
    if (withoutHash(objectAt(sets_[i].body, {"spec", "template"})) != wanted) continue;
    newIndex_ = i;
    return;
  }
  // Stored before a default existed, the template differs from the one that the server made of it in our set. Without
  // this the set would be made again and again, each time under another name.
  const auto hash = podTemplateHash(objectAt(deployment_->spec(), {"template"}), intAt(status_, {"collisionCount"}));
  for (std::size_t i = 0; i < sets_.size(); ++i) {
    if (sets_[i].name() != deployment_->name() + "-" + hash) continue;
    if (covers(withoutHash(objectAt(sets_[i].body, {"spec", "template"})), wanted)) newIndex_ = i;
  }
}

bool Rollout::ensureNewSet() {
  std::int64_t last = 0;
  for (const auto* set : oldSets()) last = std::max(last, set->revision());
  if (auto* set = newSet()) {
    annotateNewSet(*set, last + 1);
    const auto minReady = intAt(deployment_->spec(), {"minReadySeconds"});
    if (intAt(set->body, {"spec", "minReadySeconds"}) != minReady) {
      ensureObject(set->body, "spec")["minReadySeconds"] = minReady;
      set->changed = true;
    }
    revisionText_ = std::to_string(set->revision());
    if (progressDeadline() && findCondition(status_, "Progressing") == nullptr)
      setProgressing("True", "FoundNewReplicaSet", "Found new replica set \"" + set->name() + "\"");
    return true;
  }
  const auto collisions = intAt(status_, {"collisionCount"});
  const auto hash = podTemplateHash(objectAt(deployment_->spec(), {"template"}), collisions);
  if (snapshot_.get("replicasets.apps", deployment_->ns(), deployment_->name() + "-" + hash)) {
    // The name is taken by a set that is not ours or has another template: hash again next time.
    status_["collisionCount"] = collisions + 1;
    return false;
  }
  createNewSet(hash, last + 1);
  return true;
}

void Rollout::createNewSet(const std::string& hash, std::int64_t revision) {
  json::object podTemplate = objectAt(deployment_->spec(), {"template"});
  ensureObject(ensureObject(podTemplate, "metadata"), "labels")[jkey(kTemplateHash)] = hash;
  json::object selector = objectAt(deployment_->spec(), {"selector"});
  ensureObject(selector, "matchLabels")[jkey(kTemplateHash)] = hash;
  json::object labels = objectAt(podTemplate, {"metadata", "labels"});
  json::object spec{{"replicas", 0}, {"selector", std::move(selector)}, {"template", std::move(podTemplate)}};
  if (const auto minReady = intAt(deployment_->spec(), {"minReadySeconds"}); minReady != 0)
    spec["minReadySeconds"] = minReady;
  Set set;
  set.body = {{"apiVersion", "apps/v1"},
              {"kind", "ReplicaSet"},
              {"metadata",
               {{"name", deployment_->name() + "-" + hash},
                {"namespace", deployment_->ns()},
                {"labels", std::move(labels)},
                {"ownerReferences", json::array{controllerRef(*deployment_)}}}},
              {"spec", std::move(spec)}};
  set.fresh = true;
  set.object = Object::make(set.body);
  sets_.push_back(std::move(set));
  newIndex_ = sets_.size() - 1;
  auto& made = sets_.back();
  annotateNewSet(made, revision);
  const auto size = rolling() ? allowedForNewSet(0) : replicas();
  ensureObject(made.body, "spec")["replicas"] = size;
  annotateSize(made);
  revisionText_ = std::to_string(revision);
  out_.events.push_back({deployment_, "Normal", "ScalingReplicaSet",
                         "Scaled up replica set " + made.name() + " from 0 to " + std::to_string(size), std::nullopt});
  if (progressDeadline())
    setProgressing("True", "NewReplicaSetCreated", "Created new replica set \"" + made.name() + "\"");
}

void Rollout::annotateNewSet(Set& set, std::int64_t revision) {
  auto& annotations = ensureObject(ensureObject(set.body, "metadata"), "annotations");
  for (const auto& [key, value] : deployment_->annotations()) {
    if (staysWithDeployment(view(json::string(key))) || (annotations.contains(key) && annotations.at(key) == value))
      continue;
    annotations[key] = value;
    set.changed = true;
  }
  if (set.revision() >= revision) return;
  const std::string old(stringAt(annotations, {kRevision}));
  if (!old.empty()) {
    std::string history(stringAt(annotations, {kRevisionHistory}));
    history += history.empty() ? old : "," + old;
    annotations[jkey(kRevisionHistory)] = history;
  }
  annotations[jkey(kRevision)] = std::to_string(revision);
  set.changed = true;
}

void Rollout::pruneHistory() {
  const auto* limit = find(deployment_->spec(), {"revisionHistoryLimit"});
  if (limit == nullptr) return;
  std::vector<Set*> old;
  for (auto* set : oldSets())
    if (!set->object->deleting()) old.push_back(set);
  const auto excess = static_cast<std::int64_t>(old.size()) - asInt(*limit).value_or(10);
  std::stable_sort(old.begin(), old.end(), [](const Set* a, const Set* b) { return a->revision() < b->revision(); });
  for (std::int64_t i = 0; i < excess; ++i) {
    const auto& set = *old[static_cast<std::size_t>(i)];
    if (set.replicas() != 0 || set.statusOf("replicas") != 0 ||
        set.object->generation() > set.statusOf("observedGeneration"))
      continue;
    DeleteOptions options;
    options.uid = set.object->uid();
    out_.writes.push_back(Write::remove({"replicasets.apps", set.object->ns(), set.name()}, std::move(options)));
  }
}

}  // namespace steer
