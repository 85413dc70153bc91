#include "schemas/rules.h"

namespace steer {

std::string FieldPath::pointer() const {
  if (parent_ == nullptr) return {};
  if (step_ == Step::said) return parent_->pointer();
  auto out = parent_->pointer() + "/";
  if (step_ == Step::item) return out + std::to_string(index_);
  for (const char c : name_) {
    if (c == '~') out += "~0";
    else if (c == '/') out += "~1";
    else if (c == '.' && step_ == Step::path) out += '/';
    else out += c;
  }
  return out;
}

std::string FieldPath::text() const {
  if (parent_ == nullptr) return {};
  if (step_ == Step::said) return std::string(name_);
  auto out = parent_->text();
  if (step_ == Step::within) return out;
  if (step_ == Step::item) return out + "[" + std::to_string(index_) + "]";
  if (step_ == Step::key) return out + "[" + std::string(name_) + "]";
  return out.empty() ? std::string(name_) : out + "." + std::string(name_);
}

void RuleReport::add(Finding::Kind kind, const FieldPath& at, std::string message, std::string hint) {
  findings_.push_back({kind, at.pointer(), at.text(), std::move(message), std::move(hint)});
}

std::string RuleReport::quote(const json::value& value) const {
  if (values_ == Values::hidden) return "";
  if (value.is_structured() || value.is_null()) return "";
  auto text = jsonText(value);
  if (text.size() > 200) {
    text.resize(200);
    text += "…";
  }
  text += ": ";
  return text;
}

void RuleReport::required(const FieldPath& at, std::string detail) {
  add(Finding::Kind::required, at, "Required value" + (detail.empty() ? "" : ": " + detail));
}

void RuleReport::invalid(const FieldPath& at, const json::value& value, const std::string& detail, std::string hint) {
  add(Finding::Kind::badValue, at, "Invalid value: " + quote(value) + detail, std::move(hint));
}

void RuleReport::unsupported(const FieldPath& at, const json::value& value, const std::vector<std::string>& supported) {
  std::string list;
  for (const auto& name : supported) list += (list.empty() ? "\"" : ", \"") + name + "\"";
  const auto* text = value.if_string();
  const auto near = text == nullptr ? std::string() : nearestName(view(*text), supported);
  add(Finding::Kind::unsupportedValue, at, "Unsupported value: " + quote(value) + "supported values: " + list,
      near.empty() ? "" : "did you mean \"" + near + "\"?");
}

void RuleReport::duplicate(const FieldPath& at, const json::value& value) {
  auto text = quote(value);
  if (text.size() > 2) text.resize(text.size() - 2);
  add(Finding::Kind::duplicate, at, "Duplicate value" + (text.empty() ? "" : ": " + text));
}

void RuleReport::tooLong(const FieldPath& at, const std::string& detail) {
  add(Finding::Kind::tooLong, at, "Too long: " + detail);
}

void RuleReport::forbidden(const FieldPath& at, const std::string& detail) {
  add(Finding::Kind::forbidden, at, "Forbidden: " + detail);
}

void RuleReport::notFound(const FieldPath& at, const json::value& value, std::string hint) {
  auto text = quote(value);
  if (text.size() > 2) text.resize(text.size() - 2);
  add(Finding::Kind::notFound, at, "Not found" + (text.empty() ? "" : ": " + text), std::move(hint));
}

void RuleReport::tooMany(const FieldPath& at, std::size_t most) {
  add(Finding::Kind::tooMany, at, "Too many: must have at most " + std::to_string(most) + " items");
}

void RuleReport::unknown(const FieldPath& at, std::string hint) {
  add(Finding::Kind::unknownField, at, "unknown field", std::move(hint));
}

void RuleReport::wrongType(const FieldPath& at, std::string detail, std::string hint) {
  add(Finding::Kind::wrongType, at, std::move(detail), std::move(hint));
}

void RuleReport::malformed(const FieldPath& at, const json::value& value, const std::string& detail) {
  add(Finding::Kind::wrongType, at, "Invalid value: " + quote(value) + detail);
}

void RuleReport::check(const FieldPath& at, std::string_view value, const NameProblem& problem) {
  if (problem) invalid(at, json::value(jkey(value)), *problem);
}

void RuleReport::check(const FieldPath& at, std::string_view value, NameCheck rule) {
  const auto problem = rule(value);
  if (!problem) return;
  const auto near = values_ == Values::hidden ? std::string() : nearestValid(value, rule);
  invalid(at, json::value(jkey(value)), *problem, near.empty() ? "" : "write \"" + near + "\"");
}

std::string_view causeReason(Finding::Kind kind) {
  switch (kind) {
    case Finding::Kind::required:
      return "FieldValueRequired";
    case Finding::Kind::unsupportedValue:
      return "FieldValueNotSupported";
    case Finding::Kind::duplicate:
      return "FieldValueDuplicate";
    case Finding::Kind::tooLong:
      return "FieldValueTooLong";
    case Finding::Kind::forbidden:
      return "FieldValueForbidden";
    case Finding::Kind::notFound:
      return "FieldValueNotFound";
    case Finding::Kind::tooMany:
      return "FieldValueTooMany";
    case Finding::Kind::wrongType:
      return "FieldValueTypeInvalid";
    case Finding::Kind::unknownField:
    case Finding::Kind::badValue:
      return "FieldValueInvalid";
  }
  return "FieldValueInvalid";
}

}  // namespace steer
