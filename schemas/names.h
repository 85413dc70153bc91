#pragma once
// Syntax of the names in Kubernetes objects, and how near two words are. Each check returns what is
// wrong as a sentence, or nothing. Source: the Kubernetes documentation, "Object Names and IDs",
// "Labels and Selectors". Pure.
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

namespace steer {

using NameProblem = std::optional<std::string>;
using NameCheck = NameProblem (*)(std::string_view);

NameProblem checkDns1123Label(std::string_view name);
NameProblem checkDns1123Subdomain(std::string_view name);
NameProblem checkDns1035Label(std::string_view name);
/// Label and annotation keys, finalizers, resource names: [prefix/]name.
NameProblem checkQualifiedName(std::string_view name);
NameProblem checkLabelValue(std::string_view value);
/// Keys of config maps and secrets.
NameProblem checkConfigKey(std::string_view key);
NameProblem checkEnvName(std::string_view name);
/// Names of container ports and target ports (IANA service names).
NameProblem checkPortName(std::string_view name);
/// Names that stand in a path of a URL (roles, role bindings).
NameProblem checkPathSegment(std::string_view name);
/// "example.com/path": who manages or controls something.
NameProblem checkDomainPath(std::string_view name);
/// "10.9.8.7", "2001:db8::1"; no leading zeros.
NameProblem checkAddress(std::string_view text);

/// A name near to a wrong one that the check lets pass; empty when none is near.
std::string nearestValid(std::string_view name, NameCheck check);

/// Optimal string alignment: insert, delete, replace and swap of neighbours cost 1.
std::size_t editDistance(std::string_view a, std::string_view b);

}  // namespace steer
