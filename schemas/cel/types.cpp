#include "schemas/cel/types.h"

#include <algorithm>
#include <array>

#include "schemas/cel/syntax.h"

namespace steer {
namespace {

using Kind = CelType::Kind;

constexpr std::array<std::pair<std::string_view, Kind>, 11> kWords{{{"dyn", Kind::dyn},
                                                                    {"null_type", Kind::null},
                                                                    {"bool", Kind::boolean},
                                                                    {"int", Kind::integer},
                                                                    {"uint", Kind::unsignedInteger},
                                                                    {"double", Kind::number},
                                                                    {"string", Kind::text},
                                                                    {"bytes", Kind::bytes},
                                                                    {"google.protobuf.Timestamp", Kind::timestamp},
                                                                    {"google.protobuf.Duration", Kind::duration},
                                                                    {"type", Kind::type}}};
constexpr std::array<std::pair<std::string_view, Kind>, 3> kHolders{
    {{"list", Kind::list}, {"map", Kind::map}, {"optional", Kind::optional}}};

/// The comma between two arguments, at no depth of brackets.
std::size_t commaOf(std::string_view text) {
  int depth = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    depth += text[i] == '(' ? 1 : text[i] == ')' ? -1 : 0;
    if (text[i] == ',' && depth == 0) return i;
  }
  return std::string_view::npos;
}

}  // namespace

CelType CelType::objectOf(std::string name, std::map<std::string, CelType, std::less<>> members) {
  CelType out{Kind::object, std::move(name)};
  out.members = std::make_shared<const std::map<std::string, CelType, std::less<>>>(std::move(members));
  return out;
}

CelType CelType::named(std::string_view text) {
  if (text == "timestamp") return of(Kind::timestamp);
  if (text == "duration") return of(Kind::duration);
  for (const auto& [word, kind] : kWords)
    if (word == text) return of(kind);
  for (const auto& [word, kind] : kHolders) {
    if (!text.starts_with(word) || text.substr(word.size()).substr(0, 1) != "(") continue;
    const auto inside = text.substr(word.size() + 1, text.size() - word.size() - 2);
    const auto comma = commaOf(inside);
    if (comma == std::string_view::npos) return {kind, {}, {named(inside)}};
    return {kind, {}, {named(inside.substr(0, comma)), named(inside.substr(comma + 1))}};
  }
  return {text.size() == 1 ? Kind::variable : Kind::named, std::string(text)};
}

std::string CelType::text() const {
  for (const auto& [word, said] : kWords)
    if (said == kind) return std::string(word);
  for (const auto& [word, said] : kHolders) {
    if (said != kind) continue;
    std::string out(word);
    for (std::size_t i = 0; i < args.size(); ++i) out += (i == 0 ? "(" : ", ") + args[i].text();
    return out + ")";
  }
  return name;
}

bool operator==(const CelType& a, const CelType& b) {
  return a.kind == b.kind && a.name == b.name && a.args == b.args && a.members == b.members;
}

std::string celMemberName(std::string_view name) {
  constexpr std::array<std::pair<char, std::string_view>, 4> kMarks{
      {{'.', "__dot__"}, {'-', "__dash__"}, {'/', "__slash__"}, {'_', "_"}}};
  std::string out;
  for (std::size_t i = 0; i < name.size(); ++i) {
    if (name.substr(i, 2) == "__") {
      out += "__underscores__";
      ++i;
      continue;
    }
    const auto mark =
        std::find_if(kMarks.begin(), kMarks.end(), [&](const auto& pair) { return pair.first == name[i]; });
    if (mark == kMarks.end()) out += name[i];
    else out += mark->second;
  }
  if (!out.empty() && !isCelIdentifier(out)) return "__" + out + "__";
  return out;
}

namespace {

CelType objectTypeOf(const json::object& schema, CelScope scope) {
  std::map<std::string, CelType, std::less<>> members;
  for (const auto& [key, value] : objectAt(schema, {"properties"})) {
    const auto* body = value.if_object();
    const bool typed =
        body != nullptr && (!stringAt(*body, {"type"}).empty() || boolAt(*body, {"x-kubernetes-int-or-string"}));
    const bool embedded = body != nullptr && boolAt(*body, {"x-kubernetes-embedded-resource"});
    if (typed)
      members.emplace(celMemberName({key.data(), key.size()}),
                      celTypeOf(*body, embedded ? CelScope::resource : CelScope::value));
  }
  if (scope == CelScope::resource) {
    const auto text = CelType::of(Kind::text);
    for (const auto* name : {"apiVersion", "kind"}) members.insert_or_assign(name, text);
    members.insert_or_assign("metadata", CelType::objectOf("metadata", {{"name", text}, {"generateName", text}}));
  }
  return CelType::objectOf("object", std::move(members));
}

}  // namespace

CelType celTypeOf(const json::object& schema, CelScope scope) {
  const auto type = stringAt(schema, {"type"});
  if (boolAt(schema, {"x-kubernetes-int-or-string"})) return {};
  if (type == "boolean") return CelType::of(Kind::boolean);
  if (type == "integer") return CelType::of(Kind::integer);
  if (type == "number") return CelType::of(Kind::number);
  if (type == "string") {
    const auto format = stringAt(schema, {"format"});
    if (format == "byte") return CelType::of(Kind::bytes);
    if (format == "duration") return CelType::of(Kind::duration);
    const bool time = format == "date" || format == "date-time";
    return CelType::of(time ? Kind::timestamp : Kind::text);
  }
  if (type == "array") return CelType::listOf(celTypeOf(objectAt(schema, {"items"}), CelScope::value));
  if (type != "object") return {};
  const auto* additional = schema.if_contains("additionalProperties");
  if (additional == nullptr) return objectTypeOf(schema, scope);
  const auto* body = additional->if_object();
  return CelType::mapOf(CelType::of(Kind::text), body == nullptr ? CelType() : celTypeOf(*body, CelScope::value));
}

}  // namespace steer
