#include "cluster/manager/manager.h"

#include <algorithm>
#include <set>

#include "cluster/controllers/all.h"
#include "cluster/manager/controller_loop.h"
#include "cluster/manager/fault_loop.h"
#include "cluster/manager/pod_times_loop.h"
#include "cluster/manager/scheduler_loop.h"
#include "schemas/schema.h"

namespace steer {
namespace {

bool hasVerb(const KindSchema& kind, std::string_view verb) {
  return std::find(kind.verbs.begin(), kind.verbs.end(), verb) != kind.verbs.end();
}

}  // namespace

Manager::Manager(Client& client, const Clock& clock, Random& random, ManagerOptions options) {
  const auto& registry = SchemaRegistry::builtin();
  ControllerOptions controllers;
  std::set<std::string> seen;
  for (const auto* kind : registry.kinds())
    if (hasVerb(*kind, "list") && hasVerb(*kind, "watch") && hasVerb(*kind, "delete") &&
        seen.insert(kind->resource()).second)
      controllers.collections.push_back({kind->resource(), kind->namespaced});
  controllers.collectionOf = [&registry](const Gvk& gvk) -> std::optional<Collection> {
    const auto* kind = registry.find(gvk);
    if (kind == nullptr) return std::nullopt;
    return Collection{kind->resource(), kind->namespaced};
  };
  controllers.podCidr = options.podCidr;
  controllers.nodePodPrefix = options.nodePodPrefix;
  controllers.rootCaPem = options.rootCaPem;
  controllers.nodes = {options.nodeGrace, clock.now()};
  controllers.keepTerminatedPods = options.keepTerminatedPods;
  controllers.eventTtl = options.eventTtl;
  controllers.selection = options.controllers;
  controllers_ = std::make_unique<ControllerLoop>(client, random, makeControllers(controllers), options.events);
  scheduler_ = std::make_unique<SchedulerLoop>(client, random, options.firstBinding, options.events);
  if (options.recordPodTimes) podTimes_ = std::make_unique<PodTimesLoop>(client);
  if (options.reportFaults) faults_ = std::make_unique<FaultLoop>(client);
}

Manager::~Manager() = default;

std::vector<Loop*> Manager::loops() {
  std::vector<Loop*> out{controllers_.get(), scheduler_.get()};
  if (podTimes_) out.push_back(podTimes_.get());
  if (faults_) out.push_back(faults_.get());
  return out;
}

}  // namespace steer
