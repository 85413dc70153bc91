#pragma once
// What the variables of a function's signature stand for in one call. Thread rule: one owner.
#include <map>
#include <string>

#include "schemas/cel/types.h"

namespace steer {

class Substitution {
 public:
  /// Whether a value of type `given` may stand where `wanted` is asked for; remembers what variables become. Of two
  /// types for one variable the more general one stays.
  bool assign(const CelType& wanted, const CelType& given);
  /// The type with its variables replaced; dyn for one that nothing is known of.
  CelType resolve(const CelType& type) const;

 private:
  std::map<std::string, CelType, std::less<>> known_;
};

}  // namespace steer
