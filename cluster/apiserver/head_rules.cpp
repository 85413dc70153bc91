#include "cluster/apiserver/head_rules.h"

#include "cluster/apiserver/answers.h"
#include "cluster/apiserver/impersonation.h"
#include "cluster/apiserver/own_paths.h"
#include "cluster/apiserver/request_verb.h"
#include "cluster/apiserver/route.h"

namespace steer {
namespace {

/// The paths of many objects: everyone who says who they are may ask, and each object is judged for itself.
HeadVerdict judgeMany(const ServerParts& parts, const Identity& who, const Request& head, const Snapshot& view) {
  const AccessQuestion question{"post", "", "", "", "", head.path};
  if (parts.authorizer.decide(who, question, view).allowed) return {std::nullopt, kBatchBytes};
  if (who.user == kAnonymousUser) return {errorAnswer(refusal(who, question, {})), 0};
  return {std::nullopt, kBodyBytes};
}

}  // namespace

HeadVerdict judgeHead(const ServerParts& parts, const Request& head) {
  // Nobody has anything to send with these, and they are judged only where they are answered.
  if (head.method == "GET" || head.method == "HEAD") return {std::nullopt, 0};
  const auto acting = actingIdentity(parts, head);
  if (!acting.ok()) return {errorAnswer(acting.error()), 0};
  const Snapshot view = parts.store.snapshot();
  if (head.path == kBatchPath || head.path == kObservationPath) return judgeMany(parts, *acting, head, view);
  const auto route = routeOf(SchemaRegistry::builtin(), head.path);
  AccessQuestion question;
  if (route) {
    question = {verbOf(head, *route), route->kind->resource(), route->subresource, route->ns, route->name};
    // The name of what is made stands in the body, and a node's rights hang on it: they are judged there.
    if (question.verb == "create" && question.name.empty() && isMember(*acting, "system:nodes"))
      return {std::nullopt, kBodyBytes};
  } else if (const auto unknown = unservedOf(head.path)) {
    question = {verbOf(head), resourceKey(unknown->group, unknown->plural), "", unknown->ns};
  } else {
    question = {verbOf(head), "", "", "", "", head.path};
  }
  const auto allowed = parts.authorize(*acting, question, view);
  if (allowed.ok()) return {std::nullopt, kBodyBytes};
  return {errorAnswer(allowed.error(), route ? StatusSubject{route->name, route->kind->gvk.group, route->kind->plural}
                                             : StatusSubject{}),
          0};
}

}  // namespace steer
