#pragma once
// The small texts that rows of `kubectl get` are made of. Pure.
#include <string>
#include <string_view>

#include "core/object.h"

namespace steer {

/// "47s", "3m12s", "5h2m", "3d4h", "210d", as kubectl shows ages; never negative.
std::string durationText(Duration d);
/// Since creation; "<unknown>" when it is not known.
std::string ageText(const Object& object, Time now);
/// Since an RFC 3339 text.
std::string ageText(std::string_view since, Time now);
/// "a=1,b=2", or "<none>".
std::string mapText(const json::object& map);
/// A metav1.LabelSelector in its text form, or "<none>".
std::string selectorText(const json::value* selector);
/// Names and images of spec.template's containers, comma-separated.
std::string containerNames(const json::object& podSpec);
std::string containerImages(const json::object& podSpec);
inline std::string orNone(std::string text) { return text.empty() ? "<none>" : text; }

}  // namespace steer
