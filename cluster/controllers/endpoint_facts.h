#pragma once
// What Endpoints and EndpointSlices both ask of services and pods. Pure.
#include <optional>
#include <string>
#include <vector>

#include "core/controller.h"

namespace steer::endpointfacts {

/// A selector, and not an ExternalName.
bool selects(const Object& service);
bool selected(const Object& service, const Object& pod);
bool headless(const Object& service);
/// The pod's address of a family ("IPv4" | "IPv6"), empty when it has none.
std::string addressOf(const Object& pod, std::string_view family);
/// The service's families; IPv4 when it does not say.
std::vector<std::string> familiesOf(const Object& service);
/// The service's ports with the pod's numbers; a named target port that the pod lacks is left out.
json::array portsFor(const Object& service, const Object& pod);
/// Pods of the service that may have an endpoint: with an address and not terminal.
std::vector<ObjectPtr> backends(const Snapshot& snapshot, const Object& service);
json::object targetRef(const Object& pod);
/// The pod's hostname when it is to be resolved under this service's name.
std::string_view hostnameUnder(const Object& service, const Object& pod);
/// Keys of services for a changed pod; none when nothing that endpoints show has changed.
std::vector<Controller::Key> keysForPod(const Snapshot& snapshot, const ObjectPtr& before, const ObjectPtr& after);

}  // namespace steer::endpointfacts
