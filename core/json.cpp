#include "core/json.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <vector>

namespace steer {
namespace {

const json::object kEmptyObject;
const json::array kEmptyArray;

void prettyInto(const json::value& v, std::string& out, std::string& indent) {
  if (const auto* o = v.if_object(); o != nullptr && !o->empty()) {
    out += "{\n";
    indent.append(2, ' ');
    bool first = true;
    for (const auto& [key, member] : *o) {
      if (!first) out += ",\n";
      first = false;
      out += indent + json::serialize(json::string(key)) + ": ";
      prettyInto(member, out, indent);
    }
    indent.resize(indent.size() - 2);
    out += "\n" + indent + "}";
  } else if (const auto* a = v.if_array(); a != nullptr && !a->empty()) {
    out += "[\n";
    indent.append(2, ' ');
    bool first = true;
    for (const auto& item : *a) {
      if (!first) out += ",\n";
      first = false;
      out += indent;
      prettyInto(item, out, indent);
    }
    indent.resize(indent.size() - 2);
    out += "\n" + indent + "]";
  } else {
    out += json::serialize(v);
  }
}

void canonicalInto(const json::value& v, std::string& out) {
  if (const auto* o = v.if_object()) {
    std::vector<const json::key_value_pair*> members;
    members.reserve(o->size());
    for (const auto& kv : *o) members.push_back(&kv);
    std::sort(members.begin(), members.end(), [](const auto* a, const auto* b) { return a->key() < b->key(); });
    out += '{';
    for (std::size_t i = 0; i < members.size(); ++i) {
      if (i != 0) out += ',';
      out += json::serialize(json::string(members[i]->key()));
      out += ':';
      canonicalInto(members[i]->value(), out);
    }
    out += '}';
  } else if (const auto* a = v.if_array()) {
    out += '[';
    for (std::size_t i = 0; i < a->size(); ++i) {
      if (i != 0) out += ',';
      canonicalInto((*a)[i], out);
    }
    out += ']';
  } else {
    out += json::serialize(v);
  }
}

/// Whether a number may be there that is larger than any double: one with an exponent, or one of 300 digits.
bool mayOverflow(std::string_view text) {
  const auto digit = [&](std::size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
  for (std::size_t i = 300; i < text.size(); i += 300)
    if (digit(i) && digit(i - 1)) return true;
  for (auto at = text.find_first_of("eE"); at != std::string_view::npos; at = text.find_first_of("eE", at + 1))
    if (at > 0 && digit(at - 1) && (digit(at + 1) || (at + 1 < text.size() && text[at + 1] == '+'))) return true;
  return false;
}

bool holdsInfinity(const json::value& v) {
  if (v.is_double()) return !std::isfinite(v.get_double());
  if (const auto* a = v.if_array()) return std::any_of(a->begin(), a->end(), holdsInfinity);
  if (const auto* o = v.if_object())
    return std::any_of(o->begin(), o->end(), [](const auto& member) { return holdsInfinity(member.value()); });
  return false;
}

}  // namespace

Result<json::value> parseJson(std::string_view text) {
  json::parse_options options;
  options.max_depth = 512;
  boost::system::error_code ec;
  json::stream_parser parser({}, options);
  const std::size_t consumed = parser.write_some(text.data(), text.size(), ec);
  if (!ec) parser.finish(ec);
  if (!ec && text.find_first_not_of(" \t\r\n", consumed) != std::string_view::npos) ec = json::error::extra_data;
  if (ec)
    return makeError(Errc::badRequest, "not valid JSON at byte " + std::to_string(consumed) + ": " + ec.message());
  auto value = parser.release();
  if (mayOverflow(text) && holdsInfinity(value))
    return makeError(Errc::badRequest, "not valid JSON: a number is larger than any that can be kept");
  return value;
}

namespace {

template <class Tree>
void serializeInto(std::string& out, const Tree& tree) {
  json::serializer serializer;
  serializer.reset(&tree);
  char buffer[16384];
  while (!serializer.done()) {
    const auto piece = serializer.read(buffer);
    out.append(piece.data(), piece.size());
  }
}

/// As if_contains, without leaving this function for objects of the usual size.
const json::value* member(const json::object& o, std::string_view key) {
  constexpr std::size_t kUnordered = 18;  // above it Boost keeps a hash table
  if (o.size() > kUnordered) return o.if_contains(jkey(key));
  for (const auto& entry : o) {
    const auto name = entry.key();
    if (name.size() == key.size() && std::memcmp(name.data(), key.data(), key.size()) == 0) return &entry.value();
  }
  return nullptr;
}

}  // namespace

std::string jsonText(const json::value& v) { return json::serialize(v); }
std::string jsonText(const json::object& o) { return json::serialize(o); }
void appendJson(std::string& out, const json::value& v) { serializeInto(out, v); }
void appendJson(std::string& out, const json::object& o) { serializeInto(out, o); }

std::string jsonPretty(const json::value& v) {
  std::string out;
  std::string indent;
  prettyInto(v, out, indent);
  return out;
}

std::string jsonCanonical(const json::value& v) {
  std::string out;
  canonicalInto(v, out);
  return out;
}

const json::value* find(const json::object& o, std::initializer_list<std::string_view> path) {
  const json::object* current = &o;
  const json::value* found = nullptr;
  for (const auto step : path) {
    if (current == nullptr) return nullptr;
    found = member(*current, step);
    if (found == nullptr) return nullptr;
    current = found->if_object();
  }
  return found;
}

const json::value* find(const json::value& v, std::initializer_list<std::string_view> path) {
  if (path.size() == 0) return &v;
  const auto* o = v.if_object();
  return o == nullptr ? nullptr : find(*o, path);
}

namespace {

template <class Holder>
std::string_view readString(const Holder& h, std::initializer_list<std::string_view> path, std::string_view fallback) {
  const auto* found = find(h, path);
  const auto* s = found == nullptr ? nullptr : found->if_string();
  return s == nullptr ? fallback : view(*s);
}

template <class Holder>
std::int64_t readInt(const Holder& h, std::initializer_list<std::string_view> path, std::int64_t fallback) {
  const auto* found = find(h, path);
  return found == nullptr ? fallback : asInt(*found).value_or(fallback);
}

template <class Holder>
bool readBool(const Holder& h, std::initializer_list<std::string_view> path, bool fallback) {
  const auto* found = find(h, path);
  const auto* b = found == nullptr ? nullptr : found->if_bool();
  return b == nullptr ? fallback : *b;
}

template <class Holder>
const json::object& readObject(const Holder& h, std::initializer_list<std::string_view> path) {
  const auto* found = find(h, path);
  const auto* o = found == nullptr ? nullptr : found->if_object();
  return o == nullptr ? kEmptyObject : *o;
}

template <class Holder>
const json::array& readArray(const Holder& h, std::initializer_list<std::string_view> path) {
  const auto* found = find(h, path);
  const auto* a = found == nullptr ? nullptr : found->if_array();
  return a == nullptr ? kEmptyArray : *a;
}

}  // namespace

std::string_view stringAt(const json::value& v, std::initializer_list<std::string_view> path,
                          std::string_view fallback) {
  return readString(v, path, fallback);
}
std::string_view stringAt(const json::object& o, std::initializer_list<std::string_view> path,
                          std::string_view fallback) {
  return readString(o, path, fallback);
}
std::int64_t intAt(const json::value& v, std::initializer_list<std::string_view> path, std::int64_t fallback) {
  return readInt(v, path, fallback);
}
std::int64_t intAt(const json::object& o, std::initializer_list<std::string_view> path, std::int64_t fallback) {
  return readInt(o, path, fallback);
}
bool boolAt(const json::value& v, std::initializer_list<std::string_view> path, bool fallback) {
  return readBool(v, path, fallback);
}
bool boolAt(const json::object& o, std::initializer_list<std::string_view> path, bool fallback) {
  return readBool(o, path, fallback);
}
const json::object& objectAt(const json::value& v, std::initializer_list<std::string_view> path) {
  return readObject(v, path);
}
const json::object& objectAt(const json::object& o, std::initializer_list<std::string_view> path) {
  return readObject(o, path);
}
const json::array& arrayAt(const json::value& v, std::initializer_list<std::string_view> path) {
  return readArray(v, path);
}
const json::array& arrayAt(const json::object& o, std::initializer_list<std::string_view> path) {
  return readArray(o, path);
}

std::optional<std::int64_t> asInt(const json::value& v) {
  if (const auto* i = v.if_int64()) return *i;
  if (const auto* u = v.if_uint64())
    if (*u <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max()))
      return static_cast<std::int64_t>(*u);
  return std::nullopt;
}

json::object& ensureObject(json::object& parent, std::string_view key) {
  auto& member = parent[jkey(key)];
  if (!member.is_object()) member.emplace_object();
  return member.get_object();
}

json::array& ensureArray(json::object& parent, std::string_view key) {
  auto& member = parent[jkey(key)];
  if (!member.is_array()) member.emplace_array();
  return member.get_array();
}

}  // namespace steer
