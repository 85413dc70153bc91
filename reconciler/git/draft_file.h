#pragma once
// Drafts of records, as files in a clone: DIR/steersman-drafts/NAME. Thread rule: one writer for each name.
#include <optional>
#include <string>

#include "core/result.h"

namespace steer::git {

/// Durable on return; a crash leaves the one before.
Result<void> writeDraft(const std::string& cloneDir, const std::string& name, const std::string& text);
std::optional<std::string> readDraft(const std::string& cloneDir, const std::string& name);
/// None is no error.
Result<void> removeDraft(const std::string& cloneDir, const std::string& name);
/// Into a clone that takes the place of this one.
void moveDrafts(const std::string& fromClone, const std::string& toClone);

}  // namespace steer::git
