#pragma once
// How answers are put on the wire: JSON and YAML bodies, errors, texts with a tag. Pure.
#include <string>
#include <string_view>

#include "cluster/apiserver/negotiation.h"
#include "cluster/apiserver/status_error.h"
#include "core/json.h"
#include "net/http/message.h"

namespace steer {

Response jsonAnswer(const json::value& body, const Wanted& wanted = {}, int status = 200);
Response errorAnswer(const Error& error, const StatusSubject& subject = {});
Response textAnswer(std::string text, int status = 200);
/// 304 when the client has it already.
Response taggedAnswer(const Request& request, std::string body, std::string contentType);
/// A short name of a content.
std::string contentHash(std::string_view content);

}  // namespace steer
