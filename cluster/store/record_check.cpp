#include "cluster/store/record_check.h"

#include <boost/json/basic_parser_impl.hpp>
#include <charconv>
#include <cmath>

#include "core/json.h"
#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::string_view kReplacement = "\\ufffd";

/// Takes every token and keeps none; refuses numbers that are not finite.
struct Taker {
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);
  using Code = boost::system::error_code;

  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_array_begin(Code&) { return true; }
  bool on_array_end(std::size_t, Code&) { return true; }
  bool on_object_begin(Code&) { return true; }
  bool on_object_end(std::size_t, Code&) { return true; }
  bool on_string_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_string(json::string_view, std::size_t, Code&) { return true; }
  bool on_key_part(json::string_view, std::size_t, Code&) { return true; }
  bool on_key(json::string_view, std::size_t, Code&) { return true; }
  bool on_number_part(json::string_view, Code&) { return true; }
  bool on_int64(std::int64_t, json::string_view, Code&) { return true; }
  bool on_uint64(std::uint64_t, json::string_view, Code&) { return true; }
  bool on_double(double number, json::string_view, Code& code) {
    if (!std::isfinite(number)) code = json::error::exponent_overflow;
    return !code;
  }
  bool on_bool(bool, Code&) { return true; }
  bool on_null(Code&) { return true; }
  bool on_comment_part(json::string_view, Code&) { return true; }
  bool on_comment(json::string_view, Code&) { return true; }
};

/// The four digits after a "\u", or nothing.
int codeUnit(std::string_view digits) {
  unsigned n = 0;
  if (digits.size() < 4) return -1;
  const auto [end, ec] = std::from_chars(digits.data(), digits.data() + 4, n, 16);
  return ec == std::errc{} && end == digits.data() + 4 ? static_cast<int>(n) : -1;
}

bool isBlank(char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; }

class Repair {
 public:
  explicit Repair(std::string_view text) : rest_(text) {}

  std::string run() {
    while (!rest_.empty()) {
      const char c = rest_.front();
      if (c == '"') addString();
      else if (c == '{' || c == '[') open();
      else if (c == '}' || c == ']') close();
      else if (c == ',' || c == ':' || isBlank(c)) add(rest_.substr(0, 1));
      else addToken();
    }
    return std::move(out_);
  }

 private:
  void add(std::string_view from) {
    if (depth_ <= kMostRecordDepth) out_ += from;
    rest_.remove_prefix(from.size());
  }
  void open() {
    if (++depth_ == kMostRecordDepth + 1) out_ += "null";
    add(rest_.substr(0, 1));
  }
  void close() {
    add(rest_.substr(0, 1));
    if (depth_ > 0) --depth_;
  }
  /// A number or a word: as it is when a reader takes it, else null.
  void addToken() {
    const auto token = rest_.substr(0, std::min(rest_.find_first_of(",:{}[]\" \t\r\n"), rest_.size()));
    if (depth_ <= kMostRecordDepth) out_ += checkRecordText(token).ok() ? token : std::string_view("null");
    rest_.remove_prefix(token.size());
  }
  void addString() {
    add(rest_.substr(0, 1));
    while (!rest_.empty() && rest_.front() != '"') {
      if (rest_.front() == '\\') addEscape();
      else if (static_cast<unsigned char>(rest_.front()) < 0x20) replace(1);
      else add(rest_.substr(0, 1));
    }
    add(rest_.substr(0, rest_.empty() ? 0 : 1));
  }
  void addEscape() {
    constexpr std::string_view kSimple = "\"\\/bfnrt";
    if (rest_.size() > 1 && kSimple.find(rest_[1]) != std::string_view::npos) return add(rest_.substr(0, 2));
    const int high = rest_.size() > 1 && rest_[1] == 'u' ? codeUnit(rest_.substr(2)) : -1;
    if (high < 0) return replace(1);
    if (high < 0xd800 || high > 0xdfff) return add(rest_.substr(0, 6));
    const bool pair = high < 0xdc00 && rest_.size() >= 12 && rest_.substr(6, 2) == "\\u";
    const int low = pair ? codeUnit(rest_.substr(8)) : -1;
    if (low >= 0xdc00 && low <= 0xdfff) return add(rest_.substr(0, 12));
    replace(6);
  }
  void replace(std::size_t bytes) {
    if (depth_ <= kMostRecordDepth) out_ += kReplacement;
    rest_.remove_prefix(bytes);
  }

  std::string_view rest_;
  std::string out_;
  std::size_t depth_ = 0;
};

}  // namespace

Result<void> checkRecordText(std::string_view text) {
  json::parse_options options;
  options.max_depth = kMostRecordDepth;
  json::basic_parser<Taker> parser(options);
  boost::system::error_code code;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), code);
  if (!code && text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos) code = json::error::extra_data;
  if (!code) return {};
  if (code == json::error::too_deep)
    return makeError(Errc::badRequest,
                     "the object is nested deeper than " + std::to_string(kMostRecordDepth) + " levels");
  if (!isUtf8(text)) return makeError(Errc::badRequest, "the object holds text that is not UTF-8");
  return makeError(Errc::badRequest, "the object has no form in JSON: " + code.message());
}

std::string repairRecordText(std::string_view text) {
  const std::string whole = toUtf8(text);
  return Repair(whole).run();
}

}  // namespace steer
