#include "cluster/apiserver/answers.h"

#include "cluster/apiserver/list_pages.h"
#include "core/yaml.h"

namespace steer {
Response jsonAnswer(const json::value& body, const Wanted& wanted, int status) {
  Response out;
  out.status = status;
  if (wanted.coding == Wanted::Coding::yaml) {
    out.contentType = "application/yaml";
    out.body = yamlText(body);
  } else {
    out.body = jsonText(body);
    out.body += '\n';
  }
  return out;
}

Response errorAnswer(const Error& error, const StatusSubject& subject) {
  json::object status;
  if (const auto token = freshToken(error); !token.empty()) {
    Error plain = error;
    plain.causes.clear();
    status = statusOf(plain, subject);
    status["metadata"] = {{"continue", token}};
  } else {
    status = statusOf(error, subject);
  }
  Response out = jsonAnswer(status, {}, factsOf(error.code).httpStatus);
  if (error.retryAfterSeconds > 0) out.headers.emplace("Retry-After", std::to_string(error.retryAfterSeconds));
  return out;
}

Response textAnswer(std::string text, int status) {
  Response out;
  out.status = status;
  out.contentType = "text/plain; charset=utf-8";
  out.body = std::move(text);
  return out;
}

std::string contentHash(std::string_view content) {
  std::uint64_t a = 14695981039346656037ULL;
  std::uint64_t b = 0x9e3779b97f4a7c15ULL;
  for (const char c : content) {
    a = (a ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    b = (b + static_cast<unsigned char>(c)) * 0xff51afd7ed558ccdULL;
    b ^= b >> 31;
  }
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const std::uint64_t half : {a, b})
    for (int shift = 60; shift >= 0; shift -= 4) out += kDigits[(half >> shift) & 15];
  return out;
}

Response taggedAnswer(const Request& request, std::string body, std::string contentType) {
  Response out;
  const std::string tag = '"' + contentHash(body) + '"';
  out.headers.emplace("ETag", tag);
  out.headers.emplace("Vary", "Accept");
  out.contentType = std::move(contentType);
  if (request.header("if-none-match") == tag) {
    out.status = 304;
    return out;
  }
  out.body = std::move(body);
  return out;
}

}  // namespace steer
