#include "cluster/controllers/job_pods.h"

#include <algorithm>
#include <map>
#include <set>

#include "cluster/controllers/job_failure.h"
#include "cluster/controllers/ownership.h"
#include "cluster/controllers/pod_facts.h"

namespace steer {
namespace {

/// A new pod from the job's template; the server completes its name.
json::object podFromTemplate(const Object& job) {
  const auto& podTemplate = objectAt(job.spec(), {"template"});
  json::object metadata{{"generateName", job.name() + "-"}, {"namespace", job.ns()}};
  for (const char* key : {"labels", "annotations", "finalizers"})
    if (const auto* value = find(podTemplate, {"metadata", key})) metadata[key] = *value;
  ensureArray(metadata, "finalizers").push_back(json::string(jkey(jobfacts::kTracking)));
  metadata["ownerReferences"] = json::array{controllerRef(job)};
  return {{"apiVersion", "v1"},
          {"kind", "Pod"},
          {"metadata", std::move(metadata)},
          {"spec", objectAt(podTemplate, {"spec"})}};
}

void tellIndex(json::object& container) {
  for (const auto& variable : arrayAt(container, {"env"}))
    if (stringAt(variable, {"name"}) == "JOB_COMPLETION_INDEX") return;
  const std::string path = "metadata.annotations['" + std::string(jobfacts::kIndexKey) + "']";
  ensureArray(container, "env")
      .push_back(json::object{{"name", "JOB_COMPLETION_INDEX"},
                              {"valueFrom", json::object{{"fieldRef", json::object{{"fieldPath", path}}}}}});
}

void setIndex(const Object& job, std::int64_t index, json::object& pod) {
  const auto text = std::to_string(index);
  auto& metadata = ensureObject(pod, "metadata");
  metadata["generateName"] = job.name() + "-" + text + "-";
  for (const char* map : {"labels", "annotations"}) ensureObject(metadata, map)[jkey(jobfacts::kIndexKey)] = text;
  auto& spec = ensureObject(pod, "spec");
  spec["hostname"] = job.name() + "-" + text;
  for (const char* list : {"initContainers", "containers"})
    if (auto* items = spec.if_contains(list); items != nullptr && items->is_array())
      for (auto& item : items->get_array())
        if (auto* container = item.if_object()) tellIndex(*container);
}

struct IndexHistory {
  std::int64_t failures = 0;
  std::optional<Time> last;
};

/// What the pods of each index say about its failures so far.
std::map<std::int64_t, IndexHistory> historyOf(const Object& job, const std::vector<ObjectPtr>& pods) {
  std::map<std::int64_t, IndexHistory> out;
  for (const auto& pod : pods) {
    const auto index = jobfacts::indexOf(job, *pod);
    if (!index || !jobfacts::failed(job, *pod) || (pod->deleting() && !jobfacts::tracked(*pod))) continue;
    const bool counts = judgeFailure(job, *pod).action != FailureAction::ignore;
    auto& history = out[*index];
    history.failures = std::max(history.failures, jobfacts::indexFailures(*pod) + (counts ? 1 : 0));
    const auto end = jobfacts::endOf(*pod);
    if (counts && (!history.last || *history.last < end)) history.last = end;
  }
  return out;
}

void create(const ObjectPtr& job, json::object pod, Decision& out) {
  EventNote note{job, "Normal", "SuccessfulCreate", "Created pod: {name}", out.writes.size()};
  out.writes.push_back(Write::create("pods", std::move(pod)));
  out.events.push_back(std::move(note));
}

void createIndexed(const ObjectPtr& job, const JobTally& tally, const std::vector<ObjectPtr>& pods, std::int64_t count,
                   Time now, Decision& out) {
  std::set<std::int64_t> taken;
  for (const auto& pod : pods) {
    const bool waitsFor = podfacts::active(*pod) || (jobfacts::replacesOnlyFailed(*job) && !podfacts::terminal(*pod));
    if (const auto index = jobfacts::indexOf(*job, *pod); index && waitsFor) taken.insert(*index);
  }
  const bool perIndex = jobfacts::limitsPerIndex(*job);
  const auto history = perIndex ? historyOf(*job, pods) : std::map<std::int64_t, IndexHistory>{};
  const auto end = jobfacts::completions(*job).value_or(0);
  for (std::int64_t index = 0; index < end && count > 0; ++index) {
    if (taken.contains(index) || tally.completed.contains(index) || tally.failedIndexes.contains(index)) continue;
    json::object pod = podFromTemplate(*job);
    setIndex(*job, index, pod);
    if (perIndex) {
      const auto past = history.find(index);
      const auto failures = past == history.end() ? 0 : past->second.failures;
      if (failures > 0 && past->second.last) {
        const Time again = *past->second.last + failureDelay(failures);
        if (now < again) {
          if (!out.recheck || again < *out.recheck) out.recheck = again;
          continue;
        }
      }
      ensureObject(ensureObject(pod, "metadata"), "annotations")[jkey(jobfacts::kIndexFailures)] =
          std::to_string(failures);
    }
    create(job, std::move(pod), out);
    --count;
  }
}

}  // namespace

void createJobPods(const ObjectPtr& job, const JobTally& tally, const std::vector<ObjectPtr>& pods, std::int64_t count,
                   Time now, Decision& out) {
  count = std::min(count, kJobBurst);
  out.slowStart.first = out.writes.size();
  if (jobfacts::indexed(*job)) createIndexed(job, tally, pods, count, now, out);
  else
    for (; count > 0; --count) create(job, podFromTemplate(*job), out);
  out.slowStart.count = out.writes.size() - out.slowStart.first;
}

void stopJobPods(const ObjectPtr& job, const std::vector<ObjectPtr>& pods, Stop stop, Decision& out) {
  for (const auto& pod : pods) {
    if (stop == Stop::uncounted && jobfacts::tracked(*pod)) out.writes.push_back(untrack(*pod));
    EventNote note{job, "Normal", "SuccessfulDelete", "Deleted pod: " + pod->name(), out.writes.size()};
    DeleteOptions options;
    options.uid = pod->uid();
    out.writes.push_back(Write::remove({"pods", pod->ns(), pod->name()}, std::move(options)));
    out.events.push_back(std::move(note));
  }
}

std::vector<ObjectPtr> misplacedPods(const Object& job, const JobTally& tally) {
  std::vector<ObjectPtr> out;
  if (!jobfacts::indexed(job)) return out;
  std::map<std::int64_t, ObjectPtr> first;
  for (const auto& pod : tally.active) {
    const auto index = jobfacts::indexOf(job, *pod);
    if (!index || tally.completed.contains(*index) || tally.failedIndexes.contains(*index)) {
      out.push_back(pod);
    } else if (auto& kept = first[*index]; kept == nullptr) {
      kept = pod;
    } else {
      // Of two, the one that is further stays.
      const bool swap = podfacts::ready(*pod) && !podfacts::ready(*kept);
      out.push_back(swap ? kept : pod);
      if (swap) kept = pod;
    }
  }
  return out;
}

}  // namespace steer
