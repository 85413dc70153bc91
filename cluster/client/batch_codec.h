#pragma once
// The wire form of batches and of errors, both directions: the HTTP client encodes what the server
// decodes, and the other way round. Pure functions.
//
// POST /apis/steersman.dev/v1/batch[?dryRun=All][&onError=stop|undo][&answer=brief|briefCreated] with
//   {"writes": [{"verb": "create|update|patch|delete", "resource": "deployments.apps", "namespace", "name",
//     "subresource", "body", "patchType": "json|merge|strategic|apply", "fieldManager", "force",
//     "deleteOptions": a metav1.DeleteOptions}]}
// is answered by {"results": [{"object": …} | {"status": a metav1.Status}]}, one per write, in order.
#include <string>
#include <string_view>
#include <vector>

#include "cluster/client/client.h"
#include "core/json.h"
#include "core/object.h"
#include "core/result.h"
#include "core/write.h"

namespace steer {

/// The text of a request.
std::string encodeBatch(const std::vector<Write>& writes);
/// Errors: badRequest, naming the write by its index.
Result<std::vector<Write>> decodeBatch(json::value body);

/// The text of an answer.
std::string encodeResults(const std::vector<Result<ObjectPtr>>& results);
/// Errors: internal when the answer has another shape.
Result<std::vector<Result<ObjectPtr>>> decodeResults(json::value body);

/// A metav1.DeleteOptions; empty options give an object with kind and apiVersion only.
json::object encodeDeleteOptions(const DeleteOptions& options);
/// Errors: badRequest. Unknown members are ignored.
Result<DeleteOptions> decodeDeleteOptions(const json::value& body);

/// A metav1.Status of a failure.
json::object encodeStatus(const Error& error);
/// The Error that a metav1.Status tells; httpStatus decides when the body is something else.
Error decodeStatus(const json::value& body, int httpStatus);

/// "" for full.
std::string_view answerName(Answer answer);
Answer answerOf(std::string_view name);
/// The identity of an object without its content.
ObjectPtr briefly(const Object& object);

std::string_view patchTypeName(PatchType type);
/// "application/strategic-merge-patch+json" and so on.
std::string_view patchContentType(PatchType type);

}  // namespace steer
