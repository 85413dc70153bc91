#pragma once
// HttpServer: HTTPS in front of a Handler, on cpp-httplib, which parses requests and writes
// responses. The connections are our own (tls_connection.h), because it must be possible to end a
// thousand idle watches at once, to refuse bodies that never end, and to keep idle ones small.
// Thread rule: the Handler is called from many threads. Failure rule: start() says which address
// cannot be used; later a connection fails alone.
#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "cluster/apiserver/message.h"
#include "cluster/apiserver/transport/authenticator.h"
#include "cluster/apiserver/transport/certificate.h"
#include "cluster/apiserver/transport/tls_connection.h"
#include "core/result.h"

namespace steer {

struct HttpServerOptions {
  std::vector<std::string> listen{"127.0.0.1:0"};  ///< host:port; port 0 = any
  std::size_t maxConnections = 8192;
  ConnectionLimits limits{};
};

class HttpServer {
 public:
  /// `handler` and `authenticator` must outlive the server.
  static Result<std::unique_ptr<HttpServer>> start(Handler& handler, const Authenticator& authenticator,
                                                   const KeyPair& serverPair, const std::string& caPem,
                                                   HttpServerOptions options);
  ~HttpServer();

  /// "host:port" with the actual ports, in the order of the options.
  std::vector<std::string> addresses() const;
  /// Of the first address.
  int port() const;
  /// Ends every connection, idle watches included, and waits for running handlers.
  void stop();

 private:
  struct State;
  explicit HttpServer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer
