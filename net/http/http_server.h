#pragma once
// HttpServer: HTTPS in front of a Handler, on Asio's event loops, one for each core. An idle connection or watch holds
// no thread and few bytes; requests are answered by a bounded number of threads that users share in turns. The order of
// each request: head, identity, rights, body, answer. Thread rule: the Handler is called from many threads. Failure
// rule: start() says which address cannot be used; later a connection fails alone.
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/result.h"
#include "net/http/limits.h"
#include "net/http/message.h"

namespace steer {

/// Who sends a request: the verified client certificate, if one was shown, and the Authorization header.
/// Errors: unauthorized. Must not block.
using Identify = std::function<Result<Identity>(const std::optional<Identity>& certificate, const std::string& header)>;

/// What a server shows of itself, and whose client certificates it believes. PEM texts; the key is a secret.
struct ServerCredentials {
  std::string certificatePem;
  std::string keyPem;
  std::string caPem;
};

struct HttpServerOptions {
  std::vector<std::string> listen{"127.0.0.1:0"};  ///< host:port; port 0 = any
  ConnectionLimits limits{};
  ServerLimits server{};
};

class HttpServer {
 public:
  /// `handler` must outlive the server.
  static Result<std::unique_ptr<HttpServer>> start(Handler& handler, Identify identify,
                                                   const ServerCredentials& credentials, HttpServerOptions options);
  ~HttpServer();

  /// New connections see these credentials; old ones go on. Errors: internal, and nothing changes.
  Result<void> useCredentials(const ServerCredentials& credentials);
  /// "host:port" with the actual ports, in the order of the options.
  std::vector<std::string> addresses() const;
  /// Of the first address.
  int port() const;
  std::size_t connections() const;
  /// Ends every connection, idle watches included, and waits for running handlers.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer
