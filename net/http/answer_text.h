#pragma once
// The head of an HTTP/1.1 answer as text. Pure.
#include <cstddef>
#include <optional>
#include <string>

#include "net/http/message.h"

namespace steer {

enum class AfterAnswer : bool { keep, close };

/// `length`: of the body; nothing = it comes in chunks.
std::string answerHead(const Response& response, std::optional<std::size_t> length, AfterAnswer after);
/// Whether an answer of this status to this method has a body.
bool mayHaveBody(const std::string& method, int status);
/// One chunk of a body that comes in chunks, up to its text.
std::string chunkStart(std::size_t size);

}  // namespace steer
