#include "cluster/manager/scheduler_loop.h"

#include <algorithm>
#include <utility>

#include "cluster/scheduler/preemption.h"
#include "core/barrier.h"
#include "core/log.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::size_t kPodsPerStep = 1000;
constexpr Duration kRetry = seconds(1);
constexpr Duration kParkedLimit = seconds(60);
constexpr std::string_view kPlace = "the scheduling";

bool terminal(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  return phase == "Succeeded" || phase == "Failed";
}

bool ours(const Object& pod) {
  const auto scheduler = stringAt(pod.spec(), {"schedulerName"}, "default-scheduler");
  return stringAt(pod.spec(), {"nodeName"}).empty() && !pod.deleting() && !terminal(pod) &&
         scheduler == "default-scheduler";
}

std::string_view readyOf(const Object& node) {
  for (const auto& condition : arrayAt(node.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Ready") return stringAt(condition, {"status"});
  return {};
}

bool isReady(const Object& node) { return readyOf(node) == "True"; }

/// What makes a node acceptable or not; heartbeats are no news.
bool nodeLooksTheSame(const Object& a, const Object& b) {
  return a.labels() == b.labels() && a.spec() == b.spec() && readyOf(a) == readyOf(b) &&
         objectAt(a.status(), {"allocatable"}) == objectAt(b.status(), {"allocatable"}) &&
         objectAt(a.status(), {"capacity"}) == objectAt(b.status(), {"capacity"});
}

/// True when the status says so already.
bool setPodScheduled(json::object& status, const Placement& placement, Time now) {
  auto& conditions = ensureArray(status, "conditions");
  json::object fresh{{"type", "PodScheduled"},
                     {"status", "False"},
                     {"reason", placement.reason},
                     {"message", placement.message},
                     {"lastTransitionTime", formatTime(now)}};
  for (auto& item : conditions) {
    if (stringAt(item, {"type"}) != "PodScheduled") continue;
    if (stringAt(item, {"reason"}) == placement.reason && stringAt(item, {"message"}) == placement.message) return true;
    if (stringAt(item, {"status"}) == "False") fresh["lastTransitionTime"] = stringAt(item, {"lastTransitionTime"});
    item = std::move(fresh);
    return false;
  }
  conditions.push_back(std::move(fresh));
  return false;
}

}  // namespace

SchedulerLoop::SchedulerLoop(Client& client, Random& random, Duration firstBinding, Events events)
    : client_(client), recorder_("default-scheduler", random, events), firstBinding_(firstBinding) {
  informer_ = std::make_unique<Informer>(client_, std::vector<Informer::Source>{{"nodes"}, {"pods"}}, wakerForMe(),
                                         nullptr, Snapshot::Indexes::none);
}

SchedulerLoop::~SchedulerLoop() = default;

std::optional<Time> SchedulerLoop::waitsUntil(Time now) {
  if (open_) return std::nullopt;
  if (std::exchange(nodeNews_, false)) {
    if (!noLater_) noLater_ = now + 3 * firstBinding_;
    standStill_ = std::min(now + firstBinding_, *noLater_);
  }
  // Without a ready node nothing can be bound, and pods are to hear why.
  if (!standStill_ || *standStill_ > now) return standStill_;
  open_ = true;
  return std::nullopt;
}

void SchedulerLoop::wakeParked() {
  waiting_.merge(parked_);
  parked_.clear();
}

void SchedulerLoop::takeNode(const ObjectPtr& before, const ObjectPtr& after) {
  if (!after) {
    view_.removeNode(before->name());
    wakeParked();  // the reasons have changed
    return;
  }
  if (before && nodeLooksTheSame(*before, *after)) return;
  view_.putNode(after);
  nodeNews_ = nodeNews_ || isReady(*after);
  wakeParked();
}

/// Whether anything that is bound may have a lower priority than this pod: most clusters know one priority only.
bool SchedulerLoop::lowerThan(const Object& pod) const {
  const auto priority = intAt(pod.spec(), {"priority"});
  return !priorities_.empty() && priorities_.begin()->first < priority;
}

void SchedulerLoop::countPriority(const Object* before, const Object* after) {
  const auto counts = [](const Object* pod) {
    return pod != nullptr && !stringAt(pod->spec(), {"nodeName"}).empty() && !terminal(*pod);
  };
  if (counts(before)) {
    const auto at = priorities_.find(intAt(before->spec(), {"priority"}));
    if (at != priorities_.end() && --at->second == 0) priorities_.erase(at);
  }
  if (counts(after)) ++priorities_[intAt(after->spec(), {"priority"})];
}

void SchedulerLoop::takePod(const ObjectPtr& before, const ObjectPtr& after) {
  const auto& uid = (after ? after : before)->uid();
  if (before && before->uid() != uid) takePod(before, nullptr);
  if (!after) {
    waiting_.erase(uid);
    parked_.erase(uid);
    assumed_.erase(uid);
    view_.removePod(uid);
    if (!stringAt(before->spec(), {"nodeName"}).empty()) wakeParked();
    return;
  }
  if (ours(*after)) {
    if (assumed_.contains(uid)) return;
    const auto parked = parked_.find(uid);
    if (parked != parked_.end() && before && before->spec() == after->spec()) parked->second = after;
    else {
      parked_.erase(uid);
      waiting_[uid] = after;
    }
    return;
  }
  waiting_.erase(uid);
  parked_.erase(uid);
  assumed_.erase(uid);
  view_.putPod(after);
  open_ = true;  // pods run already: this cluster is not new
  if (terminal(*after) && before && !terminal(*before)) wakeParked();
}

void SchedulerLoop::takeIn(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
  if (resource == "nodes") return takeNode(before, after);
  countPriority(before.get(), after.get());
  takePod(before, after);
}

std::vector<ObjectPtr> SchedulerLoop::nextPods() {
  std::vector<ObjectPtr> pods;
  pods.reserve(waiting_.size());
  for (const auto& [uid, pod] : waiting_) pods.push_back(pod);
  // In an order of its own, so that equal states are decided equally.
  const auto first = [](const ObjectPtr& a, const ObjectPtr& b) {
    return std::make_tuple(-intAt(a->spec(), {"priority"}), stringAt(a->metadata(), {"creationTimestamp"}),
                           a->revision()) < std::make_tuple(-intAt(b->spec(), {"priority"}),
                                                            stringAt(b->metadata(), {"creationTimestamp"}),
                                                            b->revision());
  };
  const auto count = std::min(pods.size(), kPodsPerStep);
  std::partial_sort(pods.begin(), pods.begin() + static_cast<std::ptrdiff_t>(count), pods.end(), first);
  pods.resize(count);
  for (const auto& pod : pods) waiting_.erase(pod->uid());
  return pods;
}

/// A pod that the scheduler fails on holds up itself alone: it is parked, and tried again with the others.
std::vector<Placement> SchedulerLoop::placementsOf(const std::vector<ObjectPtr>& pods, Time now) {
  std::vector<Placement> out;
  if (!barrier::run(kPlace, [&] { out = schedule(view_, pods); })) {
    for (const auto& place : std::exchange(failing_, {})) barrier::forget(place);
    return out;
  }
  out.clear();
  for (const auto& pod : pods) view_.removePod(pod->uid());  // what was placed before the fault
  for (const auto& pod : pods) {
    const auto place = std::string(kPlace) + " of " + pod->ns() + "/" + pod->name();
    const auto fault = barrier::run(place, [&] {
      for (auto& placement : schedule(view_, {pod})) out.push_back(std::move(placement));
    });
    if (!fault) continue;
    failing_.insert(place);
    parked_[pod->uid()] = pod;
    retryAt_ = now + kRetry;
  }
  if (failing_.empty()) barrier::forget(kPlace);  // each alone was well
  return out;
}

void SchedulerLoop::place(std::vector<ObjectPtr> pods, Time now) {
  auto placements = placementsOf(pods, now);
  std::vector<Write> refusals;
  std::vector<Placement> found;
  for (auto& placement : placements) {
    if (placement.node.empty()) refuse(placement, now, refusals);
    else found.push_back(std::move(placement));
  }
  if (!found.empty()) bind(std::move(found), now);
  if (!refusals.empty())
    for (auto& result : client_.batch(std::move(refusals), {}))
      if (!result.ok()) retryAt_ = now + kRetry;
}

void SchedulerLoop::bind(std::vector<Placement> placements, Time now) {
  std::vector<Write> writes;
  writes.reserve(placements.size());
  for (const auto& placement : placements) {
    assumed_.insert(placement.pod->uid());
    writes.push_back(Write::bind(placement.pod->ns(), placement.pod->name(), placement.pod->uid(), placement.node));
  }
  const auto results = client_.batch(std::move(writes), {});
  for (std::size_t i = 0; i < placements.size(); ++i) {
    const auto& [pod, node, reason, message] = placements[i];
    if (i < results.size() && results[i].ok()) {
      recorder_.note({pod, "Normal", "Scheduled",
                      "Successfully assigned " + pod->ns() + "/" + pod->name() + " to " + node, std::nullopt},
                     now);
      continue;
    }
    assumed_.erase(pod->uid());
    view_.removePod(pod->uid());
    // Bound by someone else or gone: its event says so. Else it is tried again.
    const auto latest = informer_->snapshot().get("pods", pod->ns(), pod->name());
    if (latest && latest->uid() == pod->uid() && ours(*latest)) parked_[pod->uid()] = latest;
    retryAt_ = now + kRetry;
  }
}

/// Pods that hold a place, for those who may ask others for theirs.
std::vector<ObjectPtr> SchedulerLoop::boundPods() const {
  std::vector<ObjectPtr> out;
  informer_->snapshot().each("pods", "", [&](const ObjectPtr& pod) {
    if (!stringAt(pod->spec(), {"nodeName"}).empty() && !terminal(*pod)) out.push_back(pod);
  });
  return out;
}

/// Asks pods of lower priority to go. True: the pod has a nominated node now.
bool SchedulerLoop::makeRoom(const ObjectPtr& pod, json::object& status, Time now) {
  std::optional<Preemption> found;
  if (barrier::run("the preemption for pods", [&] { found = preempt(view_, pod, boundPods()); }) || !found)
    return false;
  std::vector<Write> writes;
  for (const auto& victim : found->victims) {
    if (victim->deleting()) continue;
    json::object condition{{"type", "DisruptionTarget"},
                           {"status", "True"},
                           {"reason", "PreemptionByScheduler"},
                           {"message", "default-scheduler: preempting to accommodate a higher priority pod"},
                           {"lastProbeTime", nullptr},
                           {"lastTransitionTime", formatTime(now)}};
    json::object marked{{"metadata", json::object{{"uid", victim->uid()}}},
                        {"status", json::object{{"conditions", json::array{std::move(condition)}}}}};
    writes.push_back(
        Write::patch({"pods", victim->ns(), victim->name()}, PatchType::strategic, std::move(marked), "status"));
    DeleteOptions options;
    options.uid = victim->uid();
    writes.push_back(Write::remove({"pods", victim->ns(), victim->name()}, std::move(options)));
    recorder_.note(
        {victim, "Normal", "Preempted", "Preempted by pod " + pod->uid() + " on node " + found->node, std::nullopt},
        now);
  }
  if (!writes.empty())
    for (auto& result : client_.batch(std::move(writes), {}))
      if (!result.ok() && result.error().code != Errc::notFound) retryAt_ = now + kRetry;
  const bool fresh = stringAt(status, {"nominatedNodeName"}) != found->node;
  status["nominatedNodeName"] = found->node;
  return fresh;
}

void SchedulerLoop::refuse(const Placement& placement, Time now, std::vector<Write>& writes) {
  parked_[placement.pod->uid()] = placement.pod;
  json::object status = placement.pod->status();
  const bool nominated =
      placement.reason == "Unschedulable" && lowerThan(*placement.pod) && makeRoom(placement.pod, status, now);
  if (setPodScheduled(status, placement, now) && !nominated) return;
  json::object body = placement.pod->json();
  body["status"] = std::move(status);
  writes.push_back(Write::updateStatus("pods", std::move(body)));
  if (placement.reason == "Unschedulable")
    recorder_.note({placement.pod, "Warning", "FailedScheduling", placement.message, std::nullopt}, now);
}

/// Pods that the step had taken up are waiting again, unless they are bound.
void SchedulerLoop::recover() {
  assumed_.clear();
  priorities_.clear();
  for (const auto& node : informer_->snapshot().list("nodes")) takeNode(nullptr, node);
  for (const auto& pod : informer_->snapshot().list("pods")) takeIn("pods", nullptr, pod);
}

Loop::Next SchedulerLoop::step(Time now) {
  const bool more = informer_->pump(now, [&](const std::string& resource, const ObjectPtr& before,
                                             const ObjectPtr& after) { takeIn(resource, before, after); });
  if (!informer_->synced()) return more ? again(now) : informer_->retryAt() ? at(*informer_->retryAt()) : idle();
  if (retryAt_ && *retryAt_ <= now) {
    retryAt_.reset();
    wakeParked();
  }
  if (const auto until = waitsUntil(now)) return more ? again(now) : at(*until);
  if (auto pods = nextPods(); !pods.empty()) {
    place(std::move(pods), now);
  } else if (auto events = recorder_.flush(now, kPodsPerStep); !events.empty()) {
    // Events wait until nobody waits for a node.
    for (auto& result : client_.batch(std::move(events), {}))
      if (!result.ok()) break;
  }
  if (!parked_.empty() && !retryAt_) retryAt_ = now + kParkedLimit;
  if (more || !waiting_.empty()) return again(now);
  std::optional<Time> next = informer_->retryAt();
  for (const auto& t : {retryAt_, recorder_.due()})
    if (t && (!next || *t < *next)) next = t;
  return next ? at(*next) : idle();
}

}  // namespace steer
