#pragma once
// Keys that stand twice in one object of a JSON text: the parser keeps the last, their writer meant
// both. Pure. Failure rule: a text that is no JSON has none; the parser says what is wrong with it.
#include <string>
#include <string_view>
#include <vector>

namespace steer {

/// Paths as Kubernetes writes them: "spec.containers[0].name". Each once, in the order of the text.
std::vector<std::string> duplicateFields(std::string_view text);

}  // namespace steer
