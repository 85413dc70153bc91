#pragma once
// What may stand in the log: text that every reader of it takes. The one guard before the log refuses what does not;
// reading repairs what a log of an older version holds all the same, so that nothing that was once acknowledged keeps
// a store from opening. Thread rule: pure functions.
#include <string>
#include <string_view>

#include "core/result.h"

namespace steer {

/// Levels of nesting that an object may have. Lists, watches and batches wrap an object in a few levels more and are
/// read with the limit of parseJson, which is above this one.
inline constexpr std::size_t kMostRecordDepth = 480;

/// Errors: badRequest when the text is no JSON (bytes that are no UTF-8, numbers that JSON has no form for) or is
/// nested too deeply. The message never quotes the text.
Result<void> checkRecordText(std::string_view text);

/// The same text in a form that checkRecordText takes: U+FFFD for what is no UTF-8 and for halves of surrogate pairs,
/// null for numbers without a form in JSON and for what is nested too deeply.
std::string repairRecordText(std::string_view text);

}  // namespace steer
