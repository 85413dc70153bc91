#include "schemas/cel/syntax.h"

#include <algorithm>
#include <array>

#include "schemas/cel/tokens.h"

namespace steer {
namespace {

constexpr int kMostDepth = 100;    ///< of brackets
constexpr int kTallestTree = 500;  ///< of a tree: "a.b.c" is three

constexpr std::array<std::string_view, 17> kReserved{"as",   "break", "const",   "continue",  "else",    "for",
                                                     "if",   "let",   "loop",    "namespace", "return",  "var",
                                                     "void", "while", "package", "import",    "function"};

bool isReserved(std::string_view name) {
  return std::find(kReserved.begin(), kReserved.end(), name) != kReserved.end();
}
bool isWord(std::string_view name) { return name == "true" || name == "false" || name == "null" || name == "in"; }

Error wrong(std::string what) { return makeError(Errc::badRequest, "Syntax error: " + std::move(what)); }

CelNode call(std::string function, std::vector<CelNode> args) {
  CelNode out;
  out.kind = CelNode::Kind::call;
  out.text = std::move(function);
  out.args = std::move(args);
  return out;
}

class Parser {
 public:
  explicit Parser(std::vector<CelToken> tokens) : tokens_(std::move(tokens)) {}

  Result<CelNode> read() {
    auto out = expression();
    if (out.ok() && look().kind != CelToken::Kind::end) return unexpected();
    return out;
  }

 private:
  /// Everything that is made of parts goes through here, so that no tree grows too tall to walk.
  static Result<CelNode> whole(CelNode node) {
    for (const auto& part : node.args) node.depth = std::max(node.depth, part.depth + 1);
    if (node.depth > kTallestTree) return wrong("expression recursion limit exceeded");
    return node;
  }

  using Rule = Result<CelNode> (Parser::*)();

  const CelToken& look() const { return tokens_[at_]; }
  bool isMark(std::string_view mark) const { return look().kind == CelToken::Kind::mark && look().text == mark; }
  bool take(std::string_view mark) {
    if (!isMark(mark)) return false;
    ++at_;
    return true;
  }
  Error unexpected() const {
    return wrong(look().kind == CelToken::Kind::end ? "mismatched input '<EOF>'"
                                                    : "extraneous input '" + look().text + "'");
  }
  Result<void> expect(std::string_view mark) {
    if (take(mark)) return {};
    return unexpected();
  }

  /// One level of what is written inside something else.
  class Nesting {
   public:
    explicit Nesting(int& depth) : depth_(++depth) {}
    ~Nesting() { --depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;
    bool tooDeep() const { return depth_ > kMostDepth; }

   private:
    int& depth_;
  };

  Result<CelNode> expression() {
    const Nesting here(depth_);
    if (here.tooDeep()) return wrong("expression recursion limit exceeded");
    auto condition = either();
    if (!condition.ok() || !take("?")) return condition;
    auto yes = either();
    if (!yes.ok()) return yes;
    STEER_CHECK(expect(":"));
    auto no = expression();
    if (!no.ok()) return no;
    return whole(call("_?_:_", {std::move(condition).value(), std::move(yes).value(), std::move(no).value()}));
  }

  Result<CelNode> either() { return leftwards(&Parser::both, {"||"}); }
  Result<CelNode> both() { return leftwards(&Parser::relation, {"&&"}); }
  Result<CelNode> relation() { return leftwards(&Parser::sum, {"==", "!=", "<", "<=", ">", ">=", "in"}); }
  Result<CelNode> sum() { return leftwards(&Parser::product, {"+", "-"}); }
  Result<CelNode> product() { return leftwards(&Parser::unary, {"*", "/", "%"}); }

  Result<CelNode> leftwards(Rule operand, std::initializer_list<std::string_view> operators) {
    auto left = (this->*operand)();
    while (left.ok()) {
      const bool word = look().kind == CelToken::Kind::name && look().text == "in";
      const bool mine = (word || look().kind == CelToken::Kind::mark) &&
                        std::find(operators.begin(), operators.end(), look().text) != operators.end();
      if (!mine) break;
      const auto name = word ? std::string("@in") : "_" + look().text + "_";
      ++at_;
      auto right = (this->*operand)();
      if (!right.ok()) return right;
      left = whole(call(name, {std::move(left).value(), std::move(right).value()}));
    }
    return left;
  }

  Result<CelNode> unary() {
    const Nesting here(depth_);
    if (here.tooDeep()) return wrong("expression recursion limit exceeded");
    for (const auto* mark : {"!", "-"}) {
      if (!take(mark)) continue;
      while (take(mark)) {
      }
      if (isMark("!") || isMark("-")) return unexpected();
      auto operand = member();
      if (!operand.ok()) return operand;
      const auto kind = operand.value().kind;
      const bool number = kind == CelNode::Kind::integer || kind == CelNode::Kind::number;
      if (*mark == '-' && number) return operand;
      return whole(call(std::string(mark) + "_", {std::move(operand).value()}));
    }
    return member();
  }

  Result<CelNode> member() {
    auto out = primary();
    while (out.ok()) {
      if (take(".")) out = selection(std::move(out).value());
      else if (take("[")) out = element(std::move(out).value());
      else if (isMark("{") && isTypeName(out.value())) return wrong("messages are not made in expressions");
      else break;
    }
    return out;
  }

  static bool isTypeName(const CelNode& node) {
    return node.kind == CelNode::Kind::name ||
           (node.kind == CelNode::Kind::select && !node.optional && isTypeName(node.args[0]));
  }

  Result<CelNode> selection(CelNode operand) {
    CelNode out;
    out.kind = CelNode::Kind::select;
    out.optional = take("?");
    const bool name = look().kind == CelToken::Kind::name && !isWord(look().text);
    if (!name && look().kind != CelToken::Kind::quotedName) return unexpected();
    out.text = look().text;
    ++at_;
    out.args.push_back(std::move(operand));
    if (!name || !isMark("(")) return whole(std::move(out));
    if (out.optional) return unexpected();
    ++at_;
    out.kind = CelNode::Kind::call;
    out.onObject = true;
    STEER_CHECK(items(out, ")", Optional::no));
    return whole(std::move(out));
  }

  Result<CelNode> element(CelNode operand) {
    const bool optional = take("?");
    auto index = expression();
    if (!index.ok()) return index;
    STEER_CHECK(expect("]"));
    auto out = call("_[_]", {std::move(operand), std::move(index).value()});
    out.optional = optional;
    return whole(std::move(out));
  }

  enum class Optional : bool { no, yes };

  /// Expressions between commas up to the mark; of a list also those with a "?" before.
  Result<void> items(CelNode& into, std::string_view end, Optional optional) {
    while (!take(end)) {
      if (optional == Optional::yes) into.maybe.push_back(take("?"));
      auto item = expression();
      if (!item.ok()) return item.error();
      into.args.push_back(std::move(item).value());
      if (take(",")) {
        if (isMark(end) && optional == Optional::no) return unexpected();
        continue;
      }
      return expect(end);
    }
    return {};
  }

  Result<CelNode> mapLiteral() {
    CelNode out;
    out.kind = CelNode::Kind::map;
    while (!take("}")) {
      out.maybe.push_back(take("?"));
      for (const auto* mark : {":", ""}) {
        auto part = expression();
        if (!part.ok()) return part;
        out.args.push_back(std::move(part).value());
        if (*mark != '\0') STEER_CHECK(expect(mark));
      }
      if (take(",")) continue;
      STEER_CHECK(expect("}"));
      break;
    }
    return whole(std::move(out));
  }

  Result<CelNode> primary() {
    if (take("(")) {
      auto out = expression();
      if (!out.ok()) return out;
      STEER_CHECK(expect(")"));
      return out;
    }
    if (take("[")) {
      CelNode out;
      out.kind = CelNode::Kind::list;
      STEER_CHECK(items(out, "]", Optional::yes));
      return whole(std::move(out));
    }
    if (take("{")) return mapLiteral();
    take(".");  // a name of the outermost scope
    if (look().kind == CelToken::Kind::name) return nameOrCall();
    return literal();
  }

  Result<CelNode> nameOrCall() {
    CelNode out;
    out.text = look().text;
    if (out.text == "in") return unexpected();
    if (isReserved(out.text)) return wrong("reserved identifier: " + out.text);
    ++at_;
    if (isWord(out.text)) {
      out.kind = out.text == "null" ? CelNode::Kind::null : CelNode::Kind::boolean;
      return out;
    }
    out.kind = CelNode::Kind::name;
    if (!take("(")) return out;
    out.kind = CelNode::Kind::call;
    STEER_CHECK(items(out, ")", Optional::no));
    return whole(std::move(out));
  }

  Result<CelNode> literal() {
    CelNode out;
    switch (look().kind) {
      case CelToken::Kind::integer:
        out.kind = CelNode::Kind::integer;
        break;
      case CelToken::Kind::unsignedInteger:
        out.kind = CelNode::Kind::unsignedInteger;
        break;
      case CelToken::Kind::number:
        out.kind = CelNode::Kind::number;
        break;
      case CelToken::Kind::text:
        out.kind = CelNode::Kind::text;
        break;
      case CelToken::Kind::bytes:
        out.kind = CelNode::Kind::bytes;
        break;
      default:
        return unexpected();
    }
    out.text = look().text;
    ++at_;
    return out;
  }

  std::vector<CelToken> tokens_;
  std::size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

Result<CelNode> parseCel(std::string_view text) {
  auto tokens = readCelTokens(text);
  if (!tokens.ok()) return wrong(tokens.error().message);
  return Parser(std::move(tokens).value()).read();
}

bool isCelIdentifier(std::string_view name) {
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; };
  const auto inside = [&](char c) { return letter(c) || (c >= '0' && c <= '9'); };
  return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), inside) && !isWord(name) &&
         !isReserved(name);
}

}  // namespace steer
