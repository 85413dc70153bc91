#pragma once
// Files that are written whole or not at all, readable by their owner unless said otherwise. Thread rule: one writer a
// file.
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

/// Written beside, flushed and renamed: nobody reads half of it, and no permissions of an older file stay. A file that
/// holds just this already is left alone, so that a full disk need not take it again. Errors: io; what is there is not
/// a file; nothing of the text is quoted.
Result<void> writePrivateFile(const std::string& path, std::string_view text, unsigned mode = 0600);

}  // namespace steer
