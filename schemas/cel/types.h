#pragma once
// Types of the Common Expression Language, as far as a checker must tell them apart. Pure.
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace steer {

struct CelType {
  enum class Kind {
    dyn,
    null,
    boolean,
    integer,
    unsignedInteger,
    number,
    text,
    bytes,
    timestamp,
    duration,
    type,
    list,
    map,
    optional,
    object,   ///< with the members that are known
    named,    ///< a type of a library: "URL"
    variable  ///< stands for any one type in the signature of a function
  };
  Kind kind = Kind::dyn;
  std::string name{};           ///< of an object, a library's type or a variable
  std::vector<CelType> args{};  ///< of a list, map or optional
  std::shared_ptr<const std::map<std::string, CelType, std::less<>>> members{};

  static CelType of(Kind kind) { return {kind}; }
  static CelType listOf(CelType item) { return {Kind::list, {}, {std::move(item)}}; }
  static CelType mapOf(CelType key, CelType value) { return {Kind::map, {}, {std::move(key), std::move(value)}}; }
  static CelType optionalOf(CelType value) { return {Kind::optional, {}, {std::move(value)}}; }
  static CelType objectOf(std::string name, std::map<std::string, CelType, std::less<>> members);
  /// "int", "list(string)", "map(A,B)", "optional(A)", "URL": one letter is a variable, an unknown word a library's
  /// type.
  static CelType named(std::string_view text);

  /// As messages name it.
  std::string text() const;
  friend bool operator==(const CelType& a, const CelType& b);
};

/// What a schema describes: a whole object with its kind and metadata, or a value in one.
enum class CelScope { resource, value };
/// What an OpenAPI schema of a custom resource declares; dyn where it says no type. Members without a type are not
/// there.
CelType celTypeOf(const json::object& schema, CelScope scope);

/// A member's name as expressions write it: "a-b" is "a__dash__b". Source: Kubernetes' documentation of validation
/// rules.
std::string celMemberName(std::string_view name);

}  // namespace steer
