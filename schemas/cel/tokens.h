#pragma once
// The words of the Common Expression Language. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/result.h"

namespace steer {

struct CelToken {
  enum class Kind { end, name, quotedName, integer, unsignedInteger, number, text, bytes, mark };
  Kind kind = Kind::end;
  std::string text{};  ///< the name, the decoded text, or the operator
};

/// The last one is `end`.
Result<std::vector<CelToken>> readCelTokens(std::string_view text);

}  // namespace steer
