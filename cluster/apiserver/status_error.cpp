#include "cluster/apiserver/status_error.h"

#include <algorithm>

#include <set>
#include <utility>

#include "core/utf8.h"

namespace steer {

std::string qualifiedResource(const KindSchema& kind) { return kind.resource(); }

Error notFoundError(const KindSchema& kind, std::string_view name) {
  return makeError(Errc::notFound, qualifiedResource(kind) + " \"" + std::string(name) + "\" not found");
}

Error alreadyExistsError(const KindSchema& kind, std::string_view name) {
  return makeError(Errc::alreadyExists, qualifiedResource(kind) + " \"" + std::string(name) + "\" already exists");
}

Error conflictError(const KindSchema& kind, std::string_view name, std::string_view why) {
  return makeError(Errc::conflict, "Operation cannot be fulfilled on " + qualifiedResource(kind) + " \"" +
                                       std::string(name) + "\": " + std::string(why));
}

Error staleError(const KindSchema& kind, std::string_view name) {
  return conflictError(kind, name,
                       "the object has been modified; please apply your changes to the latest version and try again");
}

Error invalidError(const KindSchema& kind, std::string_view name, std::vector<Cause> causes) {
  // The order of members in what was sent says nothing: the same object is refused in the same words.
  std::stable_sort(causes.begin(), causes.end(), [](const Cause& a, const Cause& b) { return a.field < b.field; });
  std::string text = kind.gvk.kind;
  if (!kind.gvk.group.empty()) text += "." + kind.gvk.group;
  text += " \"" + std::string(name) + "\" is invalid: ";
  if (causes.size() > 1) text += '[';
  bool first = true;
  for (const auto& cause : causes) {
    if (!std::exchange(first, false)) text += ", ";
    text += (cause.field.empty() ? "" : cause.field + ": ") + cause.message;
  }
  if (causes.size() > 1) text += ']';
  return Error{Errc::invalid, std::move(text), std::move(causes), 0};
}

Cause causeOf(const Finding& finding) {
  return {std::string(causeReason(finding.kind)), finding.path,
          finding.message + (finding.hint.empty() ? "" : "; " + finding.hint)};
}

json::object statusOf(const Error& error, const StatusSubject& subject) {
  const auto& facts = factsOf(error.code);
  json::object details;
  if (!subject.name.empty()) details["name"] = subject.name;
  if (!subject.group.empty()) details["group"] = subject.group;
  if (!subject.kind.empty()) details["kind"] = subject.kind;
  if (!error.causes.empty()) {
    json::array causes;
    for (const auto& cause : error.causes) {
      json::object item{{"reason", cause.reason}, {"message", cause.message}};
      if (!cause.field.empty()) item["field"] = cause.field;
      causes.push_back(std::move(item));
    }
    details["causes"] = std::move(causes);
  }
  if (error.retryAfterSeconds > 0) details["retryAfterSeconds"] = error.retryAfterSeconds;
  json::object out{{"kind", "Status"},        {"apiVersion", "v1"},       {"metadata", json::object{}},
                   {"status", "Failure"},     {"message", error.message}, {"reason", json::string(facts.reason)},
                   {"code", facts.httpStatus}};
  if (!details.empty()) out["details"] = std::move(details);
  makeUtf8(out);  // a message may quote what was refused
  return out;
}

json::object successStatus(const StatusSubject& subject, std::string_view uid, int code) {
  json::object out{{"kind", "Status"}, {"apiVersion", "v1"}, {"metadata", json::object{}}, {"status", "Success"}};
  if (!subject.kind.empty()) {
    json::object details{{"name", subject.name}, {"kind", subject.kind}};
    if (!subject.group.empty()) details["group"] = subject.group;
    if (!uid.empty()) details["uid"] = json::string(uid);
    out["details"] = std::move(details);
  }
  if (code != 200) out["code"] = code;
  return out;
}

}  // namespace steer
