#pragma once
// What a namespace's pod security labels mean for one write: a pod that breaks what is enforced is refused; what is
// only warned of or noted, and templates of pods, get a warning or a line in the log. Pure but for the log.
#include <string>
#include <vector>

#include "cluster/apiserver/admission/pod_security.h"
#include "core/result.h"
#include "core/snapshot.h"
#include "schemas/schema.h"

namespace steer {

/// before: null for a new object. Warnings are added. Errors: forbidden.
Result<void> admitPodSecurity(const Snapshot& view, const KindSchema& kind, const json::object* before,
                              const json::object& after, PodSecurityLevel otherwise,
                              std::vector<std::string>& warnings);

}  // namespace steer
