#pragma once
// Connection: one client of a server from its handshake to its end: requests one after the other, each judged by its
// head, read within bounds, answered by a working thread, and written as fast as the client reads.
// Thread rule: all but what the workers run happens on the thread of the socket's context.
// For .cpp files of this room only: the header brings Asio.
#include <memory>

#include "net/http/bell.h"
#include "net/http/byte_budget.h"
#include "net/http/connection_table.h"
#include "net/http/fair_workers.h"
#include "net/http/http_server.h"
#include "net/http/request_parser.h"
#include "net/http/tls_context.h"
#include "net/http/tls_socket.h"

namespace steer {

/// What the connections of one server share.
struct ServerShared {
  ServerShared(Handler& handlerOf, Identify identifyBy, const HttpServerOptions& options, std::size_t connections)
      : handler(handlerOf),
        identify(std::move(identifyBy)),
        times(options.limits),
        table(connections, options.server.unsentBytes),
        bodies(options.server.bodiesBytes),
        answers(options.server.answersBytes),
        workers(options.server) {}

  Handler& handler;
  const Identify identify;
  const ConnectionLimits times;
  ConnectionTable table;
  ByteBudget bodies;
  ByteBudget answers;
  FairWorkers workers;
};

class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(ServerShared& shared, asio::io_context& context, asio::ip::tcp::socket socket,
             const std::shared_ptr<SSL_CTX>& tls);
  ~Connection();

  /// Serves until the connection ends. False at once when there is no place for it.
  bool enter() { return entered_ = shared_.table.enter(place_); }
  asio::awaitable<void> run();

 private:
  using Millis = std::chrono::milliseconds;
  enum class Next { proceed, close };
  enum class Received { request, answered, ended };
  struct Incoming;  ///< one request on its way
  struct Reply;     ///< what a working thread brings back

  void allow(Millis time);
  void allowForever() { place_.until = 0; }
  asio::awaitable<bool> readHead(RequestParser& parser);
  asio::awaitable<Next> serveOne();
  asio::awaitable<Received> receive(Incoming& incoming);
  asio::awaitable<bool> readBody(Incoming& incoming, std::size_t most);
  asio::awaitable<bool> finishBody(std::optional<Error> wrong);
  asio::awaitable<Response> answerOf(Incoming& incoming);
  asio::awaitable<Next> deliver(Response response, const std::string& method, bool keepAlive);
  asio::awaitable<bool> stream(Stream& source);
  void release(std::shared_ptr<Stream> source);
  asio::awaitable<bool> sendChunk(const Stream::Chunk& chunk);
  asio::awaitable<bool> write(std::string_view data);
  asio::awaitable<void> refuse(Error error, int status = 0);
  asio::awaitable<void> farewell();
  std::optional<Error> identifySender(Request& request);
  void watchForEnd();

  ServerShared& shared_;
  ConnectionTable::Place place_;
  TlsSocket socket_;
  std::shared_ptr<Bell> bell_;
  std::optional<Identity> certificate_;
  std::string input_;  ///< read and not consumed
  bool entered_ = false;
  bool streaming_ = false;
  bool gone_ = false;  ///< the client went while a stream was open
};

}  // namespace steer
