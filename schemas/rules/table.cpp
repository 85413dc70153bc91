// Which kind has which rule.
#include "schemas/rules.h"

namespace steer {

KindRule ruleOf(const Gvk&) { return nullptr; }

}  // namespace steer
