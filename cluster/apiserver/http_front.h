#pragma once
// HttpFront: the REST face of the API server: which request means what. Thread rule: thread-safe.
#include "cluster/apiserver/openapi.h"
#include "cluster/apiserver/resource_front.h"

namespace steer {

class HttpFront {
 public:
  HttpFront(ServerParts& parts, ListPages& pages);
  Response answer(const Request& request);

 private:
  Response answerAs(const Request& request);
  Response page(const Request& request);
  Response discover(const Request& request);
  Response openApi(const Request& request);
  Response batch(const Request& request);
  Response observation(const Request& request);

  ServerParts& parts_;
  ResourceFront resources_;
  const OpenApi& openApi_;
};

}  // namespace steer
