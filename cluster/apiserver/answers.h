#pragma once
// How answers are put on the wire: content negotiation, JSON and YAML bodies, errors. Pure.
#include <string>
#include <string_view>

#include "cluster/apiserver/status_error.h"
#include "core/json.h"
#include "net/http/message.h"

namespace steer {

/// What the client would like to get, from its Accept header.
struct Wanted {
  enum class Form { object, table, partial };
  Form form = Form::object;
  bool yaml = false;
  std::string discoveryVersion{};  ///< "v2", "v2beta1" or empty for plain discovery
  bool acceptable = true;          ///< false: nothing that this server speaks
};
Wanted wantedOf(std::string_view accept);

Response jsonAnswer(const json::value& body, const Wanted& wanted = {}, int status = 200);
Response errorAnswer(const Error& error, const StatusSubject& subject = {});
Response textAnswer(std::string text, int status = 200);
/// 304 when the client has it already.
Response taggedAnswer(const Request& request, std::string body, std::string contentType);
/// A short name of a content.
std::string contentHash(std::string_view content);

}  // namespace steer
