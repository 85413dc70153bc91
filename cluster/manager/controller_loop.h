#pragma once
// ControllerLoop: all controllers over one informer. Each step takes in what changed, decides a
// bounded number of keys, and executes their writes in as few batches as their order allows.
// Thread rule: one driver steps it. Failure rule: a failed decision is made anew after a back-off.
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cluster/client/informer.h"
#include "cluster/manager/event_recorder.h"
#include "cluster/manager/key_queue.h"
#include "core/controller.h"
#include "core/loop.h"
#include "core/random.h"

namespace steer {

class ControllerLoop final : public Loop {
 public:
  ControllerLoop(Client& client, Random& random, std::vector<std::unique_ptr<Controller>> controllers,
                 Events events = Events::record);
  ~ControllerLoop() override;
  std::string_view name() const override { return "controllers"; }
  Next step(Time now) override;
  void recover() override;

 private:
  struct Made {
    KeyQueue::Id id;
    Decision decision;
    std::size_t first = 0;  ///< index of its first write in the batch
  };

  void takeIn(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after);
  bool passed(const Barrier& barrier, Time now) const;
  std::vector<Made> decide(Time now);
  bool provided(const Decision& decision);
  void execute(std::vector<Made> round, Time now);
  using Results = std::vector<Result<ObjectPtr>>;
  void endAt(const Made& made, std::size_t failed, Results results, Time now);
  void carryOn(const Made& made, std::size_t failed, Results results, Time now);
  void fail(const Made& made, const Write& write, const Error& error, Time now);
  void noteRefused(const Made& made, const Write& write, const Error& error, Time now);
  void finish(const Made& made, std::span<const Result<ObjectPtr>> results, Time now);
  void flushEvents(Time now);
  /// A change whose keys a controller could not name, because it failed on it.
  struct Missed {
    std::size_t controller;
    std::string resource;
    ObjectPtr before, after;
  };
  std::string placeOf(const Missed& change) const;
  void show(Missed change);
  void showMissed(Time now);

  Client& client_;
  std::vector<std::unique_ptr<Controller>> controllers_;
  std::vector<std::unique_ptr<EventRecorder>> recorders_;  ///< one per controller: it is the event's source
  std::map<std::string, std::vector<std::size_t>, std::less<>> byResource_;
  std::map<std::string, std::uint64_t, std::less<>> seen_;  ///< newest revision seen of each resource
  std::map<Proviso, bool> answers_;                         ///< of this step
  KeyQueue queue_;
  std::vector<Missed> missed_;
  std::optional<Time> missedDue_;
  int missedTimes_ = 0;
  std::unique_ptr<Informer> informer_;
};

}  // namespace steer
