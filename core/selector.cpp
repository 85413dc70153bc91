#include "core/selector.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <optional>

namespace steer {
namespace {

bool isWordChar(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; }

// [A-Za-z0-9] at both ends, also '-', '_' and '.' between; at most 63 characters.
bool isQualifiedPart(std::string_view s) {
  if (s.empty() || s.size() > 63 || !isWordChar(s.front()) || !isWordChar(s.back())) return false;
  return std::all_of(s.begin(), s.end(), [](char c) { return isWordChar(c) || c == '-' || c == '_' || c == '.'; });
}

bool isDnsSubdomain(std::string_view s) {
  if (s.empty() || s.size() > 253) return false;
  for (std::size_t start = 0; start <= s.size();) {
    const auto end = std::min(s.find('.', start), s.size());
    const auto part = s.substr(start, end - start);
    auto ok = [](char c) {
      return std::islower(static_cast<unsigned char>(c)) || std::isdigit(static_cast<unsigned char>(c));
    };
    if (part.empty() || !ok(part.front()) || !ok(part.back())) return false;
    if (!std::all_of(part.begin(), part.end(), [&](char c) { return ok(c) || c == '-'; })) return false;
    start = end + 1;
  }
  return true;
}

bool isLabelKey(std::string_view key) {
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return isQualifiedPart(key);
  return isDnsSubdomain(key.substr(0, slash)) && isQualifiedPart(key.substr(slash + 1));
}

bool isLabelValue(std::string_view v) { return v.empty() || isQualifiedPart(v); }

std::optional<std::int64_t> asNumber(std::string_view s) {
  std::int64_t n = 0;
  const auto [end, ec] = std::from_chars(s.data(), s.data() + s.size(), n);
  if (ec != std::errc{} || end != s.data() + s.size() || s.empty()) return std::nullopt;
  return n;
}

std::optional<Error> whyBad(const LabelSelector::Requirement& r) {
  using Op = LabelSelector::Op;
  if (!isLabelKey(r.key))
    return makeError(Errc::invalid, "\"" + r.key + "\" is not a label key; write name or example.com/name");
  const bool takesSet = r.op == Op::in || r.op == Op::notIn;
  const bool takesNumber = r.op == Op::greater || r.op == Op::less;
  if (takesSet && r.values.empty()) return makeError(Errc::invalid, "label \"" + r.key + "\": values are missing");
  if (!takesSet && !takesNumber && !r.values.empty())
    return makeError(Errc::invalid, "label \"" + r.key + "\": Exists and DoesNotExist take no values");
  if (takesNumber && (r.values.size() != 1 || !asNumber(r.values[0])))
    return makeError(Errc::invalid, "label \"" + r.key + "\": > and < take one integer");
  for (const auto& v : r.values)
    if (!isLabelValue(v)) return makeError(Errc::invalid, "\"" + v + "\" is not a label value");
  return std::nullopt;
}

// Reads the text form. Words end at white space or one of !=<>(),
class SelectorReader {
 public:
  explicit SelectorReader(std::string_view text) : rest_(text) {}

  Result<std::vector<LabelSelector::Requirement>> readAll() {
    std::vector<LabelSelector::Requirement> out;
    skipSpace();
    while (!rest_.empty()) {
      STEER_TRY(auto r, readOne());
      if (auto bad = whyBad(r)) {
        bad->code = Errc::badRequest;
        return *bad;
      }
      out.push_back(std::move(r));
      skipSpace();
      if (rest_.empty()) break;
      if (!take(",")) return unexpected("','");
      skipSpace();
      if (rest_.empty()) return unexpected("a requirement after ','");
    }
    return out;
  }

 private:
  using Op = LabelSelector::Op;

  Result<LabelSelector::Requirement> readOne() {
    LabelSelector::Requirement r;
    if (take("!")) {
      r.key = word();
      r.op = Op::doesNotExist;
      return r;
    }
    r.key = word();
    if (r.key.empty()) return unexpected("a label key");
    skipSpace();
    if (rest_.empty() || rest_.front() == ',') return r;
    if (take("!=")) {
      r.op = Op::notIn;
      r.values.push_back(word());
    } else if (take("==") || take("=")) {
      r.op = Op::in;
      r.values.push_back(word());
    } else if (take(">")) {
      r.op = Op::greater;
      r.values.push_back(word());
    } else if (take("<")) {
      r.op = Op::less;
      r.values.push_back(word());
    } else {
      const auto op = word();
      if (op != "in" && op != "notin") return unexpected("=, ==, !=, in, notin, > or <");
      r.op = op == "in" ? Op::in : Op::notIn;
      STEER_TRY(r.values, set());
    }
    return r;
  }

  Result<std::vector<std::string>> set() {
    skipSpace();
    if (!take("(")) return unexpected("'('");
    std::vector<std::string> out;
    do {
      out.push_back(word());
      skipSpace();
    } while (take(","));
    if (!take(")")) return unexpected("',' or ')'");
    std::sort(out.begin(), out.end());
    out.erase(std::unique(out.begin(), out.end()), out.end());
    return out;
  }

  std::string word() {
    skipSpace();
    const auto n = std::min(rest_.find_first_of(" \t\r\n!=<>(),"), rest_.size());
    std::string out(rest_.substr(0, n));
    rest_.remove_prefix(n);
    return out;
  }
  void skipSpace() { rest_.remove_prefix(std::min(rest_.find_first_not_of(" \t\r\n"), rest_.size())); }
  bool take(std::string_view token) {
    if (!rest_.starts_with(token)) return false;
    rest_.remove_prefix(token.size());
    return true;
  }
  Error unexpected(const std::string& wanted) const {
    return makeError(Errc::badRequest, "label selector: expected " + wanted +
                                           (rest_.empty() ? " at the end" : " before \"" + std::string(rest_) + "\""));
  }

  std::string_view rest_;
};

bool meets(const LabelSelector::Requirement& r, const json::object& labels) {
  using Op = LabelSelector::Op;
  const auto* found = labels.if_contains(jkey(r.key));
  const auto* text = found == nullptr ? nullptr : found->if_string();
  const auto listed = [&] { return std::find(r.values.begin(), r.values.end(), view(*text)) != r.values.end(); };
  switch (r.op) {
    case Op::exists:
      return text != nullptr;
    case Op::doesNotExist:
      return text == nullptr;
    case Op::in:
      return text != nullptr && listed();
    case Op::notIn:
      return text == nullptr || !listed();
    case Op::greater:
    case Op::less: {
      if (text == nullptr || r.values.empty()) return false;
      const auto have = asNumber(view(*text));
      const auto want = asNumber(r.values[0]);
      if (!have || !want) return false;
      return r.op == Op::greater ? *have > *want : *have < *want;
    }
  }
  return false;
}

std::string requirementText(const LabelSelector::Requirement& r) {
  using Op = LabelSelector::Op;
  std::string list;
  for (const auto& v : r.values) list += (list.empty() && &v == &r.values.front() ? "" : ",") + v;
  switch (r.op) {
    case Op::exists:
      return r.key;
    case Op::doesNotExist:
      return "!" + r.key;
    case Op::greater:
      return r.key + ">" + list;
    case Op::less:
      return r.key + "<" + list;
    case Op::in:
      return r.values.size() == 1 ? r.key + "=" + list : r.key + " in (" + list + ")";
    case Op::notIn:
      return r.values.size() == 1 ? r.key + "!=" + list : r.key + " notin (" + list + ")";
  }
  return "";
}

Result<LabelSelector::Requirement> expressionOf(const json::value& expression) {
  using Op = LabelSelector::Op;
  LabelSelector::Requirement r;
  r.key = stringAt(expression, {"key"});
  const auto op = stringAt(expression, {"operator"});
  if (op == "In") r.op = Op::in;
  else if (op == "NotIn") r.op = Op::notIn;
  else if (op == "Exists") r.op = Op::exists;
  else if (op == "DoesNotExist") r.op = Op::doesNotExist;
  else
    return makeError(Errc::invalid,
                     "\"" + std::string(op) + "\" is not a selector operator; write In, NotIn, Exists or DoesNotExist");
  for (const auto& v : arrayAt(expression, {"values"})) {
    if (!v.is_string()) return makeError(Errc::invalid, "label \"" + r.key + "\": values must be strings");
    r.values.emplace_back(view(v.get_string()));
  }
  if (auto bad = whyBad(r)) return *bad;
  return r;
}

}  // namespace

Result<LabelSelector> LabelSelector::parse(std::string_view text) {
  LabelSelector out;
  STEER_TRY(out.requirements_, SelectorReader(text).readAll());
  return out;
}

Result<LabelSelector> LabelSelector::fromObject(const json::value* selector) {
  if (selector == nullptr || selector->is_null()) return nothing();
  const auto* o = selector->if_object();
  if (o == nullptr) return makeError(Errc::invalid, "a label selector is an object");
  LabelSelector out;
  for (const auto& [key, value] : objectAt(*o, {"matchLabels"})) {
    if (!value.is_string()) return makeError(Errc::invalid, "matchLabels values must be strings");
    out.requirements_.push_back({std::string(view(key)), Op::in, {std::string(view(value.get_string()))}});
    if (auto bad = whyBad(out.requirements_.back())) return *bad;
  }
  for (const auto& expression : arrayAt(*o, {"matchExpressions"})) {
    STEER_TRY(auto r, expressionOf(expression));
    out.requirements_.push_back(std::move(r));
  }
  return out;
}

LabelSelector LabelSelector::fromMap(const json::object& labels) {
  if (labels.empty()) return nothing();
  LabelSelector out;
  for (const auto& [key, value] : labels) {
    std::string wanted = value.is_string() ? std::string(view(value.get_string())) : jsonText(value);
    out.requirements_.push_back({std::string(view(key)), Op::in, {std::move(wanted)}});
  }
  return out;
}

LabelSelector LabelSelector::nothing() {
  LabelSelector out;
  out.nothing_ = true;
  return out;
}

bool LabelSelector::matches(const json::object& labels) const {
  if (nothing_) return false;
  return std::all_of(requirements_.begin(), requirements_.end(),
                     [&](const Requirement& r) { return meets(r, labels); });
}

std::string LabelSelector::text() const {
  std::string out;
  for (const auto& r : requirements_) out += (out.empty() ? "" : ",") + requirementText(r);
  return out;
}

namespace {

struct FieldToken {
  std::string path;
  std::string op;
  std::string value;
};

// One "path op value" with backslash escapes in the value; stops at an unescaped comma.
Result<FieldToken> readFieldToken(std::string_view& rest) {
  FieldToken out;
  const auto opAt = rest.find_first_of("=!,");
  if (opAt == std::string_view::npos || rest[opAt] == ',')
    return makeError(Errc::badRequest, "field selector: write path=value or path!=value");
  out.path = rest.substr(0, opAt);
  rest.remove_prefix(opAt);
  for (const std::string_view op : {"!=", "==", "="}) {
    if (!rest.starts_with(op)) continue;
    out.op = op;
    rest.remove_prefix(op.size());
    break;
  }
  if (out.op.empty() || out.path.empty())
    return makeError(Errc::badRequest, "field selector: write path=value or path!=value");
  while (!rest.empty() && rest.front() != ',') {
    char c = rest.front();
    rest.remove_prefix(1);
    if (c == '=') return makeError(Errc::badRequest, "field selector: escape '=' in a value as \\=");
    if (c == '\\') {
      if (rest.empty() || (rest.front() != ',' && rest.front() != '=' && rest.front() != '\\'))
        return makeError(Errc::badRequest, "field selector: a backslash escapes ',', '=' or '\\' only");
      c = rest.front();
      rest.remove_prefix(1);
    }
    out.value += c;
  }
  return out;
}

std::string fieldText(const json::object& body, std::string_view path) {
  const json::object* current = &body;
  while (current != nullptr) {
    const auto dot = std::min(path.find('.'), path.size());
    const auto* member = current->if_contains(jkey(path.substr(0, dot)));
    if (member == nullptr || member->is_null()) return "";
    if (dot == path.size()) {
      if (const auto* s = member->if_string()) return std::string(view(*s));
      return member->is_structured() ? "" : jsonText(*member);
    }
    path.remove_prefix(dot + 1);
    current = member->if_object();
  }
  return "";
}

}  // namespace

Result<FieldSelector> FieldSelector::parse(std::string_view text) {
  FieldSelector out;
  while (!text.empty()) {
    STEER_TRY(auto token, readFieldToken(text));
    out.terms_.push_back({std::move(token.path), token.op != "!=", std::move(token.value)});
    if (text.empty()) break;
    text.remove_prefix(1);
    if (text.empty()) return makeError(Errc::badRequest, "field selector: a term is missing after ','");
  }
  return out;
}

bool FieldSelector::matches(const Object& object) const {
  return std::all_of(terms_.begin(), terms_.end(),
                     [&](const Term& t) { return (fieldText(object.json(), t.path) == t.value) == t.equal; });
}

}  // namespace steer
