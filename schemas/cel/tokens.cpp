#include "schemas/cel/tokens.h"

#include <array>
#include <charconv>
#include <cstdint>

namespace steer {
namespace {

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

Error wrong(std::string what) { return makeError(Errc::badRequest, std::move(what)); }

void appendRune(std::string& out, std::uint32_t rune) {
  const auto byte = [&](std::uint32_t bits) { out += static_cast<char>(bits); };
  if (rune < 0x80) return byte(rune);
  if (rune < 0x800) return byte(0xC0 | rune >> 6), byte(0x80 | (rune & 0x3F));
  if (rune < 0x10000) return byte(0xE0 | rune >> 12), byte(0x80 | (rune >> 6 & 0x3F)), byte(0x80 | (rune & 0x3F));
  byte(0xF0 | rune >> 18), byte(0x80 | (rune >> 12 & 0x3F)), byte(0x80 | (rune >> 6 & 0x3F));
  byte(0x80 | (rune & 0x3F));
}

class Tokens {
 public:
  explicit Tokens(std::string_view text) : text_(text) {}

  Result<std::vector<CelToken>> read() {
    while (true) {
      skipSpace();
      if (at_ == text_.size()) break;
      STEER_CHECK(readOne());
    }
    out_.push_back({});
    return std::move(out_);
  }

 private:
  char look(std::size_t ahead = 0) const { return at_ + ahead < text_.size() ? text_[at_ + ahead] : '\0'; }

  void skipSpace() {
    while (at_ < text_.size()) {
      if (text_.substr(at_, 2) == "//") at_ = std::min(text_.find('\n', at_), text_.size());
      else if (std::string_view(" \t\r\n\f").find(text_[at_]) != std::string_view::npos) ++at_;
      else return;
    }
  }

  Result<void> readOne() {
    const char c = look();
    if (isDigit(c) || (c == '.' && isDigit(look(1)))) return readNumber();
    if (c == '"' || c == '\'') return readText(false, false);
    if (isLetter(c)) {
      std::size_t length = 0;
      bool raw = false;
      bool bytes = false;
      for (; length < 2; ++length) {
        const char mark = look(length);
        if ((mark == 'r' || mark == 'R') && !raw) raw = true;
        else if ((mark == 'b' || mark == 'B') && !bytes) bytes = true;
        else break;
      }
      if (length > 0 && (look(length) == '"' || look(length) == '\'')) {
        at_ += length;
        return readText(raw, bytes);
      }
      const auto start = at_;
      while (isLetter(look()) || isDigit(look())) ++at_;
      out_.push_back({CelToken::Kind::name, std::string(text_.substr(start, at_ - start))});
      return {};
    }
    if (c == '`') return readQuotedName();
    return readMark();
  }

  Result<void> readQuotedName() {
    const auto end = text_.find('`', at_ + 1);
    if (end == std::string_view::npos) return wrong("a quoted name has no end");
    out_.push_back({CelToken::Kind::quotedName, std::string(text_.substr(at_ + 1, end - at_ - 1))});
    at_ = end + 1;
    return {};
  }

  Result<void> readMark() {
    constexpr std::array<std::string_view, 24> kMarks{"&&", "||", "==", "!=", "<=", ">=", "<", ">", "!", "+", "-", "*",
                                                      "/",  "%",  "?",  ":",  ".",  ",",  "(", ")", "[", "]", "{", "}"};
    for (const auto mark : kMarks)
      if (text_.substr(at_, mark.size()) == mark) {
        out_.push_back({CelToken::Kind::mark, std::string(mark)});
        at_ += mark.size();
        return {};
      }
    return wrong("token recognition error at: '" + std::string(1, look()) + "'");
  }

  void skipDigits() {
    while (isDigit(look())) ++at_;
  }

  Result<void> readNumber() {
    const auto start = at_;
    auto kind = CelToken::Kind::integer;
    const bool hex = look() == '0' && (look(1) == 'x' || look(1) == 'X') && isHex(look(2));
    if (hex) {
      at_ += 2;
      while (isHex(look())) ++at_;
    } else {
      skipDigits();
      if (look() == '.' && isDigit(look(1))) {
        kind = CelToken::Kind::number;
        ++at_;
        skipDigits();
      }
      const std::size_t sign = look(1) == '+' || look(1) == '-' ? 1 : 0;
      if ((look() == 'e' || look() == 'E') && isDigit(look(1 + sign))) {
        kind = CelToken::Kind::number;
        at_ += 1 + sign;
        skipDigits();
      }
    }
    auto said = std::string(text_.substr(start, at_ - start));
    if (kind == CelToken::Kind::integer && (look() == 'u' || look() == 'U')) {
      kind = CelToken::Kind::unsignedInteger;
      ++at_;
    }
    if (kind != CelToken::Kind::number && !fits(said, kind)) return wrong("invalid int literal");
    out_.push_back({kind, std::move(said)});
    return {};
  }

  /// A negative number is read with its sign: one more than the greatest is let through where a minus stands before.
  bool fits(std::string_view said, CelToken::Kind kind) const {
    const bool hex = said.size() > 2 && (said[1] == 'x' || said[1] == 'X');
    std::uint64_t n = 0;
    const auto digits = hex ? said.substr(2) : said;
    const auto [end, fault] = std::from_chars(digits.data(), digits.data() + digits.size(), n, hex ? 16 : 10);
    if (fault != std::errc()) return false;
    if (kind == CelToken::Kind::unsignedInteger) return true;
    const bool negated = !out_.empty() && out_.back().text == "-" && out_.back().kind == CelToken::Kind::mark;
    return n <= static_cast<std::uint64_t>(INT64_MAX) + (negated ? 1 : 0);
  }

  Result<void> readText(bool raw, bool bytes) {
    const char quote = look();
    const std::string three(3, quote);
    const bool block = text_.substr(at_, 3) == three;
    const auto end = block ? three : std::string(1, quote);
    at_ += end.size();
    std::string out;
    while (text_.substr(at_, end.size()) != end) {
      if (at_ >= text_.size() || (!block && (look() == '\n' || look() == '\r'))) return wrong("a text has no end");
      if (raw || look() != '\\') out += text_[at_++];
      else STEER_CHECK(readEscape(out, bytes));
    }
    at_ += end.size();
    out_.push_back({bytes ? CelToken::Kind::bytes : CelToken::Kind::text, std::move(out)});
    return {};
  }

  Result<void> readEscape(std::string& out, bool bytes) {
    constexpr std::string_view kSaid = "abfnrtv\\?\"'`";
    constexpr std::string_view kMeant = "\a\b\f\n\r\t\v\\?\"'`";
    const char c = look(1);
    if (const auto known = kSaid.find(c); c != '\0' && known != std::string_view::npos) {
      out += kMeant[known];
      at_ += 2;
      return {};
    }
    std::size_t digits = 0;
    if (c == 'x' || c == 'X') digits = 2;
    if (c == 'u' && !bytes) digits = 4;
    if (c == 'U' && !bytes) digits = 8;
    const bool octal = c >= '0' && c <= '3';
    const auto from = at_ + (octal ? 1 : 2);
    if (octal) digits = 3;
    const auto said = text_.substr(std::min(from, text_.size()), digits);
    std::uint32_t rune = 0;
    const auto [end, fault] = std::from_chars(said.data(), said.data() + said.size(), rune, octal ? 8 : 16);
    if (digits == 0 || said.size() < digits || fault != std::errc() || end != said.data() + said.size())
      return wrong("invalid escape sequence");
    const bool surrogate = rune >= 0xD800 && rune < 0xE000;
    if (digits >= 4 && (surrogate || rune > 0x10FFFF)) return wrong("invalid unicode code point");
    if (bytes) out += static_cast<char>(rune);
    else appendRune(out, rune);
    at_ = from + digits;
    return {};
  }

  std::string_view text_;
  std::size_t at_ = 0;
  std::vector<CelToken> out_;
};

}  // namespace

Result<std::vector<CelToken>> readCelTokens(std::string_view text) { return Tokens(text).read(); }

}  // namespace steer
