#include "schemas/cel/checker.h"

#include <algorithm>

#include "core/rfc3339.h"
#include "schemas/cel/functions.h"
#include "schemas/cel/substitution.h"
#include "schemas/cel/syntax.h"
#include "schemas/formats.h"

namespace steer {
namespace {

using Kind = CelType::Kind;

Error wrong(std::string what) { return makeError(Errc::badRequest, std::move(what)); }

bool isDyn(const CelType& type) { return type.kind == Kind::dyn; }

/// "a.b.c" for a chain of names; empty for anything else.
std::string chainOf(const CelNode& node) {
  if (node.kind == CelNode::Kind::name) return node.text;
  if (node.kind != CelNode::Kind::select || node.optional) return {};
  const auto front = chainOf(node.args[0]);
  return front.empty() ? "" : front + "." + node.text;
}

class Checker {
 public:
  explicit Checker(const CelVariables& variables) : variables_(variables) {}

  Result<CelType> check(const CelNode& node) {
    auto type = judge(node);
    // A type that doubles with every call would take all memory: what is too large to tell is not told.
    if (type.ok() && weightOf(type.value()) > kHeaviest) return CelType();
    return type;
  }

 private:
  static constexpr std::size_t kHeaviest = 1000;

  static std::size_t weightOf(const CelType& type) {
    std::size_t out = 1;
    for (const auto& arg : type.args) out += weightOf(arg);
    return out;
  }

  Result<CelType> judge(const CelNode& node) {
    switch (node.kind) {
      case CelNode::Kind::null:
        return CelType::of(Kind::null);
      case CelNode::Kind::boolean:
        return CelType::of(Kind::boolean);
      case CelNode::Kind::integer:
        return CelType::of(Kind::integer);
      case CelNode::Kind::unsignedInteger:
        return CelType::of(Kind::unsignedInteger);
      case CelNode::Kind::number:
        return CelType::of(Kind::number);
      case CelNode::Kind::text:
        return CelType::of(Kind::text);
      case CelNode::Kind::bytes:
        return CelType::of(Kind::bytes);
      case CelNode::Kind::name:
        return checkName(node);
      case CelNode::Kind::select:
        return checkSelection(node);
      case CelNode::Kind::list:
        return checkList(node);
      case CelNode::Kind::map:
        return checkMap(node);
      case CelNode::Kind::call:
        return checkCall(node);
    }
    return CelType();
  }

  const CelType* variable(std::string_view name) const {
    for (auto scope = scopes_.rbegin(); scope != scopes_.rend(); ++scope)
      if (scope->first == name) return &scope->second;
    const auto found = variables_.find(name);
    return found == variables_.end() ? nullptr : &found->second;
  }

  Result<CelType> checkName(const CelNode& node) const {
    if (const auto* type = variable(node.text)) return *type;
    const auto type = CelType::named(node.text);
    const bool isType = (type.kind != Kind::named && type.kind != Kind::variable) || node.text == "list" ||
                        node.text == "map" || node.text == "optional_type";
    if (isType && node.text != "timestamp" && node.text != "duration") return CelType::of(Kind::type);
    return wrong("undeclared reference to '" + node.text + "' (in container '')");
  }

  Result<CelType> checkSelection(const CelNode& node) {
    if (const auto front = chainOf(node.args[0]); !front.empty()) {
      const auto chain = front + "." + node.text;
      if (const auto* type = variable(chain)) return node.optional ? CelType::optionalOf(*type) : *type;
      const auto word = CelType::named(chain);
      if (word.kind == Kind::timestamp || word.kind == Kind::duration) return CelType::of(Kind::type);
    }
    auto operand = check(node.args[0]);
    if (!operand.ok()) return operand;
    auto type = std::move(operand).value();
    const bool wrapped = type.kind == Kind::optional;
    if (wrapped) type = CelType(type.args[0]);
    auto member = memberOf(type, node.text);
    if (!member.ok() || (!wrapped && !node.optional)) return member;
    return CelType::optionalOf(std::move(member).value());
  }

  static Result<CelType> memberOf(const CelType& type, const std::string& name) {
    if (isDyn(type)) return CelType();
    if (type.kind == Kind::map) return type.args[1];
    if (type.kind != Kind::object) return wrong("type '" + type.text() + "' does not support field selection");
    auto found = type.members->find(name);
    if (found == type.members->end()) found = type.members->find(celMemberName(name));
    if (found == type.members->end()) return wrong("undefined field '" + name + "'");
    return found->second;
  }

  /// One type for what stands together: dyn where they differ and one of them is dyn.
  Result<CelType> together(const CelType& known, const CelType& next) const {
    if (mixed_ > 0 && !(known == next)) return CelType();
    Substitution types;
    const auto variable = CelType::named("A");
    if (!types.assign(variable, known) || !types.assign(variable, next))
      return wrong("expected type '" + known.text() + "' but found '" + next.text() + "'");
    return types.resolve(variable);
  }

  Result<CelType> checkItem(const CelNode& node, bool maybe) {
    auto type = check(node);
    if (!type.ok() || !maybe) return type;
    if (isDyn(type.value())) return type;
    if (type.value().kind != Kind::optional) return wrong("expected an optional value");
    return CelType(type.value().args[0]);
  }

  Result<CelType> checkList(const CelNode& node) {
    std::optional<CelType> item;
    for (std::size_t i = 0; i < node.args.size(); ++i) {
      auto next = checkItem(node.args[i], node.maybe[i]);
      if (!next.ok()) return next;
      auto both = item ? together(*item, next.value()) : next;
      if (!both.ok()) return both;
      item = std::move(both).value();
    }
    return CelType::listOf(item.value_or(CelType()));
  }

  Result<CelType> checkMap(const CelNode& node) {
    std::optional<CelType> key;
    std::optional<CelType> value;
    for (std::size_t i = 0; i + 1 < node.args.size(); i += 2) {
      auto left = check(node.args[i]);
      if (!left.ok()) return left;
      auto right = checkItem(node.args[i + 1], node.maybe[i / 2]);
      if (!right.ok()) return right;
      auto keys = key ? together(*key, left.value()) : left;
      auto values = value ? together(*value, right.value()) : right;
      if (!keys.ok()) return keys;
      if (!values.ok()) return values;
      key = std::move(keys).value();
      value = std::move(values).value();
    }
    return CelType::mapOf(key.value_or(CelType()), value.value_or(CelType()));
  }

  Result<CelType> checkCall(const CelNode& node) {
    if (!node.onObject && node.text == "has") return checkHas(node);
    if (node.onObject)
      if (auto made = checkMacro(node)) return std::move(*made);
    auto name = node.text;
    std::size_t skipped = 0;
    if (node.onObject)
      if (const auto chain = chainOf(node.args[0]); !chain.empty() && !celOverloads(chain + "." + name).empty()) {
        name = chain + "." + name;
        skipped = 1;
      }
    std::vector<CelType> args;
    const bool formats = node.onObject && node.text == "format";
    for (std::size_t i = skipped; i < node.args.size(); ++i) {
      mixed_ += formats && i == 1 ? 1 : 0;
      auto type = check(node.args[i]);
      mixed_ -= formats && i == 1 ? 1 : 0;
      if (!type.ok()) return type;
      args.push_back(std::move(type).value());
    }
    auto out = resolve(name, node.onObject && skipped == 0, args);
    if (out.ok()) STEER_CHECK(checkLiterals(node));
    if (out.ok() && node.optional && out.value().kind != Kind::optional)
      return CelType::optionalOf(std::move(out).value());
    return out;
  }

  static Result<CelType> resolve(const std::string& name, bool onObject, const std::vector<CelType>& args) {
    const auto& overloads = celOverloads(name);
    if (overloads.empty()) return wrong("undeclared reference to '" + name + "' (in container '')");
    std::optional<CelType> out;
    for (const auto& one : overloads) {
      if (one.onObject != onObject || one.takes.size() != args.size()) continue;
      Substitution types;
      bool fits = true;
      for (std::size_t i = 0; i < args.size() && fits; ++i) fits = types.assign(one.takes[i], args[i]);
      if (!fits) continue;
      const auto type = types.resolve(one.gives);
      if (!out) out = type;
      else if (!(*out == type)) out = CelType();
    }
    if (out) return *out;
    std::string said;
    for (const auto& type : args) said += (said.empty() ? "" : ", ") + type.text();
    return wrong("found no matching overload for '" + name + "' applied to '(" + said + ")'");
  }

  /// Texts that stand for a time or a span are read at once.
  static Result<void> checkLiterals(const CelNode& node) {
    if (node.onObject && node.text == "format" && node.args.size() == 2) return checkFormat(node.args[0], node.args[1]);
    if (node.onObject || node.args.size() != 1 || node.args[0].kind != CelNode::Kind::text) return {};
    const auto& said = node.args[0].text;
    if (node.text == "duration" && !isDuration(said)) return wrong("invalid duration argument");
    if (node.text == "timestamp" && !parseTime(said)) return wrong("invalid timestamp argument");
    return {};
  }

  /// A format and the items that it takes, as far as both stand there as literals.
  static Result<void> checkFormat(const CelNode& format, const CelNode& list) {
    if (format.kind != CelNode::Kind::text || list.kind != CelNode::Kind::list) return {};
    std::size_t taken = 0;
    for (std::size_t i = 0; i < format.text.size(); ++i) {
      if (format.text[i] != '%') continue;
      ++i;
      while (i < format.text.size() && (format.text[i] == '.' || (format.text[i] >= '0' && format.text[i] <= '9'))) ++i;
      const char verb = i < format.text.size() ? format.text[i] : '\0';
      if (verb == '%') continue;
      if (std::string_view("sdfebxXo").find(verb) == std::string_view::npos || verb == '\0')
        return wrong("unrecognized formatting clause");
      if (taken == list.args.size()) return wrong("index " + std::to_string(taken) + " out of range");
      const auto& item = list.args[taken++];
      if (item.kind == CelNode::Kind::text && verb != 's' && verb != 'x' && verb != 'X')
        return wrong("a text cannot be written as a number");
    }
    return {};
  }

  Result<CelType> checkHas(const CelNode& node) {
    if (node.args.size() != 1 || node.args[0].kind != CelNode::Kind::select)
      return wrong("invalid argument to has() macro");
    auto member = checkSelection(node.args[0]);
    if (!member.ok()) return member;
    return CelType::of(Kind::boolean);
  }

  /// What one item of a range is called with; the key or index first where two names are given.
  static Result<std::vector<CelType>> rangeOf(const CelType& range, std::size_t names) {
    if (isDyn(range)) return std::vector<CelType>(names);
    if (range.kind == Kind::list && names == 1) return std::vector<CelType>{range.args[0]};
    if (range.kind == Kind::list) return std::vector<CelType>{CelType::of(Kind::integer), range.args[0]};
    if (range.kind == Kind::map && names == 1) return std::vector<CelType>{range.args[0]};
    if (range.kind == Kind::map) return range.args;
    return wrong("expression of type '" + range.text() + "' cannot be range of a comprehension");
  }

  /// The expression with the names in sight.
  Result<CelType> within(const std::vector<const CelNode*>& names, const std::vector<CelType>& types,
                         const CelNode& body) {
    for (std::size_t i = 0; i < names.size(); ++i) scopes_.emplace_back(names[i]->text, types[i]);
    auto out = check(body);
    scopes_.resize(scopes_.size() - names.size());
    return out;
  }

  static bool isBoolean(const CelType& type) { return isDyn(type) || type.kind == Kind::boolean; }

  /// Nothing when the call is none.
  std::optional<Result<CelType>> checkMacro(const CelNode& node) {
    const auto is = [&](std::initializer_list<std::string_view> known) {
      return std::find(known.begin(), known.end(), node.text) != known.end();
    };
    const auto count = node.args.size() - 1;
    std::vector<const CelNode*> names;
    for (std::size_t i = 1; i < node.args.size() && names.size() < 2; ++i)
      if (node.args[i].kind == CelNode::Kind::name) names.push_back(&node.args[i]);
      else break;
    const bool one = count >= 2 && !names.empty();
    const bool two = count >= 3 && names.size() == 2;
    if (one && count == 2 && is({"optMap", "optFlatMap"})) return checkOptional(node, *names[0]);
    if (one && count == 2 && is({"all", "exists", "exists_one", "existsOne", "filter", "map", "sortBy"}))
      names.resize(1);
    else if (one && count == 3 && node.text == "map") names.resize(1);
    else if (two && count == 3 && is({"all", "exists", "existsOne"})) names.resize(2);
    else if (two && count <= 4 && is({"transformList", "transformMap", "transformMapEntry"})) names.resize(2);
    else return std::nullopt;
    return checkComprehension(node, names);
  }

  Result<CelType> checkComprehension(const CelNode& node, const std::vector<const CelNode*>& names) {
    auto range = check(node.args[0]);
    if (!range.ok()) return range;
    auto types = rangeOf(range.value(), names.size());
    if (!types.ok()) return types.error();
    auto body = within(names, types.value(), node.args.back());
    if (!body.ok()) return body;
    if (node.args.size() > names.size() + 2) {
      auto filter = within(names, types.value(), node.args[names.size() + 1]);
      if (!filter.ok()) return filter;
      if (!isBoolean(filter.value())) return wrong("expected type 'bool' but found '" + filter.value().text() + "'");
    }
    const auto& result = body.value();
    if (node.text == "map" || node.text == "transformList") return CelType::listOf(result);
    if (node.text == "transformMap") return CelType::mapOf(keyOf(range.value()), result);
    if (node.text == "transformMapEntry") return result;
    if (node.text == "sortBy") return range;
    if (!isBoolean(result)) return wrong("expected type 'bool' but found '" + result.text() + "'");
    if (node.text == "filter") return isDyn(range.value()) ? CelType::listOf({}) : CelType::listOf(types.value()[0]);
    return CelType::of(Kind::boolean);
  }

  static CelType keyOf(const CelType& range) {
    if (range.kind == Kind::list) return CelType::of(Kind::integer);
    return range.kind == Kind::map ? range.args[0] : CelType();
  }

  Result<CelType> checkOptional(const CelNode& node, const CelNode& name) {
    auto operand = check(node.args[0]);
    if (!operand.ok()) return operand;
    const auto& type = operand.value();
    if (!isDyn(type) && type.kind != Kind::optional) return wrong("expected an optional value");
    auto body = within({&name}, {isDyn(type) ? CelType() : type.args[0]}, node.args[2]);
    if (!body.ok() || node.text == "optFlatMap") return body;
    return CelType::optionalOf(std::move(body).value());
  }

  const CelVariables& variables_;
  std::vector<std::pair<std::string, CelType>> scopes_;
  int mixed_ = 0;  ///< inside the arguments of format(), whose items may be of several types
};

}  // namespace

CelJudgement checkCel(std::string_view expression, const CelVariables& variables) {
  const auto tree = parseCel(expression);
  if (!tree.ok()) return {tree.error().message, {}};
  auto type = Checker(variables).check(tree.value());
  if (!type.ok()) return {type.error().message, {}};
  return {std::nullopt, std::move(type).value()};
}

std::optional<std::string> celProblem(std::string_view expression, const CelVariables& variables,
                                      const std::vector<CelType::Kind>& results) {
  auto judged = checkCel(expression, variables);
  if (judged.problem) return "compilation failed: " + *judged.problem;
  if (results.empty() || std::find(results.begin(), results.end(), judged.type.kind) != results.end())
    return std::nullopt;
  return "must evaluate to " + CelType::of(results[0]).text();
}

}  // namespace steer
