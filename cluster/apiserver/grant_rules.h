#pragma once
// Nobody gives what they do not have: writing a role needs all its rules (or the verb `escalate`), binding one needs
// all rules of the role (or the verb `bind`), an Application acts as an account that its writer may impersonate, and
// repositories of the server's own machine are named by who holds all rights (or where `allowedSources` covers them).
// Source: Kubernetes documentation, "Privilege escalation prevention and bootstrapping". Pure.
#include "cluster/apiserver/authorizer.h"
#include "schemas/schema.h"

namespace steer {

/// `before` null: a new object. Errors: forbidden, naming what is missing.
Result<void> admitGrant(const Authorizer& authorizer, const Identity& who, const Snapshot& view, const KindSchema& kind,
                        const json::object* before, const json::object& after,
                        const std::vector<std::string>& allowedSources);

}  // namespace steer
