#pragma once
// Manifests as the reconciler wants them: render/ joined to the cluster's namespaces and to the
// application's label. Thread rule: the renderer is called by one thread at a time.
#include <string>

#include "cluster/client/client.h"
#include "reconciler/loop/applications_loop.h"

namespace steer::cli {

/// The client must outlive the renderer. It keeps its caches from call to call.
Renderer makeRenderer(Client& client, RenderTarget target);

}  // namespace steer::cli
