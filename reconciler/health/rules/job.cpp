// Job: an end is what it is for.
#include "reconciler/health/rules.h"
#include "reconciler/health/words.h"

namespace steer::health {

Health ofJob(const Object& job) {
  if (conditionIs(job, "Complete", "True")) return healthy("completed");
  for (const char* bad : {"Failed", "FailureTarget"})
    if (conditionIs(job, bad, "True")) return degraded(messageOf(job, bad, "the job failed"));
  if (conditionIs(job, "Suspended", "True") || boolAt(job.spec(), {"suspend"})) return healthy("suspended");
  std::string done = "running";
  if (const auto* wanted = find(job.spec(), {"completions"}); wanted != nullptr && asInt(*wanted))
    done += ", " + std::to_string(intAt(job.status(), {"succeeded"})) + " of " + countOf(*asInt(*wanted), "completion");
  if (const auto failed = intAt(job.status(), {"failed"}); failed > 0) done += ", " + countOf(failed, "failed pod");
  return progressing(std::move(done));
}

}  // namespace steer::health
