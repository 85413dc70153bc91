#pragma once
// HttpFront: the REST face of the API server: which request means what, and how answers look.
// Thread rule: thread-safe.
#include "cluster/apiserver/list_pages.h"
#include "cluster/apiserver/server_parts.h"

namespace steer {

class HttpFront {
 public:
  HttpFront(ServerParts& parts, ListPages& pages) : parts_(parts), pages_(pages) {}
  Response answer(const Request& request);

 private:
  ServerParts& parts_;
  ListPages& pages_;
};

}  // namespace steer
