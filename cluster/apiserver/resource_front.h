#pragma once
// ResourceFront: the REST verbs on resources. Thread rule: thread-safe.
#include "cluster/apiserver/answers.h"
#include "cluster/apiserver/list_pages.h"
#include "cluster/apiserver/route.h"
#include "cluster/apiserver/server_parts.h"
#include "cluster/apiserver/shaped_answer.h"
#include "cluster/apiserver/shared_lines.h"

namespace steer {

class ResourceFront {
 public:
  ResourceFront(ServerParts& parts, ListPages& pages) : parts_(parts), pages_(pages) {}
  Response answer(const Request& request, const Route& route);

 private:
  Result<Response> get(const Request& request, const Route& route);
  Result<Response> list(const Request& request, const Route& route);
  Result<Response> watch(const Request& request, const Route& route);
  Result<Response> write(const Request& request, const Route& route);
  Result<Response> removeOne(const Request& request, const Route& route);
  Result<Response> removeMany(const Request& request, const Route& route);
  Result<Response> logs(const Request& request, const Route& route);
  Response connect(const Request& request, const Route& route);
  Result<Response> answered(const Request& request, const Route& route);
  Shaping shapingOf(const Request& request, const Route& route) const;

  ServerParts& parts_;
  ListPages& pages_;
  std::shared_ptr<SharedLines> lines_ = std::make_shared<SharedLines>();
};

StatusSubject subjectOf(const Route& route);
/// The body as JSON, whatever its media type. Errors: badRequest, unsupported.
Result<json::value> decodeBody(const Request& request);
Result<WriteSettings> writeSettings(const Request& request, const Route& route);

}  // namespace steer
