#pragma once
// The Common Expression Language, read into a tree. Source: the language definition of CEL (cel.dev), with optional
// members and elements ("a.?b", "a[?i]"). Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace steer {

struct CelNode {
  enum class Kind { null, boolean, integer, unsignedInteger, number, text, bytes, name, select, call, list, map };
  Kind kind = Kind::null;
  std::string text{};           ///< of a literal text; else the name of a variable, member or function
  bool onObject = false;        ///< a call: its first argument is what it is called on
  bool optional = false;        ///< a member or element that may be missing
  std::vector<CelNode> args{};  ///< operand of a selection, arguments, items; keys and values of a map in turn
  int depth = 1;                ///< of the tree from here; bounded
  std::vector<bool> maybe{};    ///< of a list or map literal: which items are there only when they have a value
};

/// Operators are calls of "_+_", "!_", "_?_:_", "_[_]", "@in" and the like. Errc::badRequest says what is wrong.
Result<CelNode> parseCel(std::string_view text);

/// A name that a variable may have.
bool isCelIdentifier(std::string_view name);

}  // namespace steer
