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

namespace {

/// What the served collections mean for the controllers that go over all of them.
struct Reach {
  std::vector<std::string> namespaced{}, owned{};
  bool serviceAccounts = false, roles = false;
};

Reach reachOf(const std::vector<Collection>& collections) {
  Reach out;
  for (const auto& collection : collections) {
    if (collection.namespaced) out.namespaced.push_back(collection.resource);
    if (collection.resource != "events" && collection.resource != "leases.coordination.k8s.io")
      out.owned.push_back(collection.resource);
    out.serviceAccounts = out.serviceAccounts || collection.resource == "serviceaccounts";
    out.roles = out.roles || collection.resource == "clusterroles.rbac.authorization.k8s.io";
  }
  return out;
}

using Made = std::unique_ptr<Controller>;

struct Row {
  ControllerName name;
  /// Null where the options leave no room for it.
  Made (*make)(const ControllerOptions& options, const Reach& reach);
};

const std::vector<Row>& rows() {
  using O = ControllerOptions;
  static const std::vector<Row> kRows{
      {{"deployment-controller", "deployment"}, [](const O&, const Reach&) { return makeDeploymentController(); }},
      {{"replicaset-controller", "replicaset"}, [](const O&, const Reach&) { return makeReplicaSetController(); }},
      {{"replicationcontroller-controller", "replicationcontroller"},
       [](const O&, const Reach&) { return makeReplicationController(); }},
      {{"job-controller", "job"}, [](const O&, const Reach&) { return makeJobController(); }},
      {{"endpointslice-controller", "endpointslice"},
       [](const O&, const Reach&) { return makeEndpointSliceController(); }},
      {{"endpointslice-mirroring-controller", "endpointslicemirroring"},
       [](const O&, const Reach&) { return makeEndpointMirrorController(); }},
      {{"endpoints-controller", "endpoint"}, [](const O&, const Reach&) { return makeEndpointsController(); }},
      {{"node-lifecycle-controller", "nodelifecycle"},
       [](const O& o, const Reach&) { return makeNodeLifecycleController(o.nodes); }},
      {{"taint-eviction-controller", ""}, [](const O&, const Reach&) { return makeTaintEvictionController(); }},
      {{"node-ipam-controller", "nodeipam"},
       [](const O& o, const Reach&) {
         return o.podCidr.empty() ? nullptr : makeNodeIpamController(o.podCidr, o.nodePodPrefix);
       }},
      {{"namespace-controller", "namespace"},
       [](const O&, const Reach& reach) { return makeNamespaceController(reach.namespaced); }},
      // Gives namespaces their account and the cluster's certificate.
      {{"serviceaccount-controller", "serviceaccount"},
       [](const O& o, const Reach& reach) {
         return makeNamespaceGiftsController({o.rootCaPem, reach.serviceAccounts});
       }},
      {{"garbage-collector-controller", "garbagecollector"},
       [](const O& o, const Reach& reach) { return makeGarbageController(reach.owned, o.collectionOf); }},
      {{"clusterrole-aggregation-controller", "clusterrole-aggregation"},
       [](const O&, const Reach& reach) { return reach.roles ? makeRoleAggregationController() : nullptr; }},
      {{"pod-garbage-collector-controller", "podgc"},
       [](const O& o, const Reach&) { return makePodGarbageController(o.keepTerminatedPods); }},
      {{"event-expiry", ""},
       [](const O& o, const Reach&) { return makeEventExpiryController(o.eventTtl, o.keepEvents); }},
  };
  return kRows;
}

}  // namespace

const std::vector<ControllerName>& controllerNames() {
  static const std::vector<ControllerName> kNames = [] {
    std::vector<ControllerName> out;
    for (const auto& row : rows()) out.push_back(row.name);
    return out;
  }();
  return kNames;
}

std::vector<std::unique_ptr<Controller>> makeControllers(const ControllerOptions& options) {
  const auto reach = reachOf(options.collections);
  std::vector<Made> out;
  for (const auto& row : rows()) {
    if (!options.selection.runs(row.name)) continue;
    if (auto made = row.make(options, reach)) out.push_back(std::move(made));
  }
  return out;
}

}  // namespace steer
