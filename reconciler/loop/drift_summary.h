#pragma once
// DriftSummary: records of healed drift, so that a fight does not fill the history. The first is told at once, what
// follows within a minute as one, and what is the same as before ever more rarely, with its count.
// Thread rule: one owner; a plain value.
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "reconciler/report/apply_record.h"

namespace steer {

class DriftSummary {
 public:
  /// Takes in what was healed.
  void add(ApplyRecord record);
  /// What is to be told now; `all`: also what would wait (something else is told after it).
  enum class Take : bool { due, all };
  std::optional<ApplyRecord> take(Time now, Take what = Take::due);
  /// When to take again; nothing = nothing waits.
  std::optional<Time> due() const;
  /// What waits, as it would be told; for the draft.
  const std::optional<ApplyRecord>& waiting() const { return held_; }

 private:
  std::optional<ApplyRecord> held_;
  std::map<std::string, std::uint64_t> counts_;  ///< of the lines of drift in it
  std::map<std::string, std::uint64_t> told_;    ///< those of the one before
  std::optional<Time> notBefore_;
  int same_ = 0;  ///< how often in a row the same was told
};

}  // namespace steer
