#include "nodeagent/agent/pod_prober.h"

#include <algorithm>

#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

constexpr ProbeKind kKinds[] = {ProbeKind::startup, ProbeKind::liveness, ProbeKind::readiness};

const ContainerState* runningContainer(const PodRuntimeState& runtime, const std::string& name) {
  const ContainerState* newest = nullptr;
  for (const auto& c : runtime.containers)
    if (c.name == name && (!newest || c.attempt > newest->attempt)) newest = &c;
  return newest && newest->phase == ContainerPhase::running ? newest : nullptr;
}

}  // namespace

bool PodProber::wanted(const Object& pod, const Key& key, const ContainerFacts& facts,
                       const json::object& container) const {
  if (key.kind == ProbeKind::startup) return !facts.startupPassed && !facts.livenessFailed && !pod.deleting();
  if (probeOf(container, ProbeKind::startup) && !facts.startupPassed) return false;
  if (key.kind == ProbeKind::liveness) return !facts.livenessFailed && !pod.deleting();
  return true;
}

std::optional<Time> PodProber::step(const ObjectPtr& pod, const PodRuntimeState& runtime, const std::string& podIp,
                                    std::map<std::string, ContainerFacts>& facts, Time now,
                                    const std::function<void()>& changed) {
  std::optional<Time> next;
  std::set<Key> seen;
  for (const auto& spec : containersOf(*pod)) {
    const auto* running = runningContainer(runtime, spec.name);
    if (!running || spec.role == ContainerRole::init) continue;
    auto& fact = facts[spec.name];
    if (fact.probedId != running->id) {
      fact.probedId = running->id;
      fact.startupPassed = false;
      fact.ready.reset();
      fact.livenessFailed.reset();
      fact.probeGrace.reset();
    }
    for (const auto kind : kKinds) {
      const auto* probe = probeOf(*spec.json, kind);
      if (!probe) continue;
      const Key key{spec.name, running->id, kind};
      seen.insert(key);
      auto& entry =
          shared_->entries.try_emplace(key, Entry{ProbeRecord(probeSpecOf(*probe), running->startedAt), false})
              .first->second;
      if (entry.running || !wanted(*pod, key, fact, *spec.json)) continue;
      if (entry.record.due() <= now) {
        entry.record.begin(now);
        entry.running = true;
        launch(pod, *spec.json, key, podIp, changed);
      }
      if (!next || entry.record.due() < *next) next = entry.record.due();
    }
  }
  std::erase_if(shared_->entries, [&](const auto& e) { return !seen.contains(e.first) && !e.second.running; });
  // Verdicts that came since: the machine reads them from the facts.
  for (const auto& [key, entry] : shared_->entries) {
    auto& fact = facts[key.container];
    const auto verdict = entry.record.verdict();
    if (key.containerId != fact.probedId || !verdict) continue;
    if (key.kind == ProbeKind::readiness) fact.ready = *verdict;
    if (key.kind == ProbeKind::startup && *verdict) fact.startupPassed = true;
    if (key.kind != ProbeKind::readiness && !*verdict) {
      fact.livenessFailed =
          "Container " + key.container + " failed " + std::string(probeWord(key.kind)) + " probe, will be restarted";
      fact.probeGrace = entry.record.spec().grace;
    }
  }
  return next;
}

void PodProber::launch(const ObjectPtr& pod, const json::object& container, const Key& key, const std::string& podIp,
                       const std::function<void()>& changed) {
  const auto* probe = probeOf(container, key.kind);
  auto request = checkRequestOf(*probe, container, key.containerId, podIp);
  if (request.ok()) request->timeout = probeSpecOf(*probe).timeout;
  jobs_.run(
      [&node = node_, request]() -> std::optional<CheckOutcome> {
        if (!request.ok()) return CheckOutcome{false, request.error().message};
        return node.runtime.check(*request);
      },
      [shared = shared_, &node = node_, pod, key, changed](std::optional<CheckOutcome> outcome) {
        const auto found = shared->entries.find(key);
        if (found == shared->entries.end()) return;
        found->second.running = false;
        if (!outcome) return;
        if (!outcome->success) {
          auto word = std::string(probeWord(key.kind));
          word.front() = static_cast<char>(std::toupper(static_cast<unsigned char>(word.front())));
          node.events.note(*pod, {"Warning", "Unhealthy", word + " probe failed: " + outcome->message, key.container},
                           node.clock.now());
        }
        if (found->second.record.record(outcome->success)) changed();
      },
      // Our own fault says nothing about the container.
      [](const Error&) { return std::optional<CheckOutcome>(); });
}

}  // namespace steer
