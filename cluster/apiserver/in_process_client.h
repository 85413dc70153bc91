#pragma once
// The client of those who live in the server's process: calls instead of requests, objects shared
// instead of serialised. Thread rule: thread-safe; the server must outlive it.
#include <memory>

#include "cluster/apiserver/api_server.h"
#include "cluster/client/client.h"

namespace steer {

/// The identity of the components that run inside the server's process.
Identity systemIdentity(std::string user = "system:steersman");

std::unique_ptr<Client> makeInProcessClient(ApiServer& server, Identity identity);

}  // namespace steer
