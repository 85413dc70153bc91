// Two parsers of different authors read the same document as the same value: ours on libyaml, and yaml-cpp. Documents
// are generated valid, in every style a person writes; where readings differ by design, the comparison says so.
#include <rapidcheck.h>
#include <yaml-cpp/yaml.h>

#include <catch2/catch.hpp>

#include "core/yaml.h"

using namespace steer;

namespace {

int below(int n) { return *rc::gen::inRange(0, n); }

std::string anyWord() {
  static const std::vector<std::string> kPieces{
      "a", "Zed", "0", "12", "-", " ",   "  ", ": ", " #",   "'",    "\"",  "\\", "{", "[", "]", "}",  ",", "&", "*",
      "!", "|",   ">", "%",  "@", "yes", "no", "~",  "null", "true", "1e3", ".",  "é", "😀", "/", "\n", "$", "=", "_"};
  std::string out;
  for (int n = below(6); n > 0; --n) out += *rc::gen::elementOf(kPieces);
  return out;
}

std::string doubleQuoted(const std::string& text) {
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out + "\"";
}

std::string singleQuoted(const std::string& text) {
  std::string out = "'";
  for (const char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

/// A text in a style that can hold it. block: whether a block scalar may stand here, indented by this much.
std::string textIn(const std::string& text, std::optional<std::size_t> block) {
  const bool lines = text.find('\n') != std::string::npos;
  if (block && lines && text.find_first_not_of(" \n") == 0 && below(2) == 0) {
    const bool ends = text.back() == '\n';
    if (!ends || text.size() < 2 || text[text.size() - 2] != '\n') {
      std::string out = ends ? "|\n" : "|-\n";
      std::size_t at = 0;
      while (at < text.size()) {
        const auto end = std::min(text.find('\n', at), text.size());
        const auto line = text.substr(at, end - at);
        // A line of blanks alone keeps them only when it is indented, too.
        out += (line.empty() ? "" : std::string(*block, ' ') + line) + "\n";
        at = end + 1;
      }
      out.pop_back();
      return out;
    }
  }
  if (!lines && below(2) == 0) return singleQuoted(text);
  static const std::string kPlain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ/_.";
  if (!text.empty() && text.find_first_not_of(kPlain) == std::string::npos && text.size() > 5 && below(2) == 0)
    return text;
  return doubleQuoted(text);
}

class Writer {
 public:
  /// Text of a value that begins in the line of its key or dash; what follows is indented by `indent`.
  std::string value(const json::value& v, std::size_t indent) {
    if (v.is_object() && !v.as_object().empty() && below(4) != 0) return block(v.as_object(), indent);
    if (v.is_array() && !v.as_array().empty() && below(4) != 0) return block(v.as_array(), indent);
    return " " + scalarOrFlow(v, indent);
  }

 private:
  std::string noise() { return below(6) == 0 ? " # a comment: [x" : ""; }
  std::string scalarOrFlow(const json::value& v, std::optional<std::size_t> indent) {
    if (v.is_string()) return textIn(std::string(view(v.as_string())), indent);
    if (v.is_object()) {
      std::string out = "{";
      for (const auto& [key, member] : v.as_object())
        out +=
            (out.size() > 1 ? ", " : "") + doubleQuoted(std::string(key)) + ": " + scalarOrFlow(member, std::nullopt);
      return out + "}";
    }
    if (v.is_array()) {
      std::string out = "[";
      for (const auto& item : v.as_array()) out += (out.size() > 1 ? ", " : "") + scalarOrFlow(item, std::nullopt);
      return out + "]";
    }
    if (v.is_null()) return below(2) == 0 ? "null" : "~";
    if (v.is_double()) return std::to_string(v.as_double());
    return jsonText(v);
  }
  std::string block(const json::object& o, std::size_t indent) {
    std::string out = noise();
    for (const auto& [key, member] : o)
      out += "\n" + std::string(indent, ' ') + textIn(std::string(key), std::nullopt) + ":" + value(member, indent + 2);
    return out;
  }
  std::string block(const json::array& a, std::size_t indent) {
    std::string out = noise();
    for (const auto& item : a) out += "\n" + std::string(indent, ' ') + "-" + value(item, indent + 2);
    return out;
  }
};

json::value anyValue(int depth) {
  switch (below(depth > 0 ? 8 : 5)) {
    case 0:
      return nullptr;
    case 1:
      return below(2) == 0;
    case 2:
      return below(100'000) - 50'000;
    case 3:
      return static_cast<double>(below(100'000)) + 0.375;
    case 4:
      return json::value(anyWord());
    case 5: {
      json::array out;
      for (int n = below(4); n > 0; --n) out.push_back(anyValue(depth - 1));
      return out;
    }
    default: {
      json::object out;
      // Long keys must be written in another way ("? "); Kubernetes' are short.
      for (int n = below(5); n > 0; --n) out[anyWord()] = anyValue(depth - 1);
      return out;
    }
  }
}

/// yaml-cpp gives scalars as texts; what kind they are is the reader's matter, so those of other kinds are compared as
/// they are written.
bool same(const json::value& ours, const YAML::Node& theirs) {
  if (ours.is_object()) {
    if (!theirs.IsMap() || theirs.size() != ours.as_object().size()) return false;
    for (const auto& member : theirs) {
      const auto* found = ours.as_object().if_contains(member.first.Scalar());
      if (found == nullptr || !same(*found, member.second)) return false;
    }
    return true;
  }
  if (ours.is_array()) {
    if (!theirs.IsSequence() || theirs.size() != ours.as_array().size()) return false;
    for (std::size_t i = 0; i < theirs.size(); ++i)
      if (!same(ours.as_array()[i], theirs[i])) return false;
    return true;
  }
  if (ours.is_null()) return theirs.IsNull();
  if (!theirs.IsScalar()) return false;
  if (ours.is_string()) return theirs.Scalar() == view(ours.as_string());
  if (ours.is_double()) return std::stod(theirs.Scalar()) == ours.as_double();
  return theirs.Scalar() == jsonText(ours);
}

}  // namespace

TEST_CASE("two parsers read a document in any style as the value it was written from") {
  CHECK(rc::check("yaml-cpp's opinion", [] {
    const json::value value = json::object{{"value", anyValue(4)}};
    const std::string text = "---" + Writer().value(value, 0) + "\n";
    Diagnostics found;
    const auto ours = parseYaml(text, "f", found);
    if (found.hasErrors() || ours.size() != 1 || ours[0].value != value) RC_FAIL("ours differs:\n" + text);
    if (!same(ours[0].value, YAML::Load(text))) RC_FAIL("yaml-cpp differs:\n" + text);
  }));
}
