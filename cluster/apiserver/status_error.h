#pragma once
// The errors of the API in Kubernetes' words, and metav1.Status bodies. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "schemas/schema.h"
#include "schemas/validate.h"

namespace steer {

/// "deployments.apps" as error texts name a resource.
std::string qualifiedResource(const KindSchema& kind);

Error notFoundError(const KindSchema& kind, std::string_view name);
Error alreadyExistsError(const KindSchema& kind, std::string_view name);
/// 409: "Operation cannot be fulfilled on …: <why>".
Error conflictError(const KindSchema& kind, std::string_view name, std::string_view why);
Error staleError(const KindSchema& kind, std::string_view name);
/// 422 with all causes in the message.
Error invalidError(const KindSchema& kind, std::string_view name, std::vector<Cause> causes);
Cause causeOf(const Finding& finding);

inline Cause invalidValue(std::string field, std::string message) {
  return {"FieldValueInvalid", std::move(field), "Invalid value: " + std::move(message)};
}
inline Cause requiredValue(std::string field, std::string message = "") {
  return {"FieldValueRequired", std::move(field), "Required value" + (message.empty() ? "" : ": " + message)};
}
inline Cause forbiddenValue(std::string field, std::string message) {
  return {"FieldValueForbidden", std::move(field), "Forbidden: " + std::move(message)};
}

/// What an error is about, for metav1.Status.details.
struct StatusSubject {
  std::string name;
  std::string group;
  std::string kind;
};
json::object statusOf(const Error& error, const StatusSubject& subject = {});
/// Status: Success; `uid` may be empty.
json::object successStatus(const StatusSubject& subject, std::string_view uid, int code = 200);

}  // namespace steer
