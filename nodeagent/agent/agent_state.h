#pragma once
// The inside of Agent. Thread rule: the loop's thread, but for what is atomic.
#include <atomic>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/client/informer.h"
#include "core/sync.h"
#include "nodeagent/agent/agent.h"
#include "nodeagent/agent/image_keeper.h"
#include "nodeagent/agent/job_board.h"
#include "nodeagent/agent/machine_facts.h"
#include "nodeagent/agent/node_context.h"
#include "nodeagent/agent/node_reporter.h"
#include "nodeagent/agent/pod_runner.h"
#include "nodeagent/agent/pod_worker.h"

namespace steer {

/// What a batch of writes that a fault kept from the server is answered with.
inline std::vector<Result<ObjectPtr>> failedBatch(Error error) { return {Result<ObjectPtr>(std::move(error))}; }

class AgentServer;

struct Agent::State {
  State(AgentOptions given, Client& client, PodRuntime& runtime, Executor& executor, const Clock& clock, Waker waker);
  ~State();

  Loop::Next step(Time now);
  std::string podCidr() const {
    return podCidr_.with([](const std::string& c) { return c; });
  }

  const AgentOptions options;
  std::atomic<bool> ready{false};
  std::atomic<int> serverPort{0};
  Sync<std::string> networkMessage;
  std::atomic<bool> networkReady{false};

 private:
  void duty(std::string_view what, void (State::*work)(Time), Time now);
  // agent_pods.cpp
  void onPod(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void takePod(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void takeMissed(Time now);
  void sweepRuntime(Time now);
  void takeSweep(const PodRuntimeState& all, Time now);
  void adoptOrphan(const std::string& uid, const PodRuntimeState& all, Time now);
  void cleanOrphanFiles();
  void stepWorkers(Time now);
  void flush(Time now);
  void takeFlush(const std::vector<std::shared_ptr<PodWorker>>& owners, const std::vector<bool>& removals,
                 std::vector<json::object> statuses, std::vector<Result<ObjectPtr>> results, Time now);
  void housekeeping(Time now);
  void refreshVolumes();
  void keepHouse();
  void keepImages();
  // agent_node.cpp
  void stepNode(Time now);
  void writeNode(std::vector<Write> writes, json::object status);
  void stepLease(Time now);
  void noteFaults(Time now);
  void startServer();
  void useServingCertificate();

  void at(Time t) {
    if (!next_ || t < *next_) next_ = t;
  }

  Client& client_;
  PodRuntime& runtime_;
  const Clock& clock_;
  Waker waker_;
  References references_;
  PodVolumes volumes_;
  PodEventRecorder events_;
  MachineFacts facts_;
  NodeContext node_;
  PodRunner runner_;
  ImageKeeper images_;
  Informer informer_;
  std::unique_ptr<AgentServer> server_;
  std::uint64_t servingGeneration_ = 0;
  std::map<std::string, std::shared_ptr<PodWorker>> workers_;
  std::map<std::string, std::pair<ObjectPtr, ObjectPtr>> missed_;  ///< changes that failed, by uid
  Time missedAt_{};

  std::shared_ptr<std::atomic<bool>> runtimeChanged_ = std::make_shared<std::atomic<bool>>(true);
  bool sweeping_ = false;
  bool sweptOnce_ = false;
  Time sweepAt_{};
  bool flushing_ = false;
  std::optional<Time> flushAt_;
  Time houseAt_{};
  Time imagesAt_{};
  bool keepingHouse_ = false;
  bool keepingImages_ = false;
  Time refreshAt_{};
  bool refreshing_ = false;
  NodeReport report_;
  std::uint64_t faultsKnown_ = 0;
  Time faultsAt_{};
  bool versionKnown_ = false;
  bool writingNode_ = false;
  Time nodeAt_{};
  Time heartbeatAt_{};
  bool writingLease_ = false;
  bool leaseExists_ = true;  ///< until the server says otherwise
  Time leaseAt_{};
  Sync<std::string> podCidr_;
  /// (pod uid, container) of what runs, for readers of logs.
  std::shared_ptr<Sync<std::set<std::pair<std::string, std::string>>>> runningNow_ =
      std::make_shared<Sync<std::set<std::pair<std::string, std::string>>>>();
  bool serverTried_ = false;
  std::optional<Time> next_;
  JobBoard jobs_;  ///< last: its end waits for work that uses the rest
};

}  // namespace steer
