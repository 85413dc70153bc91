#pragma once
// Applications as a person names them, and who the person is. Thread rule: main thread.
#include <string>

#include "cluster/client/client.h"
#include "core/result.h"

namespace steer::cli {

/// "web" lives in steersman-system, "team.web" in namespace team, "steersman-system.a.b" is a.b: as the label of its
/// objects says.
ObjectRef applicationNamed(const std::string& text);

/// The user that the server takes us for; the name of the account on this machine when it does not say.
std::string whoAmI(Client& client);

/// Writes one annotation of an application, as the manager of this command.
Result<ObjectPtr> annotate(Client& client, const ObjectRef& application, const std::string& key,
                           const std::string& value, const std::string& manager);

}  // namespace steer::cli
