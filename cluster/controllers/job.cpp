#include "cluster/controllers/job.h"

#include <algorithm>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/job_failure.h"
#include "cluster/controllers/job_pods.h"
#include "cluster/controllers/job_tally.h"
#include "cluster/controllers/ownership.h"
#include "cluster/controllers/pod_facts.h"
#include "cluster/controllers/scale_down.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::string_view kJobs = "jobs.batch";
constexpr std::string_view kPodKey = "pod|";  ///< key of a tracked pod without a job: ns "pod|<ns>"

bool adoptable(const Object& pod) { return !pod.deleting(); }

/// Whether a job is there that will count this pod.
bool hasJob(const Snapshot& snapshot, const Object& pod) {
  if (const auto owner = pod.controllerOwner()) {
    if (owner->kind != "Job") return false;
    const auto job = snapshot.get(kJobs, pod.ns(), owner->name);
    return job && job->uid() == owner->uid;
  }
  bool selected = false;
  snapshot.each(kJobs, pod.ns(), [&](const ObjectPtr& job) {
    selected = selected || (!job->deleting() && !jobfacts::finishedCondition(job->status()) &&
                            jobfacts::selectorOf(*job).matches(pod.labels()));
  });
  return selected && !pod.deleting();
}

void sooner(std::optional<Time>& known, Time at) {
  if (!known || at < *known) known = at;
}

/// One decision about one job.
class JobRound {
 public:
  JobRound(const Snapshot& snapshot, ObjectPtr job, Time now) : snapshot_(snapshot), job_(std::move(job)), now_(now) {}

  Decision decide() {
    if (const auto* finished = jobfacts::finishedCondition(job_->status())) rest(*finished);
    else if (job_->deleting()) letAllGo();
    else run();
    return std::move(out_);
  }

 private:
  struct End {
    bool success = false;
    std::string reason;
    std::string message;
  };

  /// A finished job: nothing is counted any more; after its time to live it goes.
  void rest(const json::object& finished) {
    letAllGo();
    const auto* ttl = find(job_->spec(), {"ttlSecondsAfterFinished"});
    const auto at = parseTime(stringAt(finished, {"lastTransitionTime"}));
    if (ttl == nullptr || !asInt(*ttl) || !at || job_->deleting()) return;
    const Time due = *at + seconds(*asInt(*ttl));
    if (now_ < due) return sooner(out_.recheck, due);
    DeleteOptions options;
    options.uid = job_->uid();
    options.propagation = Propagation::foreground;
    out_.writes.push_back(Write::remove({std::string(kJobs), job_->ns(), job_->name()}, std::move(options)));
  }

  void letAllGo() {
    for (const auto& pod : snapshot_.ownedBy("pods", job_->uid()))
      if (jobfacts::tracked(*pod) && (job_->deleting() || !podfacts::active(*pod)))
        out_.writes.push_back(untrack(*pod));
  }

  void run() {
    auto claim = claimOwned(snapshot_, "pods", *job_, jobfacts::selectorOf(*job_), &adoptable);
    out_.writes = std::move(claim.writes);
    pods_ = std::move(claim.owned);
    tally_ = tallyJob(snapshot_, *job_, pods_);
    trackActive();
    const auto end = ending();
    if (end) sayEnd(*end);
    else saySuspension();
    const bool over = end && tally_.active.empty() && tally_.terminating == 0 && tally_.settled;
    if (over) sayOver(*end);
    writeStatus();
    for (auto& write : tally_.releases) out_.writes.push_back(std::move(write));
    if (end) stopJobPods(job_, tally_.active, end->success ? Stop::uncounted : Stop::counted, out_);
    else managePods();
  }

  /// Adopted pods, and those whose finalizer someone took, are tracked again while they run.
  void trackActive() {
    for (const auto& pod : tally_.active) {
      const auto owner = pod->controllerOwner();
      if (jobfacts::tracked(*pod) || !owner || owner->uid != job_->uid()) continue;
      json::array finalizers = arrayAt(pod->metadata(), {"finalizers"});
      finalizers.push_back(json::string(jkey(jobfacts::kTracking)));
      json::object metadata{{"resourceVersion", stringAt(pod->metadata(), {"resourceVersion"})},
                            {"finalizers", std::move(finalizers)}};
      out_.writes.push_back(Write::patch({"pods", pod->ns(), pod->name()}, PatchType::merge,
                                         json::object{{"metadata", std::move(metadata)}}));
    }
  }

  /// Why the job ends, when it does.
  std::optional<End> ending() {
    for (const bool success : {false, true}) {
      const auto* said = findCondition(job_->status(), success ? "SuccessCriteriaMet" : "FailureTarget");
      if (said != nullptr && stringAt(*said, {"status"}) == "True")
        return End{success, std::string(stringAt(*said, {"reason"})), std::string(stringAt(*said, {"message"}))};
    }
    if (auto failure = failing()) return failure;
    return succeeding();
  }

  std::optional<End> failing() {
    if (!tally_.failJob.empty()) return End{false, "PodFailurePolicy", tally_.failJob};
    const auto limit = intAt(job_->spec(), {"backoffLimit"}, 6);
    if (tally_.failed > limit || restartsExceed(limit))
      return End{false, "BackoffLimitExceeded", "Job has reached the specified backoff limit"};
    const auto* deadline = find(job_->spec(), {"activeDeadlineSeconds"});
    const auto start = parseTime(stringAt(job_->status(), {"startTime"}));
    if (deadline != nullptr && asInt(*deadline) && start && !jobfacts::suspended(*job_)) {
      const Time due = *start + seconds(*asInt(*deadline));
      if (now_ >= due) return End{false, "DeadlineExceeded", "Job was active longer than specified deadline"};
      sooner(out_.recheck, due);
    }
    if (!jobfacts::limitsPerIndex(*job_)) return std::nullopt;
    const auto* most = find(job_->spec(), {"maxFailedIndexes"});
    if (most != nullptr && asInt(*most) && tally_.failedIndexes.size() > *asInt(*most))
      return End{false, "MaxFailedIndexesExceeded", "Job has exceeded the specified maximal number of failed indexes"};
    if (!tally_.failedIndexes.empty() &&
        tally_.failedIndexes.size() + tally_.completed.size() >= jobfacts::completions(*job_).value_or(0))
      return End{false, "FailedIndexes", "Job has failed indexes"};
    return std::nullopt;
  }

  /// Pods that restart their containers count each restart.
  bool restartsExceed(std::int64_t limit) const {
    if (stringAt(job_->spec(), {"template", "spec", "restartPolicy"}) != "OnFailure") return false;
    std::int64_t restarts = 0;
    for (const auto& pod : tally_.active) restarts += jobfacts::restartsOf(*pod);
    return limit == 0 ? restarts > 0 : restarts >= limit;
  }

  /// The first rule of the success policy that the completed indexes satisfy.
  std::optional<std::size_t> metRule() const {
    const auto& rules = arrayAt(job_->spec(), {"successPolicy", "rules"});
    for (std::size_t i = 0; i < rules.size(); ++i) {
      const auto* named = find(rules[i], {"succeededIndexes"});
      const auto* count = find(rules[i], {"succeededCount"});
      if (named == nullptr && count == nullptr) continue;
      const auto among = named == nullptr ? tally_.completed
                                          : IndexSet::parse(stringAt(rules[i], {"succeededIndexes"}),
                                                            jobfacts::completions(*job_).value_or(0));
      const auto need = count != nullptr ? asInt(*count).value_or(0) : among.size();
      if (need > 0 && tally_.completed.common(among) >= need) return i;
    }
    return std::nullopt;
  }

  std::optional<End> succeeding() const {
    if (const auto rule = metRule())
      return End{true, "SuccessPolicy", "Matched rules at index " + std::to_string(*rule)};
    const auto wanted = jobfacts::completions(*job_);
    const bool reached =
        wanted ? tally_.succeeded >= *wanted : tally_.succeeded > 0 && tally_.active.empty() && tally_.terminating == 0;
    if (!reached) return std::nullopt;
    return End{true, "CompletionsReached", "Reached expected number of succeeded pods"};
  }

  void sayEnd(const End& end) {
    setCondition(tally_.status, {end.success ? "SuccessCriteriaMet" : "FailureTarget", "True", end.reason, end.message},
                 now_);
  }

  void sayOver(const End& end) {
    setCondition(tally_.status, {end.success ? "Complete" : "Failed", "True", end.reason, end.message}, now_);
    if (end.success) tally_.status["completionTime"] = formatTime(now_);
    notes_.push_back(end.success ? EventNote{job_, "Normal", "Completed", "Job completed"}
                                 : EventNote{job_, "Warning", end.reason, end.message});
  }

  void saySuspension() {
    auto& status = tally_.status;
    const bool said = conditionIs(status, "Suspended", "True");
    if (jobfacts::suspended(*job_)) {
      status.erase("startTime");
      setCondition(status, {"Suspended", "True", "JobSuspended", "Job suspended"}, now_);
      if (!said) notes_.push_back({job_, "Normal", "Suspended", "Job suspended"});
      return;
    }
    if (said) {
      setCondition(status, {"Suspended", "False", "JobResumed", "Job resumed"}, now_);
      notes_.push_back({job_, "Normal", "Resumed", "Job resumed"});
    }
    if (!said && status.contains("startTime")) return;
    status["startTime"] = formatTime(now_);
    if (const auto* deadline = find(job_->spec(), {"activeDeadlineSeconds"}); deadline != nullptr && asInt(*deadline))
      sooner(out_.recheck, now_ + seconds(*asInt(*deadline)));
  }

  void writeStatus() {
    if (tally_.status == job_->status()) return;
    for (auto& note : notes_) {
      note.afterWrite = out_.writes.size();
      out_.events.push_back(std::move(note));
    }
    json::object body = job_->json();
    body["status"] = tally_.status;
    out_.writes.push_back(Write::updateStatus(std::string(kJobs), std::move(body)));
  }

  void managePods() {
    if (jobfacts::suspended(*job_)) return stopJobPods(job_, tally_.active, Stop::uncounted, out_);
    auto surplus = misplacedPods(*job_, tally_);
    std::vector<ObjectPtr> kept;
    for (const auto& pod : tally_.active)
      if (std::find(surplus.begin(), surplus.end(), pod) == surplus.end()) kept.push_back(pod);
    const auto active = static_cast<std::int64_t>(kept.size());
    const auto wanted = wantedActive(active);
    if (active > wanted) {
      const auto excess = podsToDelete(std::move(kept), static_cast<std::size_t>(active - wanted), {}, now_);
      surplus.insert(surplus.end(), excess.begin(), excess.end());
    }
    stopJobPods(job_, surplus, Stop::uncounted, out_);
    if (namespaceEnds(snapshot_, job_->ns())) return;  // nothing is made there any more
    const auto missing = wanted - active - (jobfacts::replacesOnlyFailed(*job_) ? tally_.terminating : 0);
    if (missing <= 0) return;
    if (!jobfacts::limitsPerIndex(*job_)) {
      const auto again = createAgainAt(*job_, pods_, tally_.failed);
      if (again && now_ < *again) return sooner(out_.recheck, *again);
    }
    createJobPods(job_, tally_, pods_, missing, now_, out_);
  }

  std::int64_t wantedActive(std::int64_t active) const {
    const auto parallelism = jobfacts::parallelism(*job_);
    const auto completions = jobfacts::completions(*job_);
    // A work queue that had a success is running out: nobody joins.
    if (!completions) return tally_.succeeded > 0 ? std::min(active, parallelism) : parallelism;
    const auto open = *completions - tally_.succeeded - tally_.failedIndexes.size();
    return std::clamp<std::int64_t>(open, 0, std::max<std::int64_t>(parallelism, 0));
  }

  const Snapshot& snapshot_;
  ObjectPtr job_;
  Time now_;
  std::vector<ObjectPtr> pods_;
  JobTally tally_;
  std::vector<EventNote> notes_;  ///< told once the status that they speak of is written
  Decision out_;
};

class JobController final : public Controller {
 public:
  std::string_view name() const override { return "job-controller"; }
  std::vector<std::string> resources() const override { return {std::string(kJobs), "pods", "namespaces"}; }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    if (resource == "namespaces") {
      // What was held for a successor is let go: none comes any more.
      std::vector<Key> keys;
      if (after && after->deleting() && (!before || !before->deleting()))
        snapshot.each(kJobs, after->name(), [&](const ObjectPtr& job) { keys.push_back({job->ns(), job->name()}); });
      return keys;
    }
    if (resource == kJobs) {
      const auto& job = after ? after : before;
      std::vector<Key> keys{{job->ns(), job->name()}};
      if (before && (!after || after->uid() != before->uid()))
        for (const auto& pod : snapshot.ownedBy("pods", before->uid()))
          if (jobfacts::tracked(*pod)) keys.push_back({std::string(kPodKey) + pod->ns(), pod->name()});
      return keys;
    }
    auto keys = ownerKeys(snapshot, kJobs, "Job", before, after, &jobfacts::selectorOf);
    if (after && jobfacts::tracked(*after) && !hasJob(snapshot, *after))
      keys.push_back({std::string(kPodKey) + after->ns(), after->name()});
    return keys;
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    if (key.ns.starts_with(kPodKey)) return letStrayGo(snapshot, key.ns.substr(kPodKey.size()), key.name);
    auto job = snapshot.get(kJobs, key.ns, key.name);
    if (!job) return {};
    const auto manager = stringAt(job->spec(), {"managedBy"}, "kubernetes.io/job-controller");
    if (manager != "kubernetes.io/job-controller") return {};
    return JobRound(snapshot, std::move(job), now).decide();
  }

  Decision refused(const Snapshot& snapshot, const Key& key, const Write& write, const Error& error,
                   Time) const override {
    Decision out;
    const auto job = snapshot.get(kJobs, key.ns, key.name);
    if (!job || write.target.resource != "pods" || write.verb != Write::Verb::create) return out;
    out.events.push_back({job, "Warning", "FailedCreate", "Error creating: " + error.message});
    return out;
  }

 private:
  /// A tracked pod that no job will count must not be held for ever.
  static Decision letStrayGo(const Snapshot& snapshot, const std::string& ns, const std::string& name) {
    Decision out;
    const auto pod = snapshot.get("pods", ns, name);
    if (!pod || !jobfacts::tracked(*pod) || hasJob(snapshot, *pod)) return out;
    if (const auto owner = pod->controllerOwner(); owner && owner->kind == "Job")
      out.provided.push_back({{std::string(kJobs), ns, owner->name}, owner->uid});
    out.writes.push_back(untrack(*pod));
    return out;
  }
};

}  // namespace

std::unique_ptr<Controller> makeJobController() { return std::make_unique<JobController>(); }

}  // namespace steer
