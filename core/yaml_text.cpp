#include <algorithm>
#include <cctype>

#include "core/yaml.h"
#include "core/yaml_scalar.h"

namespace steer {
namespace {

constexpr std::size_t kLongKey = 120;  // bytes; longer keys are written with '?'

// YAML's printable characters beyond ASCII, as far as UTF-8 lead bytes tell; C1 controls, line
// separators, the byte order mark and U+FFFE/F need escapes.
struct Char {
  std::uint32_t code = 0;
  std::size_t size = 1;
};

Char charAt(std::string_view s, std::size_t i) {
  const auto b = [&](std::size_t k) { return static_cast<std::uint32_t>(static_cast<unsigned char>(s[i + k])); };
  const auto lead = b(0);
  if (lead < 0x80) return {lead, 1};
  if (lead < 0xe0 && i + 1 < s.size()) return {(lead & 0x1f) << 6 | (b(1) & 0x3f), 2};
  if (lead < 0xf0 && i + 2 < s.size()) return {(lead & 0x0f) << 12 | (b(1) & 0x3f) << 6 | (b(2) & 0x3f), 3};
  if (i + 3 < s.size()) return {(lead & 0x07) << 18 | (b(1) & 0x3f) << 12 | (b(2) & 0x3f) << 6 | (b(3) & 0x3f), 4};
  return {0xfffd, 1};
}

bool printable(std::uint32_t c) {
  if (c < 0x20 || c == 0x7f || (c > 0x7f && c < 0xa0)) return false;
  return c != 0x2028 && c != 0x2029 && c != 0xfeff && c != 0xfffe && c != 0xffff;
}

std::string escape(std::uint32_t c) {
  static constexpr std::string_view kHex = "0123456789abcdef";
  switch (c) {
    case '"':
      return "\\\"";
    case '\\':
      return "\\\\";
    case '\n':
      return "\\n";
    case '\t':
      return "\\t";
    case '\r':
      return "\\r";
    default:
      break;
  }
  std::string out = "\\u";
  for (int shift = 12; shift >= 0; shift -= 4) out += kHex[c >> shift & 15];
  return out;
}

std::string quoted(std::string_view s) {
  std::string out = "\"";
  for (std::size_t i = 0; i < s.size();) {
    const auto c = charAt(s, i);
    if (c.code == '"' || c.code == '\\' || !printable(c.code)) out += escape(c.code);
    else out.append(s.substr(i, c.size));
    i += c.size;
  }
  return out + "\"";
}

bool plainIsSafe(std::string_view s) {
  const auto word = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (s.empty() || !(word(s[0]) || s[0] == '/' || s[0] == '.' || s[0] == '_') || s.starts_with("...")) return false;
  static constexpr std::string_view kInside = "_./:@+-=,()%;$~^*&!?# ";
  for (std::size_t i = 0; i < s.size(); ++i) {
    if (word(s[i])) continue;
    if (kInside.find(s[i]) == std::string_view::npos) return false;
    if (s[i] == ':' && (i + 1 == s.size() || s[i + 1] == ' ')) return false;
    if (s[i] == '#' && s[i - 1] == ' ') return false;
  }
  if (s.back() == ' ') return false;
  // Dates and base-60 numbers are texts here, but not for every reader of YAML.
  if (std::isdigit(static_cast<unsigned char>(s[0])) &&
      s.find_first_not_of("0123456789-:.TtZz _") == std::string_view::npos)
    return false;
  const auto read = readPlainScalar(s);
  return read.ok() && read->is_string();
}

// A literal block keeps every character but needs lines that YAML neither folds nor refuses.
bool blockIsSafe(std::string_view s) {
  if (s.find('\n') == std::string_view::npos || s[0] == ' ' || s[0] == '\n' || s[0] == '\t') return false;
  for (std::size_t i = 0; i < s.size();) {
    const auto c = charAt(s, i);
    if (c.code != '\n' && c.code != '\t' && !printable(c.code)) return false;
    i += c.size;
  }
  return true;
}

void indentInto(std::string& out, std::size_t indent) { out.append(indent, ' '); }

void blockInto(std::string_view s, std::size_t indent, std::string& out) {
  const auto ending = s.back() != '\n' ? "|-\n" : s.size() > 1 && s[s.size() - 2] == '\n' ? "|+\n" : "|\n";
  out += ending;
  for (std::size_t start = 0; start < s.size();) {
    const auto end = std::min(s.find('\n', start), s.size());
    if (end != start) {
      indentInto(out, indent);
      out.append(s.substr(start, end - start));
    }
    if (end < s.size() || s.back() != '\n') out += '\n';
    start = end + 1;
  }
}

std::string keyText(std::string_view s) { return plainIsSafe(s) ? std::string(s) : quoted(s); }

enum class Place { root, member, item };

// Writes what follows "key:" or "-" (with its leading blank) and ends the line.
void writeInto(const json::value& v, std::size_t indent, Place place, std::string& out);

void objectInto(const json::object& o, std::size_t indent, Place place, std::string& out) {
  bool first = true;
  for (const auto& kv : o) {
    if (!(first && place == Place::item)) indentInto(out, indent);
    first = false;
    const std::string key = keyText(view(kv.key()));
    if (key.size() > kLongKey) {
      out += "? " + key + "\n";
      indentInto(out, indent);
    } else {
      out += key;
    }
    out += ':';
    writeInto(kv.value(), indent, Place::member, out);
  }
}

void arrayInto(const json::array& a, std::size_t indent, Place place, std::string& out) {
  bool first = true;
  for (const auto& item : a) {
    if (!(first && place == Place::item)) indentInto(out, indent);
    first = false;
    out += '-';
    writeInto(item, indent + 2, Place::item, out);
  }
}

void scalarInto(const json::value& v, std::size_t indent, std::string& out) {
  const auto* s = v.if_string();
  if (s == nullptr) out += jsonText(v);
  else if (plainIsSafe(view(*s))) out.append(s->data(), s->size());
  else if (blockIsSafe(view(*s))) return blockInto(view(*s), indent, out);
  else out += quoted(view(*s));
  out += '\n';
}

void writeInto(const json::value& v, std::size_t indent, Place place, std::string& out) {
  const auto* o = v.if_object();
  const auto* a = v.if_array();
  if ((o != nullptr && o->empty()) || (a != nullptr && a->empty())) {
    out += std::string(place == Place::root ? "" : " ") + (o != nullptr ? "{}\n" : "[]\n");
  } else if (o != nullptr) {
    if (place == Place::member) out += '\n';
    if (place == Place::item) out += ' ';
    objectInto(*o, place == Place::member ? indent + 2 : indent, place, out);
  } else if (a != nullptr) {
    if (place == Place::member) out += '\n';
    if (place == Place::item) out += ' ';
    arrayInto(*a, place == Place::member ? indent + 2 : indent, place, out);
  } else {
    if (place != Place::root) out += ' ';
    scalarInto(v, place == Place::item ? indent : indent + 2, out);
  }
}

}  // namespace

std::string yamlText(const json::value& v) {
  std::string out;
  writeInto(v, 0, Place::root, out);
  return out;
}

}  // namespace steer
