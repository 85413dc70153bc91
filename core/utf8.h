#pragma once
// UTF-8: what JSON, Kubernetes' API and the log take as text. Texts of other origin (Git, programs, nodes, file names)
// are any bytes: they are brought into shape where they come in. Thread rule: pure functions.
#include <string>
#include <string_view>

#include "core/json.h"

namespace steer {

/// Whole characters only: no overlong forms, no surrogates, nothing beyond U+10FFFF.
bool isUtf8(std::string_view text);
/// The same text with U+FFFD in place of each part that is no character, as the Unicode standard recommends
/// (one for each maximal beginning of a character, else one for each byte).
std::string toUtf8(std::string_view text);
/// Brings every key and text of a value into shape; says whether something had to be changed.
bool makeUtf8(json::value& value);
bool makeUtf8(json::object& object);
/// Whether every key and text is UTF-8.
bool allUtf8(const json::value& value);

}  // namespace steer
