#pragma once
// RehearsalRecord: follows a rehearsal as a loop of its own and turns what it sees into a Forecast.
// Thread rule: single-threaded.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "cluster/client/informer.h"
#include "core/loop.h"
#include "simulator/forecast.h"

namespace steer {

class RehearsalRecord final : public Loop {
 public:
  using State = std::function<Snapshot()>;
  /// before: the cluster at `start`, when the change begins; state: as it is now.
  RehearsalRecord(Client& client, const Snapshot& before, State state, Time start);
  std::string_view name() const override { return "record"; }
  Next step(Time now) override;

  /// Everything that moved has come to rest, one way or the other; `now` closes open intervals.
  Forecast finish(const Snapshot& after, Time now);
  /// Workloads of which a pod came, went or waits, and those in `also`, are healthy or will never be.
  bool atRest(const Snapshot& state) const;
  void watch(const std::string& workload) { touched_.insert(workload); }

 private:
  struct PodState {
    std::string workload;
    std::string node;
    bool existed = false;
    bool running = false;
    bool ready = false;
    bool stopping = false;
    bool failed = false;
  };
  struct Level {
    int ready = 0;
    int desired = 0;
    int lowest = 0;
    int before = 0;
    bool belowNow = false;
    Time since{};
    Duration below{};
    Duration done{};
    std::set<std::string> landed{};
  };
  void takePod(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void takeWorkload(const ObjectPtr& object, Time now);
  void takeSlice(const ObjectPtr& before, const ObjectPtr& after, Time now);
  void add(ForecastEvent::Kind kind, const std::string& key, const PodState& pod, Time now);
  void changed(Level& level, Time now);
  std::string workloadOf(const Object& pod) const;
  std::string workloadByOwner(const std::string& ns, const OwnerRef& owner) const;
  void summarise(Forecast& out, const Snapshot& after) const;

  Snapshot before_;
  State state_;
  Time start_;
  Informer informer_;
  bool primed_ = false;
  std::map<std::string, PodState> pods_;                      ///< ns/name
  std::map<std::string, Level> levels_;                       ///< by workload
  std::map<std::string, Level> services_;                     ///< ns/name
  std::map<std::string, std::map<std::string, int>> slices_;  ///< service → slice → ready endpoints
  std::set<std::string> touched_;
  std::vector<ForecastEvent> events_;
};

}  // namespace steer
