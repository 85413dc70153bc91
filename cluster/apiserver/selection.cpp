#include "cluster/apiserver/selection.h"

#include <algorithm>

#include "cluster/apiserver/kind_strategy.h"

namespace steer {
namespace {

bool selectable(const std::string& resource, std::string_view field) {
  if (field == "metadata.name" || field == "metadata.namespace") return true;
  const auto fields = StrategyRegistry::builtin().of(resource).selectableFields();
  return std::find(fields.begin(), fields.end(), field) != fields.end();
}

/// What an absent field of this path reads as: Kubernetes selects by the text of a Go value, whose zero is "false" or
/// "0".
std::string_view zeroText(const std::string& resource, std::string_view path) {
  const auto* kind = SchemaRegistry::builtin().findByResource(resource);
  const TypeSchema* type = kind == nullptr ? nullptr : kind->type;
  while (type != nullptr) {
    const auto dot = std::min(path.find('.'), path.size());
    const auto* field = type->field(path.substr(0, dot));
    if (field == nullptr) return "";
    if (dot == path.size()) {
      if (field->scalar == Scalar::boolean) return "false";
      return field->scalar == Scalar::int32 || field->scalar == Scalar::int64 ? "0" : "";
    }
    path.remove_prefix(dot + 1);
    type = field->type;
  }
  return "";
}

bool isAbsent(const json::object& body, std::string_view path) {
  const json::object* current = &body;
  while (current != nullptr) {
    const auto dot = std::min(path.find('.'), path.size());
    const auto* member = current->if_contains(jkey(path.substr(0, dot)));
    if (member == nullptr || member->is_null()) return true;
    if (dot == path.size()) return false;
    path.remove_prefix(dot + 1);
    current = member->if_object();
  }
  return true;
}

/// One term as FieldSelector::parse reads it.
std::string termText(const FieldSelector::Term& term) {
  std::string out = term.path + (term.equal ? "=" : "!=");
  for (const char c : term.value) {
    if (c == '\\' || c == ',' || c == '=') out += '\\';
    out += c;
  }
  return out;
}

}  // namespace

Result<Selection> Selection::make(std::string resource, std::string ns, std::string_view labels,
                                  std::string_view fields) {
  Selection out;
  auto byLabel = LabelSelector::parse(labels);
  if (!byLabel.ok()) return makeError(Errc::badRequest, "unable to parse requirement: " + byLabel.error().message);
  auto byField = FieldSelector::parse(fields);
  if (!byField.ok()) return makeError(Errc::badRequest, byField.error().message);
  for (const auto& term : byField->terms())
    if (!selectable(resource, term.path)) return makeError(Errc::badRequest, "field label not supported: " + term.path);
  std::string plain;
  for (const auto& term : byField->terms()) {
    const auto zero = zeroText(resource, term.path);
    if (zero.empty()) {
      plain += (plain.empty() ? "" : ",") + termText(term);
      continue;
    }
    STEER_TRY(auto alone, FieldSelector::parse(termText(term)));
    out.zeroTerms_.push_back({std::move(alone), (term.value == zero) == term.equal});
  }
  STEER_TRY(out.plainFields_, FieldSelector::parse(plain));
  out.labels_ = std::move(*byLabel);
  out.fields_ = std::move(*byField);
  out.resource_ = std::move(resource);
  out.ns_ = std::move(ns);
  out.filter_.ns = out.ns_;
  for (const auto& term : out.fields_.terms()) {
    if (!term.equal) continue;
    if (term.path == "metadata.name") out.filter_.name = term.value;
    if (term.path == "metadata.namespace" && out.ns_.empty()) out.filter_.ns = term.value;
    if (term.path == "spec.nodeName" && out.resource_ == "pods") out.filter_.nodeName = term.value;
  }
  return out;
}

bool Selection::matches(const Object& object) const {
  return (ns_.empty() || object.ns() == ns_) && labels_.matches(object.labels()) && plainFields_.matches(object) &&
         std::all_of(zeroTerms_.begin(), zeroTerms_.end(), [&](const ZeroTerm& term) {
           return isAbsent(object.json(), term.alone.terms().front().path) ? term.whenAbsent
                                                                           : term.alone.matches(object);
         });
}

void Selection::each(const Snapshot& view, std::string_view after,
                     const std::function<bool(const ObjectPtr&)>& visit) const {
  const auto keyOf = [](const Object& o) { return o.ns() + "/" + o.name(); };
  if (filter_.nodeName) {
    auto pods = view.podsOnNode(*filter_.nodeName);
    std::sort(pods.begin(), pods.end(), [&](const auto& a, const auto& b) { return keyOf(*a) < keyOf(*b); });
    for (const auto& pod : pods) {
      if (!after.empty() && keyOf(*pod) <= after) continue;
      if (matches(*pod) && !visit(pod)) return;
    }
    return;
  }
  if (!filter_.name.empty() && !filter_.ns.empty()) {
    const auto object = view.get(resource_, filter_.ns, filter_.name);
    if (object != nullptr && matches(*object) && (after.empty() || keyOf(*object) > after)) visit(object);
    return;
  }
  view.scan(resource_, filter_.ns, after, [&](const ObjectPtr& object) { return !matches(*object) || visit(object); });
}

}  // namespace steer
