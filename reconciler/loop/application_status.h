#pragma once
// ApplicationStatus: what `steer status` and `steer history` read, kept as the status of one
// Application object (steersman.dev/v1). Thread rule: one owner.
// Failure rule: a write that fails is tried again by the next flush.
#include <deque>
#include <map>
#include <string>

#include "cluster/client/client.h"
#include "core/clock.h"
#include "reconciler/plan/application_graph.h"
#include "reconciler/report/apply_record.h"

namespace steer {

class ApplicationStatus {
 public:
  /// Of the Application object ns/name, which others make.
  ApplicationStatus(Client& client, std::string ns, std::string name)
      : client_(client), ns_(std::move(ns)), name_(std::move(name)) {}

  void setCommit(const std::string& commit) { commit_ = commit; }
  void setPhase(std::string phase, std::string message);
  void setHealth(std::string health) { health_ = std::move(health); }
  void setResources(json::object counts) { resources_ = std::move(counts); }
  /// type "SourceReady", "Reported", "Valid".
  void setCondition(const std::string& type, bool good, std::string reason, std::string message, Time now);
  void dropCondition(const std::string& type) { conditions_.erase(type); }
  /// status.confirmation, .drift, .breakGlass, .rollback; null takes it away.
  void setDetail(const std::string& field, json::value value) { details_[field] = std::move(value); }
  void setObservedGeneration(std::int64_t generation) { generation_ = generation; }
  void addRun(const ApplyRecord& record);
  /// The commit of the newest healthy run of another commit than this one; empty when there is none.
  std::string lastHealthyBefore(const std::string& commit) const;
  const std::string& lastRunCommit() const { return lastRunCommit_; }
  const std::string& lastApplied() const { return lastApplied_; }
  const std::string& phase() const { return phase_; }
  const std::string& message() const { return message_; }
  const std::string& health() const { return health_; }

  /// Writes what changed; when to try again after a failure.
  std::optional<Time> flush(Time now);

 private:
  json::object body() const;

  Client& client_;
  std::string ns_;
  std::string name_;
  std::int64_t generation_ = 0;
  std::string commit_;
  std::string lastApplied_;
  std::string lastRunCommit_;
  std::string phase_ = "Progressing";
  std::string message_;
  std::string health_;
  json::object resources_;
  std::map<std::string, json::object> conditions_;
  std::map<std::string, json::value> details_;
  std::deque<json::object> history_;
  std::string written_;
  Time retry_{};
};

}  // namespace steer
