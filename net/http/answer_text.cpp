#include "net/http/answer_text.h"

#include <boost/beast/http/status.hpp>
#include <cstdio>

namespace steer {
namespace {

/// A line break in a value would begin another header.
void addHeader(std::string& out, std::string_view name, std::string_view value) {
  out += name;
  out += ": ";
  for (const char c : value) out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
  out += "\r\n";
}

}  // namespace

bool mayHaveBody(const std::string& method, int status) {
  return method != "HEAD" && status != 204 && status != 304 && status >= 200;
}

std::string answerHead(const Response& response, std::optional<std::size_t> length, AfterAnswer after) {
  const auto phrase =
      boost::beast::http::obsolete_reason(boost::beast::http::int_to_status(static_cast<unsigned>(response.status)));
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out.append(phrase.data(), phrase.size());
  out += "\r\n";
  if (!response.contentType.empty()) addHeader(out, "Content-Type", response.contentType);
  for (const auto& [name, value] : response.headers) addHeader(out, name, value);
  if (length) addHeader(out, "Content-Length", std::to_string(*length));
  else addHeader(out, "Transfer-Encoding", "chunked");
  if (after == AfterAnswer::close) addHeader(out, "Connection", "close");
  out += "\r\n";
  return out;
}

std::string chunkStart(std::size_t size) {
  char text[24];
  std::snprintf(text, sizeof text, "%zx\r\n", size);
  return text;
}

}  // namespace steer
