#pragma once
// Every controller of this room, made with one set of options.
#include <memory>
#include <string>
#include <vector>

#include "cluster/controllers/garbage.h"
#include "cluster/controllers/node_lifecycle.h"
#include "cluster/controllers/selection.h"
#include "core/controller.h"

namespace steer {

struct ControllerOptions {
  /// Every collection that is served and can be listed, watched and deleted.
  std::vector<Collection> collections;
  CollectionOf collectionOf;
  std::string podCidr = "10.244.0.0/16";
  int nodePodPrefix = 24;
  std::string rootCaPem;
  NodeRules nodes{};
  std::size_t keepTerminatedPods = 12'500;
  Duration eventTtl = std::chrono::hours(1);
  ControllerSelection selection{};
  std::size_t keepEvents = 10'000;  ///< all objects are held in memory: events must not fill it within their hour
};

/// Those that the selection lets run.
std::vector<std::unique_ptr<Controller>> makeControllers(const ControllerOptions& options);

/// Of every controller of this room, in the order in which they are made.
const std::vector<ControllerName>& controllerNames();

}  // namespace steer
