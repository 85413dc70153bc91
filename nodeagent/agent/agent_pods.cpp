// The pods of the node: workers, the sweep over the runtime, status writes and housekeeping.
#include <algorithm>
#include <filesystem>
#include <set>

#include "core/barrier.h"
#include "core/folder.h"
#include "core/log.h"
#include "core/rfc3339.h"
#include "nodeagent/agent/agent_state.h"
#include "nodeagent/agent/log_files.h"
#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr seconds kRetry{1};
constexpr seconds kSimulatedSweep{300};
constexpr std::int64_t kOrphanGrace = 30;

/// Does the cheap listing agree with what is known of the pod?
bool agrees(const PodRuntimeState& known, const std::string& uid, const PodRuntimeState& all) {
  std::set<std::pair<std::string, int>> seen;
  std::set<std::pair<std::string, int>> had;
  for (const auto& s : all.sandboxes)
    if (s.podUid == uid) seen.emplace(s.id, s.ready ? 100 : 101);
  for (const auto& c : all.containers)
    if (c.podUid == uid) seen.emplace(c.id, static_cast<int>(c.phase));
  for (const auto& s : known.sandboxes) had.emplace(s.id, s.ready ? 100 : 101);
  for (const auto& c : known.containers) had.emplace(c.id, static_cast<int>(c.phase));
  return seen == had;
}

bool showsObjects(const Object& pod) {
  for (const auto& volume : arrayAt(pod.spec(), {"volumes"}))
    for (const char* kind : {"configMap", "secret", "downwardAPI", "projected"})
      if (find(volume, {kind})) return true;
  return false;
}

}  // namespace

void Agent::State::onPod(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  if (before && (!after || after->uid() != before->uid())) {
    const auto found = workers_.find(before->uid());
    if (found != workers_.end()) {
      if (found->second->finished()) {
        workers_.erase(found);
      } else {
        found->second->lose(now);
      }
    }
  }
  if (!after) return;
  const auto shown = options.simulated ? after : withApiAccess(after);
  if (const auto known = workers_.find(after->uid()); known != workers_.end()) known->second->update(shown);
  else workers_.emplace(after->uid(), std::make_shared<PodWorker>(shown, node_, runner_, jobs_));
}

/// A pod that cannot be taken in holds up itself alone, and is tried again.
void Agent::State::takePod(const ObjectPtr& before, const ObjectPtr& after, Time now) {
  const auto uid = (after ? after : before)->uid();
  if (!barrier::run("the agent's pod " + uid, [&] { onPod(before, after, now); })) {
    missed_.erase(uid);
    return;
  }
  missed_[uid] = {before, after};
  missedAt_ = now + kRetry;
}

void Agent::State::takeMissed(Time now) {
  if (missed_.empty()) return;
  if (now < missedAt_) return at(missedAt_);
  for (const auto& [uid, change] : std::map(missed_)) takePod(change.first, change.second, now);
  if (!missed_.empty()) at(missedAt_);
}

/// Looks at the whole runtime: what changed by itself, and what nobody wants any more. Only after the
/// pods of this node are known, or a server that is away would end everything.
void Agent::State::sweepRuntime(Time now) {
  if (!informer_.synced() || sweeping_) return;
  if (!*runtimeChanged_ && now < sweepAt_) return at(sweepAt_);
  *runtimeChanged_ = false;
  struct Look {
    Result<PodRuntimeState> state;
    std::optional<RuntimeVersion> version;
  };
  jobs_.run(
      [this, ask = !versionKnown_]() -> Look {
        std::optional<RuntimeVersion> version;
        if (ask)
          if (auto answer = runtime_.version(); answer.ok()) version = *answer;
        return {runtime_.list(), version};
      },
      [this](Look look) {
        const Time at = clock_.now();
        sweeping_ = false;
        sweepAt_ = at + (options.simulated ? kSimulatedSweep : options.listPeriod);
        if (look.version) {
          versionKnown_ = true;
          report_.runtimeVersion = look.version->name + "://" + look.version->version;
          nodeAt_ = {};
        }
        const bool ok = look.state.ok();
        if (ok != report_.runtimeReady) nodeAt_ = {};
        report_.runtimeReady = ok;
        report_.runtimeMessage = ok ? "" : look.state.error().message;
        if (!ok) {
          sweepAt_ = at + kRetry;
          return;
        }
        takeSweep(*look.state, at);
      },
      [](Error error) {
        return Look{std::move(error), std::nullopt};
      });
  sweeping_ = true;
}

void Agent::State::takeSweep(const PodRuntimeState& all, Time now) {
  for (const auto& [uid, worker] : workers_)
    if (!worker->finished() && !agrees(worker->runtime(), uid, all)) worker->invalidate();
  runningNow_->with([&](auto& running) {
    running.clear();
    for (const auto& c : all.containers)
      if (c.phase == ContainerPhase::running) running.emplace(c.podUid, c.name);
  });
  std::set<std::string> unknown;
  for (const auto& s : all.sandboxes) unknown.insert(s.podUid);
  for (const auto& c : all.containers) unknown.insert(c.podUid);
  for (const auto& uid : unknown)
    if (!uid.empty() && !workers_.contains(uid)) adoptOrphan(uid, all, now);
  if (!sweptOnce_ && !options.simulated) cleanOrphanFiles();
  sweptOnce_ = true;
}

/// A pod that runs here and is in no one's books: it ends as a deleted pod does.
void Agent::State::adoptOrphan(const std::string& uid, const PodRuntimeState& all, Time now) {
  json::object metadata{{"uid", uid}, {"deletionGracePeriodSeconds", kOrphanGrace}};
  metadata["deletionTimestamp"] = formatTime(now + seconds(kOrphanGrace));
  for (const auto& s : all.sandboxes) {
    if (s.podUid != uid) continue;
    metadata["name"] = s.podName;
    metadata["namespace"] = s.podNamespace;
  }
  json::object body{{"apiVersion", "v1"}, {"kind", "Pod"}, {"metadata", std::move(metadata)}};
  auto worker = std::make_shared<PodWorker>(Object::make(std::move(body)), node_, runner_, jobs_);
  worker->lose(now);
  log::info("a pod that is not wanted any more is stopped", {{"node", options.nodeName}, {"uid", uid}});
  workers_[uid] = std::move(worker);
}

/// Directories of pods that ended while no agent was here.
void Agent::State::cleanOrphanFiles() {
  std::set<std::string> known;
  for (const auto& [uid, worker] : workers_) known.insert(uid);
  jobs_.run(
      [this, known = std::move(known)] {
        for (const auto& uid : volumes_.podUids()) {
          if (known.contains(uid)) continue;
          if (const auto removed = volumes_.remove(uid); !removed.ok())
            log::warn("a former pod's directory stays", {{"uid", uid}, {"error", removed.error().message}});
        }
        std::error_code ec;
        for (const auto& path : pathsIn(logRoot(options))) {
          const auto name = path.filename().string();
          const auto mark = name.rfind('_');
          if (mark != std::string::npos && !known.contains(name.substr(mark + 1)))
            std::filesystem::remove_all(path, ec);
        }
        return true;
      },
      [](bool) {}, [](const Error&) { return false; });
}

void Agent::State::stepWorkers(Time now) {
  for (auto it = workers_.begin(); it != workers_.end();) {
    const auto worker = it->second;
    const auto fault = barrier::run("the agent's pod " + it->first, [&] {
      if (const auto next = worker->step(now)) at(*next);
    });
    if (fault) at(now + kRetry);
    if (worker->finished() && worker->lost()) {
      barrier::forget("the agent's pod " + it->first);
      it = workers_.erase(it);
    } else {
      ++it;
    }
  }
}

/// All that is to be written, in one request: statuses, then the objects that may go, then events.
void Agent::State::flush(Time now) {
  if (flushing_) return;
  if (flushAt_ && now < *flushAt_) return at(*flushAt_);
  flushAt_.reset();
  std::vector<Write> writes;
  std::vector<std::shared_ptr<PodWorker>> owners;
  std::vector<bool> removals;
  std::vector<json::object> statuses;
  for (const auto& [uid, worker] : workers_) {
    if (worker->lost() || worker->removed()) continue;
    const auto& pod = worker->pod();
    const ObjectRef ref{"pods", pod.ns(), pod.name()};
    if (auto patch = worker->statusPatch()) {
      json::object body{{"metadata", json::object{{"uid", uid}}}, {"status", *std::move(patch)}};
      writes.push_back(Write::patch(ref, PatchType::strategic, std::move(body), "status"));
      owners.push_back(worker);
      removals.push_back(false);
      statuses.push_back(worker->status());
    }
    if (worker->finished()) {
      DeleteOptions options_;
      options_.gracePeriodSeconds = 0;
      options_.uid = uid;
      writes.push_back(Write::remove(ref, options_));
      owners.push_back(worker);
      removals.push_back(true);
      statuses.emplace_back();
    }
  }
  for (auto& write : events_.writes(now)) writes.push_back(std::move(write));
  if (writes.empty()) return;
  jobs_.run([this, writes = std::move(writes)]() mutable { return client_.batch(std::move(writes), {}); },
            [this, owners = std::move(owners), removals = std::move(removals),
             statuses = std::move(statuses)](std::vector<Result<ObjectPtr>> results) mutable {
              flushing_ = false;
              takeFlush(owners, removals, std::move(statuses), std::move(results), clock_.now());
            },
            failedBatch);
  flushing_ = true;
}

void Agent::State::takeFlush(const std::vector<std::shared_ptr<PodWorker>>& owners, const std::vector<bool>& removals,
                             std::vector<json::object> statuses, std::vector<Result<ObjectPtr>> results, Time now) {
  for (std::size_t i = 0; i < owners.size() && i < results.size(); ++i) {
    const auto& result = results[i];
    // Gone, or another pod of that name: the informer tells about both.
    const bool gone = !result.ok() && (result.error().code == Errc::notFound || result.error().code == Errc::conflict);
    if (result.ok() || gone) {
      if (removals[i]) {
        owners[i]->markRemoved();
      } else {
        owners[i]->statusWritten(statuses[i]);
      }
      continue;
    }
    log::warn("a pod's status could not be written",
              {{"pod", owners[i]->pod().ns() + "/" + owners[i]->pod().name()}, {"error", result.error().message}});
    flushAt_ = now + kRetry;
  }
}

void Agent::State::housekeeping(Time now) {
  if (options.simulated) return;
  if (refreshAt_ <= now) {
    refreshAt_ = now + options.referencePeriod;
    refreshVolumes();
  }
  at(refreshAt_);
  if (houseAt_ <= now) {
    houseAt_ = now + options.housePeriod;
    references_.forgetUnused();
    keepHouse();
  }
  at(houseAt_);
  if (imagesAt_ <= now) {
    imagesAt_ = now + options.imagePeriod;
    keepImages();
  }
  at(imagesAt_);
}

/// Changed config maps, secrets and tokens into running pods. One after the other: a server that does not answer
/// must not hold every thread.
void Agent::State::refreshVolumes() {
  if (refreshing_) return;
  std::vector<ObjectPtr> pods;
  for (const auto& [uid, worker] : workers_)
    if (auto pod = worker->lost() ? nullptr : worker->refreshable(); pod && showsObjects(*pod))
      pods.push_back(std::move(pod));
  if (pods.empty()) return;
  jobs_.run(
      [this, pods = std::move(pods)] {
        for (const auto& pod : pods) {
          auto refs = referencesOf(*pod, node_);
          if (!refs.ok()) continue;  // the old files stay
          refs->podIp = stringAt(pod->status(), {"podIP"});
          if (const auto done = volumes_.refresh(*pod, *refs); !done.ok())
            log::warn("a pod's volumes are not up to date",
                      {{"pod", pod->ns() + "/" + pod->name()}, {"error", done.error().message}});
        }
        return true;
      },
      [this](bool) { refreshing_ = false; }, [](const Error&) { return false; });
  refreshing_ = true;
}

/// Logs that grew, and the weight of the classes of pods.
void Agent::State::keepHouse() {
  if (keepingHouse_) return;
  std::vector<std::pair<std::string, std::string>> logs;
  std::vector<ObjectPtr> pods;
  for (const auto& [uid, worker] : workers_) {
    pods.push_back(worker->podPtr());
    for (const auto& c : worker->runtime().containers)
      if (c.phase == ContainerPhase::running && !c.logPath.empty()) logs.emplace_back(c.id, c.logPath);
  }
  jobs_.run(
      [this, logs = std::move(logs), pods = std::move(pods)] {
        for (const auto& [id, path] : logs) {
          if (!rotationDue(path, options.logRotation)) continue;
          auto rotated = rotateLog(path, options.logRotation);
          if (rotated.ok()) rotated = runtime_.reopenLog(id);
          if (!rotated.ok())
            log::warn("a container's log was not rotated", {{"path", path}, {"error", rotated.error().message}});
        }
        for (const auto* folder : {"/burstable", "/besteffort"}) {
          const bool any =
              std::any_of(pods.begin(), pods.end(), [&](const auto& p) { return qosFolder(*p) == folder; });
          LinuxResources weight;
          weight.cpuShares = burstableShares(folder == std::string("/burstable") ? pods : std::vector<ObjectPtr>{});
          const auto limited = any ? node_.cgroups.limit(nodeCgroup(options) + folder, weight) : Result<void>{};
          if (!limited.ok()) log::warn("a class of pods has no weight", {{"error", limited.error().message}});
        }
        return true;
      },
      [this](bool) { keepingHouse_ = false; }, [](const Error&) { return false; });
  keepingHouse_ = true;
}

void Agent::State::keepImages() {
  if (keepingImages_) return;
  std::set<std::string> named;
  for (const auto& pod : informer_.snapshot().list("pods")) {
    const auto phase = stringAt(pod->status(), {"phase"});
    if (phase == "Succeeded" || phase == "Failed") continue;
    for (const auto* list : {"initContainers", "containers"})
      for (const auto& container : arrayAt(pod->spec(), {list})) named.emplace(stringAt(container, {"image"}));
  }
  jobs_.run([this, named = std::move(named)] { return images_.look(runtime_, named, clock_.now()); },
            [this](Result<int> removed) {
              keepingImages_ = false;
              if (!removed.ok()) log::warn("images could not be looked through", {{"error", removed.error().message}});
            });
  keepingImages_ = true;
}

}  // namespace steer
