#pragma once
// Connections that lead into the network and never to this machine or its link, whatever a name resolves to and
// wherever a server redirects: the address that is checked is the one that is connected to.
// Thread rule: keepToNetwork() once, before the first conversation of the process.
#include <string>

#include "core/result.h"

namespace steer::git {

/// From now on all sockets of libgit2 in this process, those below TLS included, go into the network alone.
Result<void> keepToNetwork();

/// The first address of the host that leads into the network, as text. Errors: forbidden (AddressRefused) when all of
/// them lead here, unavailable when the name cannot be resolved.
Result<std::string> networkAddressOf(const std::string& host, const std::string& port);

}  // namespace steer::git
