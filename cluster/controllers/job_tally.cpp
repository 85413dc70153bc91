#include "cluster/controllers/job_tally.h"

#include <algorithm>
#include <set>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/job_failure.h"
#include "cluster/controllers/ownership.h"
#include "cluster/controllers/pod_facts.h"

namespace steer {
namespace {

void setCount(json::object& status, std::string_view key, std::int64_t value) {
  if (value == 0) status.erase(jkey(key));
  else status[jkey(key)] = value;
}

void setText(json::object& status, std::string_view key, const std::string& text) {
  if (text.empty()) status.erase(jkey(key));
  else status[jkey(key)] = text;
}

class Bookkeeper {
 public:
  Bookkeeper(const Snapshot& snapshot, const Object& job) : snapshot_(snapshot), job_(job) {
    const auto end = jobfacts::completions(job).value_or(0);
    out_.status = job.status();
    out_.completed = IndexSet::parse(stringAt(job.status(), {"completedIndexes"}), end);
    out_.failedIndexes = IndexSet::parse(stringAt(job.status(), {"failedIndexes"}), end);
    countLet("succeeded", succeededUids_);
    countLet("failed", failedUids_);
  }

  void add(const std::vector<ObjectPtr>& pods) {
    for (const auto& pod : pods) {
      if (podfacts::active(*pod)) {
        out_.active.push_back(pod);
        if (podfacts::ready(*pod)) ++out_.ready;
      } else if (!podfacts::terminal(*pod)) {
        ++out_.terminating;
      }
      if (jobfacts::tracked(*pod)) addTracked(*pod, pods);
    }
  }

  JobTally take() {
    auto& status = out_.status;
    const bool indexed = jobfacts::indexed(job_);
    if (indexed) {
      status.erase("succeeded");
      setCount(status, "succeeded", out_.completed.size());
      setText(status, "completedIndexes", out_.completed.text());
    }
    if (jobfacts::limitsPerIndex(job_)) status["failedIndexes"] = out_.failedIndexes.text();
    out_.succeeded = intAt(status, {"succeeded"}) + static_cast<std::int64_t>(succeededUids_.size());
    out_.failed = intAt(status, {"failed"}) + static_cast<std::int64_t>(failedUids_.size());
    json::object uncounted;
    if (!succeededUids_.empty()) uncounted["succeeded"] = json::array(succeededUids_.begin(), succeededUids_.end());
    if (!failedUids_.empty()) uncounted["failed"] = json::array(failedUids_.begin(), failedUids_.end());
    out_.settled = out_.releases.empty() && uncounted.empty() && !held_;
    status["uncountedTerminatedPods"] = std::move(uncounted);
    setCount(status, "active", static_cast<std::int64_t>(out_.active.size()));
    status["ready"] = out_.ready;
    status["terminating"] = out_.terminating;
    return std::move(out_);
  }

 private:
  /// Of the pods named in the status: those that were let go move into the count.
  void countLet(const char* which, std::set<std::string>& waiting) {
    std::int64_t count = intAt(out_.status, {which});
    for (const auto& item : arrayAt(job_.status(), {"uncountedTerminatedPods", which})) {
      const auto* text = item.if_string();
      if (text == nullptr) continue;
      const auto pod = snapshot_.byUid(view(*text));
      if (pod && jobfacts::tracked(*pod)) waiting.insert(std::string(view(*text)));
      else ++count;
    }
    setCount(out_.status, which, count);
  }

  void addTracked(const Object& pod, const std::vector<ObjectPtr>& pods) {
    if (succeededUids_.contains(pod.uid()) || failedUids_.contains(pod.uid())) {
      out_.releases.push_back(untrack(pod));
    } else if (jobfacts::succeeded(pod)) {
      if (!jobfacts::indexed(job_)) succeededUids_.insert(pod.uid());
      else if (const auto index = jobfacts::indexOf(job_, pod)) out_.completed.add(*index);
      out_.releases.push_back(untrack(pod));
    } else if (jobfacts::failed(job_, pod)) {
      addFailed(pod, pods);
    }
  }

  void addFailed(const Object& pod, const std::vector<ObjectPtr>& pods) {
    const auto verdict = judgeFailure(job_, pod);
    if (verdict.action == FailureAction::failJob && out_.failJob.empty()) out_.failJob = verdict.message;
    const auto index = jobfacts::limitsPerIndex(job_) ? jobfacts::indexOf(job_, pod) : std::nullopt;
    if (index && verdict.action != FailureAction::failJob) {
      const bool spent = jobfacts::indexFailures(pod) >= intAt(job_.spec(), {"backoffLimitPerIndex"});
      const bool counts = verdict.action != FailureAction::ignore;
      if (verdict.action == FailureAction::failIndex || (counts && spent)) out_.failedIndexes.add(*index);
      // The failures of an index are on its last pod: it stays until its successor carries them on.
      else if (!hasSuccessor(*index, pods, pod)) {
        held_ = true;
        return;
      }
    }
    if (verdict.action != FailureAction::ignore) failedUids_.insert(pod.uid());
    out_.releases.push_back(untrack(pod));
  }

  /// Another pod of that index came after this one, or none will.
  bool hasSuccessor(std::int64_t index, const std::vector<ObjectPtr>& pods, const Object& pod) const {
    const bool ending = conditionIs(job_.status(), "FailureTarget", "True") ||
                        conditionIs(job_.status(), "SuccessCriteriaMet", "True") || namespaceEnds(snapshot_, job_.ns());
    if (ending || out_.failedIndexes.contains(index) || out_.completed.contains(index)) return true;
    return std::any_of(pods.begin(), pods.end(), [&](const ObjectPtr& other) {
      return other->uid() != pod.uid() && jobfacts::indexOf(job_, *other) == index &&
             (podfacts::active(*other) || jobfacts::indexFailures(*other) > jobfacts::indexFailures(pod) ||
              (jobfacts::indexFailures(*other) == jobfacts::indexFailures(pod) && other->uid() > pod.uid()));
    });
  }

  const Snapshot& snapshot_;
  const Object& job_;
  std::set<std::string> succeededUids_, failedUids_;
  bool held_ = false;
  JobTally out_;
};

}  // namespace

Write untrack(const Object& pod) {
  json::array kept;
  for (const auto& item : arrayAt(pod.metadata(), {"finalizers"}))
    if (const auto* text = item.if_string(); text == nullptr || view(*text) != jobfacts::kTracking)
      kept.push_back(item);
  json::value value = kept.empty() ? json::value(nullptr) : json::value(std::move(kept));
  json::object metadata{{"resourceVersion", stringAt(pod.metadata(), {"resourceVersion"})},
                        {"finalizers", std::move(value)}};
  return Write::patch({"pods", pod.ns(), pod.name()}, PatchType::merge,
                      json::object{{"metadata", std::move(metadata)}});
}

JobTally tallyJob(const Snapshot& snapshot, const Object& job, const std::vector<ObjectPtr>& pods) {
  Bookkeeper books(snapshot, job);
  books.add(pods);
  return books.take();
}

}  // namespace steer
