#include "cluster/manager/pod_times_loop.h"

#include "cluster/scheduler/pod_needs.h"

namespace steer {
namespace {

constexpr Duration kGather = milliseconds(500);  ///< a rollout is one write, not one per pod
constexpr Duration kRetry = seconds(5);

bool placed(const Object& pod) { return !stringAt(pod.spec(), {"nodeName"}).empty(); }

std::string imageOf(const Object& pod, std::string_view container) {
  for (const auto& item : arrayAt(pod.spec(), {"containers"}))
    if (stringAt(item, {"name"}) == container) return std::string(stringAt(item, {"image"}));
  return "";
}

bool anyRunning(const Object& pod) {
  for (const auto& status : arrayAt(pod.status(), {"containerStatuses"}))
    if (find(status, {"state", "running"}) != nullptr) return true;
  return false;
}

bool allReady(const Object& pod) {
  const auto& statuses = arrayAt(pod.status(), {"containerStatuses"});
  for (const auto& status : statuses)
    if (!boolAt(status, {"ready"})) return false;
  return !statuses.empty();
}

bool over(const Object& pod) {
  const auto phase = stringAt(pod.status(), {"phase"});
  return phase == "Succeeded" || phase == "Failed";
}

}  // namespace

PodTimesLoop::PodTimesLoop(Client& client) : client_(client) {
  informer_ = std::make_unique<Informer>(client_, std::vector<Informer::Source>{{"pods"}}, wakerForMe(), nullptr,
                                         Snapshot::Indexes::none);
}

PodTimesLoop::~PodTimesLoop() = default;

void PodTimesLoop::takeContainers(const Object& pod, Underway& underway, bool placedNow, Time now) {
  for (const auto& status : arrayAt(pod.status(), {"containerStatuses"})) {
    const std::string container(stringAt(status, {"name"}));
    if (find(status, {"state", "running"}) == nullptr || intAt(status, {"restartCount"}) != 0) continue;
    const bool first = !underway.running.contains(container);
    if (first) {
      underway.running[container] = now;
      // Placed and running in one look: nobody knows how long it took.
      if (!placedNow)
        times_.add(underway.first ? &PodTimes::Samples::firstStart : &PodTimes::Samples::start, imageOf(pod, container),
                   now - *underway.placed, now);
    }
    const auto since = underway.running.find(container);
    if (!boolAt(status, {"ready"}) || since->second == Time::max()) continue;
    if (!(first && placedNow))
      times_.add(underway.first ? &PodTimes::Samples::firstReady : &PodTimes::Samples::ready, imageOf(pod, container),
                 now - since->second, now);
    since->second = Time::max();  // told
    if (!saveAt_) saveAt_ = now + kGather;
  }
}

void PodTimesLoop::noteReady(const ObjectPtr& pod, bool ready) {
  const auto known = ready_.find(pod->uid());
  if ((known != ready_.end()) == ready) return;
  if (ready) {
    const auto& kind = ready_[pod->uid()] = needsOf(pod).group;
    ++readyOf_[kind];
    return;
  }
  if (const auto count = readyOf_.find(known->second); --count->second == 0) readyOf_.erase(count);
  ready_.erase(known);
}

void PodTimesLoop::takeGone(const ObjectPtr& gone, Time now) {
  const auto& pod = *gone;
  noteReady(gone, false);
  const auto known = underway_.find(pod.uid());
  if (known == underway_.end()) return;
  // Who was killed at once tells nothing of how long it would have taken.
  if (known->second.stopping && intAt(pod.metadata(), {"deletionGracePeriodSeconds"}) > 0) {
    const auto& [placed, running, stopping, ended, first] = known->second;
    for (const auto& container : arrayAt(pod.spec(), {"containers"})) {
      const std::string image(stringAt(container, {"image"}));
      times_.add(&PodTimes::Samples::stop, image, now - *stopping, now);
      times_.add(&PodTimes::Samples::end, image, ended.value_or(now) - *stopping, now);
    }
    if (!saveAt_) saveAt_ = now + kGather;
  }
  underway_.erase(known);
}

void PodTimesLoop::take(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  if (!after) return takeGone(before, now);
  if (before && before->uid() != after->uid()) {
    takeGone(before, now);
    return take(nullptr, after, now);
  }
  noteReady(after, allReady(*after) && !over(*after));
  if (!watching_) return;
  if (over(*after)) {
    const auto known = underway_.find(after->uid());
    if (known != underway_.end() && known->second.stopping && !known->second.ended) known->second.ended = now;
    return;
  }
  const bool placedNow = placed(*after) && (!before || !placed(*before));
  if (placedNow) {
    auto& fresh = underway_[after->uid()];
    fresh.placed = now;
    fresh.first = !readyOf_.contains(needsOf(after).group);
  }
  const auto known = underway_.find(after->uid());
  if (known != underway_.end() && known->second.placed && !after->deleting()) {
    takeContainers(*after, known->second, placedNow, now);
    if (allReady(*after)) underway_.erase(known);
  }
  if (after->deleting() && before && !before->deleting()) {
    underway_.erase(after->uid());
    if (anyRunning(*before)) underway_[after->uid()].stopping = now;
  }
}

bool PodTimesLoop::load(Time) {
  const auto stored = client_.get({"configmaps", kPodTimesNamespace, kPodTimesName});
  if (!stored.ok()) return stored.error().code == Errc::notFound;
  times_ = PodTimes::read(**stored);
  return true;
}

void PodTimesLoop::save(Time now) {
  const auto written = client_.write(Write::apply("configmaps", times_.configMap(), "steersman-pod-times", true));
  saveAt_ = written.ok() ? std::nullopt : std::optional<Time>(now + kRetry);
}

Loop::Next PodTimesLoop::step(Time now) {
  if (!loaded_ && !(loaded_ = load(now))) return at(now + kRetry);
  const bool more = informer_->pump(
      now, [&](const std::string&, const ObjectPtr& before, const ObjectPtr& after) { take(before, after, now); });
  if (informer_->synced()) watching_ = true;
  if (more) return again(now);
  if (saveAt_ && *saveAt_ <= now) save(now);
  std::optional<Time> next = informer_->retryAt();
  if (saveAt_ && (!next || *saveAt_ < *next)) next = saveAt_;
  return {next};
}

}  // namespace steer
