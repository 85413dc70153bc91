#include "cluster/apiserver/http_front.h"

#include "cluster/apiserver/status_error.h"

namespace steer {

Response HttpFront::answer(const Request& request) {
  (void)parts_;
  (void)pages_;
  Response response;
  const auto error = makeError(Errc::notFound, "the server could not find the requested resource");
  response.status = factsOf(error.code).httpStatus;
  if (request.path == "/healthz" || request.path == "/livez" || request.path == "/readyz") {
    response.status = 200;
    response.contentType = "text/plain; charset=utf-8";
    response.body = "ok";
    return response;
  }
  response.body = jsonText(statusOf(error));
  return response;
}

}  // namespace steer
