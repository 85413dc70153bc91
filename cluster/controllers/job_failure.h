#pragma once
// spec.podFailurePolicy, and how long a job waits after failures. Pure.
// Source of the rules: Kubernetes documentation, "Pod failure policy" and "Pod backoff failure policy".
#include <optional>
#include <string>
#include <vector>

#include "core/object.h"

namespace steer {

enum class FailureAction { count, ignore, failIndex, failJob };

struct FailureVerdict {
  FailureAction action = FailureAction::count;
  std::string message;  ///< which container, which rule
};

/// What the first matching rule says about a failed pod; without a match it counts.
FailureVerdict judgeFailure(const Object& job, const Object& pod);

/// The wait after `failures` failures in a row: 10 s, doubled each time, at most 6 min.
Duration failureDelay(std::int64_t failures);

/// When the job may create a pod again, by what its pods say about the failures since the last
/// success; nothing when it need not wait. `failures` is the job's count, for pods that are gone.
std::optional<Time> createAgainAt(const Object& job, const std::vector<ObjectPtr>& pods, std::int64_t failures);

}  // namespace steer
