#pragma once
// PodWorker: one pod on this node. Keeps what the machine needs to decide, hands its actions to the
// executor and takes in what came of them. At most one set of ordered actions runs at a time; image
// pulls and stopping containers run beside it.
// Thread rule: the loop's thread.
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "nodeagent/agent/job_board.h"
#include "nodeagent/agent/pod_prober.h"
#include "nodeagent/agent/pod_runner.h"
#include "nodeagent/pod/pod_machine.h"

namespace steer {

class PodWorker : public std::enable_shared_from_this<PodWorker> {
 public:
  PodWorker(ObjectPtr pod, NodeContext& node, PodRunner& runner, JobBoard& jobs);

  /// A newer state of the object.
  void update(ObjectPtr pod);
  /// The object is gone from the server: whatever still runs is stopped.
  void lose(Time now);
  bool lost() const { return lost_; }
  /// The runtime changed: observe it again before the next decision.
  void invalidate() { observed_ = false; }

  /// Observes, decides and starts what is due. Answers when to be asked again.
  std::optional<Time> step(Time now);

  const Object& pod() const { return *pod_; }
  const ObjectPtr& podPtr() const { return pod_; }
  const PodRuntimeState& runtime() const { return runtime_; }
  /// Nothing of the pod is left.
  bool finished() const { return finished_; }
  /// The server was told to remove the object.
  bool removed() const { return removed_; }
  void markRemoved() { removed_ = true; }

  /// The status to be written; nullopt when the server has it already.
  std::optional<json::object> statusPatch() const;
  void statusWritten(const json::object& status) { written_ = status; }
  const json::object& status() const { return status_; }
  /// Config maps and secrets may have changed.
  /// The pod, when it runs and shows objects that may have changed.
  ObjectPtr refreshable() const;

 private:
  void observe();
  void decide(Time now);
  void dispatch(const PodDecision& decision, Time now);
  void runOrdered(std::vector<PodAction> actions);
  void runBeside(const PodAction& action, const std::string& key);
  void take(const PodAction& action, ActionOutcome outcome);
  void setback(std::optional<Setback>& slot, std::optional<Setback> fresh);
  ActionSurroundings surroundingsOf(const PodAction& action) const;
  std::string podIp() const;

  ObjectPtr pod_;
  NodeContext& node_;
  PodRunner& runner_;
  JobBoard& jobs_;
  PodProber prober_;
  PodRuntimeState runtime_;
  VolumeFacts volumes_;
  std::optional<Setback> sandboxSetback_;
  std::map<std::string, ContainerFacts> facts_;
  std::map<std::string, PulledImage> images_;
  std::set<std::string> busy_;  ///< "ordered", "pull/NAME", "stop/ID", …
  bool observed_ = false;
  bool observing_ = false;
  bool due_ = true;  ///< decide again although nothing was observed
  std::optional<Time> recheck_;
  std::optional<Time> retryObserve_;
  std::optional<Time> pause_;  ///< a step failed: nothing is done before this time
  json::object status_;
  json::object written_;
  bool released_ = false;
  bool finished_ = false;
  bool lost_ = false;
  bool removed_ = false;
};

}  // namespace steer
