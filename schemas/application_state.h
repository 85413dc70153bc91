#pragma once
// What a person must see of an Application at a glance, beside its phase. Pure.
#include <string>

#include "core/object.h"

namespace steer {

/// The phase ("Progressing", "Synced", "Degraded", "Failed"; "Unknown" when it is not looked at yet), followed by
/// ", contested" when another application asks for some of the same objects (condition SoleOwner is False), and by
/// ", source unreadable" when what is shown is the last state that could be read (condition SourceReady is False).
inline std::string applicationState(const Object& application) {
  std::string out(stringAt(application.status(), {"phase"}, "Unknown"));
  for (const auto& condition : arrayAt(application.status(), {"conditions"})) {
    if (stringAt(condition, {"status"}) != "False") continue;
    if (stringAt(condition, {"type"}) == "SoleOwner") out += ", contested";
    if (stringAt(condition, {"type"}) == "SourceReady") out += ", source unreadable";
  }
  return out;
}

}  // namespace steer
