#pragma once
// Rollout: one deployment with its replica sets while a decision about it is being made. The steps
// edit the values here; finish() turns what changed into writes. Pure.
// Source of the rules: Kubernetes documentation, "Deployments".
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/controller.h"

namespace steer {

class Rollout {
 public:
  struct Set {
    ObjectPtr object;  ///< as observed; for a new one, as it will be created
    json::object body;
    bool fresh = false;
    bool changed = false;

    std::int64_t replicas() const { return intAt(body, {"spec", "replicas"}, 1); }
    std::int64_t statusOf(std::string_view count) const { return intAt(body, {"status", count}); }
    std::int64_t revision() const;
    std::int64_t annotationNumber(std::string_view key) const;
    const std::string& name() const { return object->name(); }
  };

  Rollout(const Snapshot& snapshot, ObjectPtr deployment, std::vector<ObjectPtr> sets, Time now);

  /// Everything, in the order the rules ask for.
  Decision decide();

 private:
  std::int64_t replicas() const { return intAt(deployment_->spec(), {"replicas"}, 1); }
  std::int64_t maxSurge() const { return maxSurge_; }
  std::int64_t maxUnavailable() const { return maxUnavailable_; }
  bool rolling() const { return stringAt(deployment_->spec(), {"strategy", "type"}) != "Recreate"; }
  bool paused() const { return boolAt(deployment_->spec(), {"paused"}); }
  std::optional<std::int64_t> progressDeadline() const;
  Set* newSet() { return newIndex_ ? &sets_[*newIndex_] : nullptr; }
  const Set* newSet() const { return newIndex_ ? &sets_[*newIndex_] : nullptr; }
  std::vector<Set*> oldSets();  ///< oldest first
  std::int64_t sum(std::string_view statusCount) const;
  std::int64_t specSum() const;

  // deployment_history.cpp
  void resolveLimits();
  void findNewSet();
  /// Makes or refreshes the set of the current template. False when a name collision ended the step.
  bool ensureNewSet();
  void createNewSet(const std::string& hash, std::int64_t revision);
  void annotateNewSet(Set& set, std::int64_t revision);
  void pruneHistory();

  // deployment_scaling.cpp
  bool scalingWanted() const;
  void scaleProportionally();
  void spreadOver(std::vector<Set*> active);
  bool scaleSet(Set& set, std::int64_t to);
  void annotateSize(Set& set);

  // deployment_strategy.cpp
  void rollOut();
  void recreate();
  bool scaleNewSet();
  void scaleOldSets();
  std::int64_t cleanUnhealthy(std::int64_t limit);
  std::int64_t allowedForNewSet(std::int64_t current) const;
  bool oldPodsRunning();

  // deployment_status.cpp
  void notePause();
  void setProgressing(std::string_view status, std::string_view reason, const std::string& message);
  void refreshStatus();
  void judgeProgress(const json::object& fresh);
  bool complete(const json::object& status) const;
  bool timedOut(const json::object& condition) const;
  void finish();

  const Snapshot& snapshot_;
  ObjectPtr deployment_;
  Time now_;
  std::vector<Set> sets_;
  std::optional<std::size_t> newIndex_;
  std::int64_t maxSurge_ = 0;
  std::int64_t maxUnavailable_ = 0;
  json::object status_;  ///< working copy
  std::string revisionText_;
  json::object before_;  ///< status as observed
  Decision out_;
};

inline constexpr std::string_view kRevision = "deployment.kubernetes.io/revision";
inline constexpr std::string_view kRevisionHistory = "deployment.kubernetes.io/revision-history";
inline constexpr std::string_view kDesiredReplicas = "deployment.kubernetes.io/desired-replicas";
inline constexpr std::string_view kMaxReplicas = "deployment.kubernetes.io/max-replicas";
inline constexpr std::string_view kTemplateHash = "pod-template-hash";

}  // namespace steer
