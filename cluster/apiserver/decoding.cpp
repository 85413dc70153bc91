#include "cluster/apiserver/decoding.h"

#include <algorithm>

#include "cluster/apiserver/status_error.h"

namespace steer {
namespace {

Error wrongTypes(const KindSchema& kind, const std::vector<Finding>& findings) {
  std::string text =
      kind.gvk.kind + " in version \"" + kind.gvk.version + "\" cannot be handled as a " + kind.gvk.kind + ": ";
  bool first = true;
  for (const auto& finding : findings) {
    if (finding.kind != Finding::Kind::wrongType) continue;
    if (!first) text += ", ";
    first = false;
    text += finding.path + ": " + finding.message;
  }
  return makeError(Errc::badRequest, std::move(text));
}

std::string unknownFieldText(const std::string& path) { return "unknown field \"" + path + "\""; }

}  // namespace

Result<void> settleKind(const KindSchema& kind, json::object& object) {
  const std::string apiVersion(stringAt(object, {"apiVersion"}));
  const std::string name(stringAt(object, {"kind"}));
  if (!apiVersion.empty() && apiVersion != kind.gvk.apiVersion())
    return makeError(Errc::badRequest, "the API version in the data (" + apiVersion +
                                           ") does not match the expected API version (" + kind.gvk.apiVersion() + ")");
  if (!name.empty() && name != kind.gvk.kind)
    return makeError(Errc::badRequest,
                     "the kind in the data (" + name + ") does not match the expected kind (" + kind.gvk.kind + ")");
  if (apiVersion.empty()) object["apiVersion"] = kind.gvk.apiVersion();
  if (name.empty()) object["kind"] = kind.gvk.kind;
  return {};
}

Result<bool> checkShape(const KindSchema& kind, json::object& object, FieldValidation validation,
                        std::vector<std::string>& warnings) {
  const auto findings = validateShape(kind, object, UnknownFields::report);
  if (findings.empty()) return false;
  bool healable = false;
  bool mistyped = false;
  std::vector<std::string> unknown;
  for (const auto& finding : findings) {
    if (finding.kind == Finding::Kind::unknownField) unknown.push_back(finding.path);
    else if (finding.kind == Finding::Kind::wrongType) mistyped = true;
    else healable = true;
  }
  if (mistyped) return wrongTypes(kind, findings);
  if (unknown.empty()) return healable;
  if (validation == FieldValidation::strict) {
    std::string text;
    for (const auto& path : unknown) text += (text.empty() ? "" : ", ") + unknownFieldText(path);
    return makeError(Errc::badRequest, "strict decoding error: " + text);
  }
  if (validation == FieldValidation::warn)
    for (const auto& path : unknown) warnings.push_back(unknownFieldText(path));
  pruneUnknownFields(kind, object);
  return healable;
}

void checkValues(const KindSchema& kind, const json::object* before, const json::object& object,
                 std::vector<Cause>& causes) {
  const auto occasion = before == nullptr ? Occasion::create : Occasion::update;
  const auto say = [&](const json::object& body) {
    auto out = validateShape(kind, body, UnknownFields::ignore);
    auto rules = validateSemantics(kind, body, occasion);
    std::move(rules.begin(), rules.end(), std::back_inserter(out));
    return out;
  };
  const auto findings = say(object);
  if (findings.empty()) return;
  const auto old = before == nullptr ? std::vector<Finding>{} : say(*before);
  for (const auto& finding : findings) {
    const bool stood = std::any_of(old.begin(), old.end(), [&](const Finding& f) {
      return f.kind == finding.kind && f.path == finding.path && f.message == finding.message;
    });
    if (!stood) causes.push_back(causeOf(finding));
  }
}

void checkMetadataValues(const KindSchema& kind, const json::object& object, std::vector<Cause>& causes) {
  for (const auto& finding : validateSemantics(kind, object, Occasion::update))
    if (finding.pointer.starts_with("/metadata")) causes.push_back(causeOf(finding));
}

Result<void> checkStatus(const KindSchema& kind, std::string_view name, const json::object& object) {
  const auto* status = object.if_contains("status");
  if (status == nullptr) return {};
  const json::object only{{"apiVersion", kind.gvk.apiVersion()}, {"kind", kind.gvk.kind}, {"status", *status}};
  std::vector<Cause> causes;
  for (const auto& finding : validateStructure(kind, only, UnknownFields::ignore)) {
    if (!finding.pointer.starts_with("/status")) continue;
    if (finding.kind == Finding::Kind::wrongType) return wrongTypes(kind, {finding});
    causes.push_back(causeOf(finding));
  }
  if (!causes.empty()) return invalidError(kind, name, std::move(causes));
  return {};
}

}  // namespace steer
