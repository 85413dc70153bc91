#pragma once
// RequestParser: one HTTP/1.1 request out of bytes as they come: first the head, then, when it is wanted, the body.
// Thread rule: none. Failure rule: a request that failed cannot be told from what follows it; end the connection.
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "net/http/message.h"

namespace steer {

class RequestParser {
 public:
  enum class Step { more, done, tooLarge, malformed };

  explicit RequestParser(std::size_t headBytes);
  ~RequestParser();

  /// Takes what belongs to the head out of `input`.
  Step head(std::string& input);
  /// After the head: the request without body and identity. Errors: badRequest for a target that cannot be decoded.
  Result<Request> request() const;
  bool keepAlive() const;
  bool expectsContinue() const;
  /// The body comes compressed, which nobody here reads.
  bool encoded() const;
  /// As the head says it; nothing for a chunked body.
  std::optional<std::size_t> contentLength() const;
  /// Whether anything follows the head.
  bool hasBody() const;

  /// Takes what belongs to the body out of `input` and appends it to `body`. tooLarge: more than `most` bytes.
  Step body(std::string& input, std::string& body, std::size_t most);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace steer
