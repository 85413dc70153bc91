// Counts, conditions, and the writes that come out of a decision.
#include <algorithm>
#include <limits>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/rollout.h"
#include "core/rfc3339.h"

namespace steer {

Rollout::Rollout(const Snapshot& snapshot, ObjectPtr deployment, std::vector<ObjectPtr> sets, Time now)
    : snapshot_(snapshot), deployment_(std::move(deployment)), now_(now), status_(deployment_->status()) {
  before_ = status_;
  std::sort(sets.begin(), sets.end(), [](const ObjectPtr& a, const ObjectPtr& b) {
    return std::make_tuple(a->created(), a->name()) < std::make_tuple(b->created(), b->name());
  });
  for (auto& set : sets) sets_.push_back({set, set->json()});
  sets_.reserve(sets_.size() + 1);
}

std::vector<Rollout::Set*> Rollout::oldSets() {
  std::vector<Set*> out;
  for (std::size_t i = 0; i < sets_.size(); ++i)
    if (!newIndex_ || i != *newIndex_) out.push_back(&sets_[i]);
  return out;
}

std::int64_t Rollout::sum(std::string_view statusCount) const {
  std::int64_t n = 0;
  for (const auto& set : sets_) n += set.statusOf(statusCount);
  return n;
}

std::int64_t Rollout::specSum() const {
  std::int64_t n = 0;
  for (const auto& set : sets_) n += set.replicas();
  return n;
}

std::optional<std::int64_t> Rollout::progressDeadline() const {
  const auto* value = find(deployment_->spec(), {"progressDeadlineSeconds"});
  const auto n = value == nullptr ? std::nullopt : asInt(*value);
  if (!n || *n == std::numeric_limits<std::int32_t>::max()) return std::nullopt;
  return n;
}

Decision Rollout::decide() {
  resolveLimits();
  findNewSet();
  if (!deployment_->deleting()) {
    notePause();
    if (paused() || scalingWanted()) {
      scaleProportionally();
    } else if (rolling()) {
      rollOut();
    } else {
      recreate();
    }
  }
  refreshStatus();
  if (complete(status_) || paused()) pruneHistory();
  finish();
  return std::move(out_);
}

void Rollout::setProgressing(std::string_view status, std::string_view reason, const std::string& message) {
  setCondition(status_, {"Progressing", status, reason, message}, now_);
  for (auto& item : ensureArray(status_, "conditions"))
    if (stringAt(item, {"type"}) == "Progressing") item.as_object()["lastUpdateTime"] = formatTime(now_);
}

void Rollout::notePause() {
  if (!progressDeadline()) return;
  const auto* condition = findCondition(status_, "Progressing");
  const auto reason = condition == nullptr ? std::string_view() : stringAt(*condition, {"reason"});
  if (reason == "ProgressDeadlineExceeded") return;
  if (paused() && reason != "DeploymentPaused") setProgressing("Unknown", "DeploymentPaused", "Deployment is paused");
  if (!paused() && reason == "DeploymentPaused")
    setProgressing("Unknown", "DeploymentResumed", "Deployment is resumed");
}

void Rollout::refreshStatus() {
  json::object fresh = status_;
  auto put = [&](std::string_view key, std::int64_t value) {
    if (value == 0) fresh.erase(jkey(key));
    else fresh[jkey(key)] = value;
  };
  const auto available = sum("availableReplicas");
  put("observedGeneration", deployment_->generation());
  put("replicas", sum("replicas"));
  put("updatedReplicas", newSet() == nullptr ? 0 : newSet()->statusOf("replicas"));
  put("readyReplicas", sum("readyReplicas"));
  put("availableReplicas", available);
  put("unavailableReplicas", std::max<std::int64_t>(0, specSum() - available));
  status_ = fresh;
  const bool enough = available >= replicas() - maxUnavailable();
  const auto* known = findCondition(before_, "Available");
  setCondition(
      status_,
      {"Available", enough ? "True" : "False", enough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
       enough ? "Deployment has minimum availability." : "Deployment does not have minimum availability."},
      now_);
  if (known == nullptr || stringAt(*known, {"status"}) != (enough ? "True" : "False"))
    for (auto& item : ensureArray(status_, "conditions"))
      if (stringAt(item, {"type"}) == "Available") item.as_object()["lastUpdateTime"] = formatTime(now_);
  if (!paused() && !deployment_->deleting()) judgeProgress(fresh);
  const json::object* failure = nullptr;
  for (const auto& set : sets_)
    if (const auto* found = findCondition(objectAt(set.body, {"status"}), "ReplicaFailure")) failure = found;
  if (failure == nullptr) removeCondition(status_, "ReplicaFailure");
  else
    setCondition(status_, {"ReplicaFailure", "True", stringAt(*failure, {"reason"}), stringAt(*failure, {"message"})},
                 now_);
}

bool Rollout::complete(const json::object& status) const {
  return intAt(status, {"updatedReplicas"}) == replicas() && intAt(status, {"replicas"}) == replicas() &&
         intAt(status, {"availableReplicas"}) == replicas() && newSet() != nullptr &&
         intAt(status, {"observedGeneration"}) >= deployment_->generation();
}

bool Rollout::timedOut(const json::object& condition) const {
  const auto reason = stringAt(condition, {"reason"});
  if (reason == "NewReplicaSetAvailable") return false;
  if (reason == "ProgressDeadlineExceeded") return true;
  const auto since = parseTime(stringAt(condition, {"lastUpdateTime"}));
  return since && *since + seconds(*progressDeadline()) < now_;
}

void Rollout::judgeProgress(const json::object& fresh) {
  if (!progressDeadline()) {
    removeCondition(status_, "Progressing");
    return;
  }
  const std::string what =
      newSet() == nullptr ? "Deployment \"" + deployment_->name() + "\"" : "ReplicaSet \"" + newSet()->name() + "\"";
  const auto* condition = findCondition(status_, "Progressing");
  const auto reason = condition == nullptr ? std::string_view() : stringAt(*condition, {"reason"});
  const bool settled =
      reason == "NewReplicaSetAvailable" && intAt(fresh, {"replicas"}) == intAt(fresh, {"updatedReplicas"});
  auto old = [&](std::string_view key) { return intAt(before_, {key}); };
  auto cur = [&](std::string_view key) { return intAt(fresh, {key}); };
  const bool moved = cur("updatedReplicas") > old("updatedReplicas") ||
                     cur("replicas") - cur("updatedReplicas") < old("replicas") - old("updatedReplicas") ||
                     cur("readyReplicas") > old("readyReplicas") || cur("availableReplicas") > old("availableReplicas");
  if (!settled) {
    if (complete(fresh)) setProgressing("True", "NewReplicaSetAvailable", what + " has successfully progressed.");
    else if (moved) setProgressing("True", "ReplicaSetUpdated", what + " is progressing.");
    else if (condition != nullptr && reason != "ProgressDeadlineExceeded" && timedOut(*condition))
      setProgressing("False", "ProgressDeadlineExceeded", what + " has timed out progressing.");
  }
  condition = findCondition(status_, "Progressing");
  if (condition == nullptr || complete(fresh)) return;
  const auto now = stringAt(*condition, {"reason"});
  if (now == "NewReplicaSetAvailable" || now == "ProgressDeadlineExceeded") return;
  if (const auto since = parseTime(stringAt(*condition, {"lastUpdateTime"})))
    out_.recheck = *since + seconds(*progressDeadline() + 1);
}

void Rollout::finish() {
  std::vector<Write> writes;
  for (auto& set : sets_) {
    if (set.fresh) writes.push_back(Write::create("replicasets.apps", std::move(set.body)));
    else if (set.changed) writes.push_back(Write::update("replicasets.apps", std::move(set.body)));
  }
  if (status_ != before_) {
    json::object body = deployment_->json();
    body["status"] = status_;
    writes.push_back(Write::updateStatus("deployments.apps", std::move(body)));
  }
  // Last and without a revision: the status above has just moved it.
  if (!revisionText_.empty() && deployment_->annotation(kRevision) != revisionText_) {
    json::object annotations{{kRevision, revisionText_}};
    writes.push_back(Write::patch({"deployments.apps", deployment_->ns(), deployment_->name()}, PatchType::merge,
                                  json::object{{"metadata", {{"annotations", std::move(annotations)}}}}));
  }
  for (auto& removal : out_.writes) writes.push_back(std::move(removal));
  out_.writes = std::move(writes);
  // An event tells of a write: it is recorded when the set's write went through.
  if (!out_.writes.empty())
    for (auto& event : out_.events) event.afterWrite = 0;
}

}  // namespace steer
