#include "cluster/apiserver/reviews.h"

#include "cluster/apiserver/resource_front.h"
#include "cluster/apiserver/token_review.h"

namespace steer {
namespace {

AccessQuestion questionOf(const json::value& body) {
  const auto& attributes = objectAt(body, {"spec", "resourceAttributes"});
  const auto& path = objectAt(body, {"spec", "nonResourceAttributes"});
  const auto text = [](const json::object& from, std::string_view key) { return std::string(stringAt(from, {key})); };
  if (attributes.empty()) return {text(path, "verb"), "", "", "", "", text(path, "path")};
  return {text(attributes, "verb"),        resourceKey(text(attributes, "group"), text(attributes, "resource")),
          text(attributes, "subresource"), text(attributes, "namespace"),
          text(attributes, "name"),        ""};
}

}  // namespace

bool isReview(const Route& route) { return route.kind->plural.ends_with("reviews"); }

Response reviewAnswer(const ServerParts& parts, const Request& request, const Route& route) {
  if (request.method != "POST" || !route.name.empty())
    return errorAnswer(
        makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource"),
        subjectOf(route));
  const Snapshot view = parts.store.snapshot();
  if (auto allowed = parts.authorize(request.identity, {"create", route.kind->plural}, view); !allowed.ok())
    return errorAnswer(allowed.error(), subjectOf(route));
  auto body = decodeBody(request);
  if (!body.ok()) return errorAnswer(body.error(), subjectOf(route));
  json::object out{{"kind", route.kind->gvk.kind},
                   {"apiVersion", route.kind->gvk.apiVersion()},
                   {"metadata", {{"creationTimestamp", nullptr}}}};
  if (route.kind->gvk.kind == "SelfSubjectReview") {
    out["status"] = json::object{{"userInfo", userInfoOf(request.identity)}};
  } else if (route.kind->gvk.kind == "TokenReview") {
    out["spec"] = json::object{};  // a token shown once need not travel back
    out["status"] = tokenReviewStatus(parts, objectAt(*body, {"spec"}), view);
  } else {
    if (const auto* spec = find(*body, {"spec"})) out["spec"] = *spec;
    const auto answer = parts.authorizer.decide(request.identity, questionOf(*body), view);
    json::object status{{"allowed", answer.allowed}};
    if (!answer.reason.empty()) status["reason"] = answer.reason;
    out["status"] = std::move(status);
  }
  return jsonAnswer(out, {}, 201);
}

}  // namespace steer
