#include "reconciler/loop/application_requests.h"

namespace steer {
namespace {

/// The annotation as a JSON object; empty when it is none.
json::object read(const Object& application, const char* annotation) {
  const auto text = application.annotation(annotation);
  if (text.empty()) return {};
  auto parsed = parseJson(text);
  return parsed.ok() && parsed->is_object() ? std::move(parsed->get_object()) : json::object{};
}

std::string at(const json::object& from, std::string_view field) { return std::string(stringAt(from, {field})); }

}  // namespace

ApplicationRequests readRequests(const Object& application) {
  ApplicationRequests out;
  const auto approval = read(application, kApprovalAnnotation);
  if (const auto commit = at(approval, "commit"); !commit.empty())
    out.approval = {commit, at(approval, "digest"), at(approval, "deletions"), at(approval, "by"), at(approval, "at")};
  const auto rollback = read(application, kRollbackAnnotation);
  if (const auto id = at(rollback, "id"); !id.empty()) out.rollback = {id, at(rollback, "to"), at(rollback, "by")};
  const auto pin = read(application, kPinAnnotation);
  if (const auto commit = at(pin, "commit"); !commit.empty()) out.pin = {commit, at(pin, "insteadOf"), at(pin, "why")};
  out.reconcile = std::string(application.annotation(kReconcileAnnotation));
  return out;
}

std::string textOf(const DeleteApproval& a) {
  return jsonText(
      json::object{{"commit", a.commit}, {"digest", a.digest}, {"deletions", a.deletions}, {"by", a.by}, {"at", a.at}});
}

std::string textOf(const RollbackRequest& r) {
  return jsonText(json::object{{"id", r.id}, {"to", r.to}, {"by", r.by}});
}

std::string textOf(const CommitPin& p) {
  return jsonText(json::object{{"commit", p.commit}, {"insteadOf", p.insteadOf}, {"why", p.why}});
}

}  // namespace steer
