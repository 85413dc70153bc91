#include "tests/source_path.h"

namespace steer {

std::string sourcePath(std::string_view relative) { return std::string(STEER_SOURCE_DIR "/").append(relative); }

}  // namespace steer
