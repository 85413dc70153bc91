#include "cluster/controllers/all.h"

#include <algorithm>

#include "cluster/controllers/deployment.h"
#include "cluster/controllers/endpoint_slices.h"
#include "cluster/controllers/endpoints.h"
#include "cluster/controllers/job.h"
#include "cluster/controllers/namespaces.h"
#include "cluster/controllers/pod_garbage.h"
#include "cluster/controllers/replica_set.h"
#include "cluster/controllers/replication_controller.h"
#include "cluster/controllers/role_aggregation.h"

namespace steer {

std::vector<std::unique_ptr<Controller>> makeControllers(const ControllerOptions& options) {
  std::vector<std::string> namespaced, owned;
  bool serviceAccounts = false, roles = false;
  for (const auto& collection : options.collections) {
    if (collection.namespaced) namespaced.push_back(collection.resource);
    if (collection.resource != "events" && collection.resource != "leases.coordination.k8s.io")
      owned.push_back(collection.resource);
    serviceAccounts = serviceAccounts || collection.resource == "serviceaccounts";
    roles = roles || collection.resource == "clusterroles.rbac.authorization.k8s.io";
  }
  std::vector<std::unique_ptr<Controller>> all;
  all.push_back(makeDeploymentController());
  all.push_back(makeReplicaSetController());
  all.push_back(makeReplicationController());
  all.push_back(makeJobController());
  all.push_back(makeEndpointSliceController());
  all.push_back(makeEndpointMirrorController());
  all.push_back(makeEndpointsController());
  all.push_back(makeNodeLifecycleController(options.nodes));
  all.push_back(makeTaintEvictionController());
  if (!options.podCidr.empty()) all.push_back(makeNodeIpamController(options.podCidr, options.nodePodPrefix));
  all.push_back(makeNamespaceController(std::move(namespaced)));
  all.push_back(makeNamespaceGiftsController({options.rootCaPem, serviceAccounts}));
  all.push_back(makeGarbageController(std::move(owned), options.collectionOf));
  if (roles) all.push_back(makeRoleAggregationController());
  all.push_back(makePodGarbageController(options.keepTerminatedPods));
  all.push_back(makeEventExpiryController(options.eventTtl));
  return all;
}

}  // namespace steer
