#include "cluster/apiserver/token_keys.h"
#include "net/http/request_parser.h"
#include "net/http/target.h"
#include "tests/fuzz/target.h"

namespace steer::fuzz {
namespace {

struct Read {
  RequestParser::Step head = RequestParser::Step::more;
  RequestParser::Step body = RequestParser::Step::more;
  std::string method;
  std::string path;
  std::string content;
  std::string left;

  bool operator==(const Read&) const = default;
};

/// The request at the beginning of the bytes, which come in parts of this size.
Read readIn(std::string_view bytes, std::size_t part) {
  Read out;
  RequestParser parser(4096);
  std::string input;
  std::size_t at = 0;
  const auto more = [&] {
    if (at >= bytes.size()) return false;
    input.append(bytes.substr(at, part));
    at += part;
    return true;
  };
  while (out.head == RequestParser::Step::more && more()) out.head = parser.head(input);
  if (out.head != RequestParser::Step::done) return out;
  const auto request = parser.request();
  if (!request.ok()) return out;
  out.method = request->method;
  out.path = request->path;
  parser.keepAlive();
  parser.expectsContinue();
  do out.body = parser.body(input, out.content, 2048);
  while (out.body == RequestParser::Step::more && more());
  if (out.body != RequestParser::Step::done) return out;
  while (more()) continue;
  out.left = input;
  return out;
}

/// How the bytes come in parts makes no difference to what they say; a head and a body keep to their bounds.
bool request(std::string_view bytes) {
  const auto whole = readIn(bytes, bytes.size() + 1);
  for (const std::size_t part : {1, 7, 64}) {
    const auto seen = readIn(bytes, part);
    // What is wrong may be seen later in parts; what is right is the same.
    const bool right = whole.head == RequestParser::Step::done && whole.body == RequestParser::Step::done;
    if (right ? !(seen == whole) : seen.body == RequestParser::Step::done) return false;
  }
  return whole.content.size() <= 2048;
}

bool target(std::string_view text) {
  const auto read = parseTarget(text);
  return read.ok() || !read.error().message.empty();
}

/// Nobody makes up a token.
bool token(std::string_view text) {
  static const auto keys = *TokenKeys::fromPem(*TokenKeys::newPem());
  return !keys->verify(text).ok();
}

}  // namespace

std::vector<Target> httpTargets() {
  return {
      {"http_request",
       request,
       {"\r\n", "\r\n\r\n", "Content-Length: ", "Transfer-Encoding: chunked\r\n", "0\r\n\r\n", "5\r\n",
        "Expect: 100-continue\r\n", "Connection: close\r\n", "HTTP/1.1", "HTTP/1.0", "GET ", "POST ",
        "ffffffffffffffff", "Host: a\r\n", ";x=y", " ", "\t", "\n"}},
      {"http_target", target, {"%", "%2f", "%00", "?", "&", "=", "#", "/", "..", "+", ";", "http://a", "*"}},
      {"token", token, {".", "eyJ", "e30", "=", "-", "_", "eyJhbGciOiJub25lIn0"}},
  };
}

}  // namespace steer::fuzz
