#include "net/http/message.h"

namespace steer {

std::string Request::queryValue(const std::string& key, std::string fallback) const {
  const auto it = query.find(key);
  return it == query.end() ? std::move(fallback) : it->second;
}

bool Request::queryBool(const std::string& key) const {
  const std::string value = queryValue(key);
  return value == "1" || value == "t" || value == "T" || value == "true" || value == "TRUE" || value == "True";
}

std::string Request::header(const std::string& lowerCaseName) const {
  const auto it = headers.find(lowerCaseName);
  return it == headers.end() ? std::string() : it->second;
}

Response Handler::refuse(const Error& error) {
  Response out;
  out.status = factsOf(error.code).httpStatus;
  out.contentType = "text/plain";
  out.body = error.message + "\n";
  if (error.retryAfterSeconds > 0) out.headers.emplace("Retry-After", std::to_string(error.retryAfterSeconds));
  return out;
}

}  // namespace steer
