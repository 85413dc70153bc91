#pragma once
// Error codes of all operations, and the one table that maps them to an HTTP status,
// a Kubernetes status reason, a retry rule and a process exit code.
#include <string_view>

namespace steer {

enum class Errc {
  invalid,           ///< content was understood and is not acceptable (422 Invalid)
  badRequest,        ///< content could not be understood (400 BadRequest)
  unauthorized,      ///< who are you (401)
  forbidden,         ///< you may not (403)
  notFound,          ///< (404)
  methodNotAllowed,  ///< (405)
  alreadyExists,     ///< (409 AlreadyExists)
  conflict,          ///< the revision or a precondition moved (409 Conflict)
  gone,              ///< revision compacted or continue token expired (410 Expired)
  tooLarge,          ///< (413)
  unsupported,       ///< media type or feature (415)
  tooMany,           ///< rate limit or disruption budget (429)
  internal,          ///< a bug on our side (500)
  unavailable,       ///< the other side cannot be reached or is not ready (503)
  timeout,           ///< (504)
  io,                ///< disk or device failed; nothing was acknowledged (500)
  cancelled,         ///< stopped on request (499)
};

struct ErrcFacts {
  int httpStatus;
  std::string_view reason;  ///< metav1.Status.reason
  bool retryable;           ///< the same call may succeed later without a change by a person
  int exitCode;             ///< of the `steer` process
};

/// The table. Total: every Errc has a row.
const ErrcFacts& factsOf(Errc code);

/// Code for an HTTP status and metav1.Status.reason as received from a server.
Errc errcFromHttp(int status, std::string_view reason);

/// Code by metav1.Status.reason alone; Errc::internal when unknown.
Errc errcFromReason(std::string_view reason);

}  // namespace steer
