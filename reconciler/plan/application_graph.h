#pragma once
// Which application waits for which. Pure.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"

namespace steer {

inline constexpr const char* kSystemNamespace = "steersman-system";

/// On an Application whose objects go before it does.
inline constexpr const char* kApplicationFinalizer = "steersman.dev/objects";

/// What the label `steersman.dev/application` says for an Application object: its name when it lives in
/// steersman-system and has no dot, else "<namespace>.<name>". What is longer than a label's 63 characters ends in a
/// digest instead, and so does what could be taken for that.
std::string applicationLabel(std::string_view ns, std::string_view name);

/// spec.dependsOn of an Application in `ns`, as labels; entries without a name are left out.
std::vector<std::string> dependenciesOf(const json::object& spec, std::string_view ns);

/// Application → those it waits for.
using ApplicationGraph = std::map<std::string, std::vector<std::string>>;

/// The cycles, each once, as members in order beginning with the smallest: {"a", "b"} is a → b → a. Of a knot
/// of many cycles at least one is told.
/// Dependencies that are not in the graph are not looked at.
std::vector<std::vector<std::string>> dependencyCycles(const ApplicationGraph& graph);

/// "a -> b -> a".
std::string cycleText(const std::vector<std::string>& cycle);

}  // namespace steer
