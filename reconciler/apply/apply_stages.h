#pragma once
// The order in which an ApplyRun does its work, made once from the plan. Private to this room.
#include "reconciler/apply/apply_run.h"

namespace steer {

class ApplyRun::StageBuilder {
 public:
  explicit StageBuilder(ApplyRun& run) : run_(run) {}
  void build();

 private:
  void addHooks(Hook when);
  void addHomesOfHooks();
  void addChanges();
  void addRemovals();
  void addFreeing();
  void addHealth();
  void addRow(std::size_t change, Stage::Kind kind);
  bool hooksRun() const;

  ApplyRun& run_;
  std::vector<bool> placed_;            ///< changes that have their stage
  std::vector<std::size_t> unwatched_;  ///< changes of waves whose health nobody waited for yet
};

}  // namespace steer
