#pragma once
// Whether an expression compiles: its syntax, its names, and the types of what it calls. What an expression costs is
// not estimated, and regular expressions are not compiled. Pure.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "schemas/cel/types.h"

namespace steer {

/// Variables by name; a dotted name ("authorizer.requestResource") is found as such.
using CelVariables = std::map<std::string, CelType, std::less<>>;

struct CelJudgement {
  std::optional<std::string> problem{};  ///< "undeclared reference to 'x'"
  CelType type{};                        ///< of the result, when there is no problem
};

CelJudgement checkCel(std::string_view expression, const CelVariables& variables);

/// What is wrong with an expression whose result must be of one of these types exactly; none given = any.
std::optional<std::string> celProblem(std::string_view expression, const CelVariables& variables,
                                      const std::vector<CelType::Kind>& results);

}  // namespace steer
