#pragma once
// What is carried out: the kinds of schemas/served.json. Of any other kind the server keeps objects, and nothing comes
// of them; whoever asks for one is told. Pure.
#include <string>

#include "schemas/schema.h"

namespace steer {

/// The category by which discovery marks what nothing serves.
inline constexpr const char* kUnservedCategory = "unserved";

/// "StatefulSet (apps/v1) is not served yet: …"; empty for a kind that is carried out.
std::string unservedText(const KindSchema& kind);

}  // namespace steer
