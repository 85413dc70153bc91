#pragma once
// WriteExecutor: plans writes on a running fork of the cluster and commits what they mean in one
// durable transaction. Thread rule: thread-safe. Failure rule: a refused write leaves no trace; if
// the transaction itself fails, every write that was part of it reports that.
#include <memory>
#include <string>
#include <vector>

#include "cluster/apiserver/applied_bodies.h"
#include "cluster/apiserver/turns.h"
#include "cluster/apiserver/write_planner.h"
#include "cluster/client/client.h"
#include "cluster/store/store.h"

namespace steer {

struct WriteOutcome {
  ObjectPtr object;
  bool created = false;
  bool removed = false;
  std::vector<std::string> warnings{};
};

class WriteExecutor {
 public:
  WriteExecutor(Store& store, const WritePlanner& planner, AppliedBodies& applied)
      : store_(store), planner_(planner), applied_(applied) {}

  Result<WriteOutcome> run(const Write& write, const WriteSettings& settings, const Identity& identity);
  std::vector<Result<WriteOutcome>> runAll(const std::vector<Write>& writes, const WriteSettings& settings,
                                           OnError onError, const Identity& identity);

 private:
  using Outcomes = std::vector<Result<WriteOutcome>>;
  struct Draft;
  Outcomes group(Store& store, std::size_t first, std::size_t last, const std::vector<Write>& writes,
                 const WriteSettings& settings, OnError onError, const Identity& identity);
  Draft draft(const Snapshot& base, std::size_t first, std::size_t last, const std::vector<Write>& writes,
              const WriteSettings& settings, OnError onError, const Identity& identity) const;
  void noteUnchanged(const Write& write, const ObjectPtr& object) const;
  void carryStatus(const Snapshot& base, const Write& write, const ObjectPtr& after) const;
  /// Whether something of a draft was refused; then nothing of it counts.
  static bool undone(Draft& draft);
  Outcomes onStore(Store& store, const std::vector<Write>& writes, const WriteSettings& settings, OnError onError,
                   const Identity& identity);

  Store& store_;
  const WritePlanner& planner_;
  AppliedBodies& applied_;
  Turns turns_;
};

}  // namespace steer
