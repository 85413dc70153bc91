#pragma once
// The bookkeeping of a job: which of its pods ended, how many in all, what to count next. Pure.
#include <cstdint>
#include <string>
#include <vector>

#include "cluster/controllers/job_facts.h"
#include "core/snapshot.h"
#include "core/write.h"

namespace steer {

struct JobTally {
  std::int64_t succeeded = 0;  ///< in all, those named but not yet counted included
  std::int64_t failed = 0;
  IndexSet completed;             ///< indexed jobs
  IndexSet failedIndexes;         ///< jobs with a limit per index
  std::vector<ObjectPtr> active;  ///< neither ended nor on their way out
  std::int64_t ready = 0;
  std::int64_t terminating = 0;  ///< on their way out, still running
  bool settled = true;           ///< every pod that ended is in the counts
  std::string failJob;           ///< a failure that ends the job by its policy: the message
  json::object status;           ///< the job's, brought up to date
  std::vector<Write> releases;   ///< finalizers to drop once that status is written
};

/// `pods`: those the job controls.
JobTally tallyJob(const Snapshot& snapshot, const Object& job, const std::vector<ObjectPtr>& pods);

/// A patch that lets the pod go, bound to the revision it was made from.
Write untrack(const Object& pod);

}  // namespace steer
