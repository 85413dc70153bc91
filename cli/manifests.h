#pragma once
// Manifests as the reconciler wants them: render/ joined to the cluster's namespaces and to the
// application's label. Thread rule: the renderer is called by one thread at a time.
#include <string>

#include "cluster/client/client.h"
#include "reconciler/loop/source_keeper.h"

namespace steer::cli {

/// pathShown: where the rendered directory stands in its source, for findings and places.
/// The client must outlive the renderer. It keeps its caches from call to call.
Renderer makeRenderer(Client& client, std::string application, std::string pathShown);

}  // namespace steer::cli
