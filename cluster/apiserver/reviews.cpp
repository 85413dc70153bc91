#include "cluster/apiserver/reviews.h"

#include "cluster/apiserver/resource_front.h"
#include "cluster/apiserver/role_book.h"
#include "cluster/apiserver/token_review.h"
#include "schemas/protobuf_encode.h"

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

json::object accessStatus(const ServerParts& parts, const Identity& who, const AccessQuestion& question,
                          const Snapshot& view) {
  const auto answer = parts.authorizer.decide(who, question, view);
  json::object out{{"allowed", answer.allowed}};
  if (!answer.reason.empty()) out["reason"] = answer.reason;
  return out;
}

/// Of whom a SubjectAccessReview speaks.
Identity subjectIn(const json::object& spec) {
  const auto texts = [](const json::array& list) {
    std::vector<std::string> out;
    for (const auto& item : list)
      if (const auto* text = item.if_string()) out.emplace_back(view(*text));
    return out;
  };
  Identity out{std::string(stringAt(spec, {"user"})),
               texts(arrayAt(spec, {"groups"})),
               std::string(stringAt(spec, {"uid"})),
               {}};
  for (const auto& [key, values] : objectAt(spec, {"extra"}))
    if (const auto* list = values.if_array()) out.extra[key] = texts(*list);
  return out;
}

json::object rulesStatus(const ServerParts& parts, const Identity& who, const std::string& ns, const Snapshot& view) {
  json::array resources, paths;
  for (const auto& rule : parts.authorizer.rulesOf(who, ns, view))
    (rule.urls.empty() ? resources : paths).push_back(jsonOf(rule));
  const bool node = isMember(who, "system:nodes");
  json::object out{
      {"resourceRules", std::move(resources)}, {"nonResourceRules", std::move(paths)}, {"incomplete", node}};
  if (node) out["evaluationError"] = "what a node may do hangs on the pods that run on it";
  return out;
}

Result<json::object> answerReview(const ServerParts& parts, const Request& request, const Route& route,
                                  const json::value& body, const Snapshot& view) {
  const auto& kind = route.kind->gvk.kind;
  const auto& spec = objectAt(body, {"spec"});
  if (kind == "SelfSubjectReview") return json::object{{"userInfo", userInfoOf(request.identity)}};
  if (kind == "TokenReview") return tokenReviewStatus(parts, spec, view);
  if (kind == "SelfSubjectRulesReview") {
    const std::string ns(stringAt(spec, {"namespace"}));
    if (ns.empty()) return makeError(Errc::badRequest, "no namespace on request");
    return rulesStatus(parts, request.identity, ns, view);
  }
  if (spec.contains("resourceAttributes") == spec.contains("nonResourceAttributes"))
    return makeError(Errc::invalid,
                     kind + ": spec: exactly one of resourceAttributes and nonResourceAttributes is needed");
  const auto question = questionOf(body);
  if (kind == "SelfSubjectAccessReview") return accessStatus(parts, request.identity, question, view);
  const auto subject = subjectIn(spec);
  if (subject.user.empty() && subject.groups.empty())
    return makeError(Errc::invalid,
                     kind + ": spec.user: Required value: at least one of user or group must be specified");
  if (kind == "LocalSubjectAccessReview" && question.ns != route.ns)
    return makeError(Errc::invalid,
                     kind + ": spec.resourceAttributes.namespace: Invalid value: must match metadata.namespace");
  return accessStatus(parts, subject, question, view);
}

}  // namespace

bool isReview(const Route& route) { return route.kind->plural.ends_with("reviews"); }

Response reviewAnswer(const ServerParts& parts, const Request& request, const Route& route) {
  if (request.method != "POST" || !route.name.empty())
    return errorAnswer(
        makeError(Errc::methodNotAllowed, "the server does not allow this method on the requested resource"),
        subjectOf(route));
  // Nobody asks for the table of a question.
  const Offer offer{.protobuf = speaksProtobuf(*route.kind)};
  const auto wanted = wantedOf(request.header("accept"), offer);
  if (!wanted.acceptable) return notAcceptable(offer);
  const Snapshot view = parts.store.snapshot();
  if (auto allowed = parts.authorize(request.identity, {"create", route.kind->resource(), "", route.ns}, view);
      !allowed.ok())
    return errorAnswer(allowed.error(), subjectOf(route), wanted);
  auto body = decodeBody(request);
  if (!body.ok()) return errorAnswer(body.error(), subjectOf(route), wanted);
  json::object out{{"kind", route.kind->gvk.kind},
                   {"apiVersion", route.kind->gvk.apiVersion()},
                   {"metadata", {{"creationTimestamp", nullptr}}}};
  auto status = answerReview(parts, request, route, *body, view);
  if (!status.ok()) return errorAnswer(status.error(), subjectOf(route), wanted);
  // A token shown once need not travel back.
  if (const auto* spec = find(*body, {"spec"}))
    out["spec"] = route.kind->gvk.kind == "TokenReview" ? json::value(json::object{}) : *spec;
  out["status"] = std::move(*status);
  return bodyAnswer(*route.kind, out, wanted, 201);
}

}  // namespace steer
