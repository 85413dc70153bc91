#pragma once
// The pods that a job makes and the ones it stops. Pure.
#include <cstdint>
#include <vector>

#include "cluster/controllers/job_tally.h"
#include "core/controller.h"

namespace steer {

/// Creates `count` pods; of an indexed job, for the lowest indexes that have neither a result nor a
/// pod. With a limit per index, an index whose last pod failed waits for its own delay.
void createJobPods(const ObjectPtr& job, const JobTally& tally, const std::vector<ObjectPtr>& pods, std::int64_t count,
                   Time now, Decision& out);

/// Why a pod is stopped: with its job it counts as failed, as one too many it does not.
enum class Stop { counted, uncounted };
void stopJobPods(const ObjectPtr& job, const std::vector<ObjectPtr>& pods, Stop stop, Decision& out);

/// Active pods that must not be: of a duplicate index, of none, or of one that has its result.
std::vector<ObjectPtr> misplacedPods(const Object& job, const JobTally& tally);

/// At most this many pods are created by one decision.
inline constexpr std::int64_t kJobBurst = 500;

}  // namespace steer
