#include "cluster/apiserver/transport/http_server.h"

#include <httplib.h>
#include <malloc.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <charconv>
#include <cstring>
#include <thread>
#include <unordered_set>

#include "cluster/apiserver/transport/elastic_threads.h"
#include "cluster/client/batch_codec.h"
#include "core/block_cache.h"
#include "core/log.h"
#include "core/sync.h"

namespace steer {
namespace {

constexpr std::size_t kStackBytes = 1024 * 1024;  ///< address space; memory is what a request touches
constexpr milliseconds kStreamPause{30'000};

/// Wakes a connection's thread out of poll(2); outlives the connection in late wakers.
class WakeFd {
 public:
  WakeFd() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}
  ~WakeFd() {
    if (fd_ >= 0) ::close(fd_);
  }
  WakeFd(const WakeFd&) = delete;
  WakeFd& operator=(const WakeFd&) = delete;
  int fd() const { return fd_; }
  void wake() const {
    const std::uint64_t one = 1;
    if (::write(fd_, &one, sizeof one) < 0) return;  // full: it is awake already
  }
  void rest() const {
    std::uint64_t count = 0;
    if (::read(fd_, &count, sizeof count) < 0) return;  // nothing had come
  }

 private:
  int fd_;
};

class ConnectionStream final : public httplib::Stream {
 public:
  explicit ConnectionStream(TlsConnection& connection) : connection_(connection) {}
  bool is_readable() const override { return !connection_.failed(); }
  bool is_writable() const override { return !connection_.failed(); }
  ssize_t read(char* data, std::size_t size) override { return connection_.read(data, size); }
  ssize_t write(const char* data, std::size_t size) override { return connection_.write(data, size); }
  void get_remote_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  void get_local_ip_and_port(std::string& ip, int& port) const override { ip.clear(), port = 0; }
  socket_t socket() const override { return connection_.fd(); }

 private:
  TlsConnection& connection_;
};

/// What the listeners of one HttpServer share.
struct Shared {
  Handler* handler = nullptr;
  const Authenticator* authenticator = nullptr;
  TlsContext tls;
  HttpServerOptions options;
  std::atomic<bool> stopping{false};
  Sync<std::unordered_set<TlsConnection*>> connections;
};

/// The connection that this thread serves: httplib's callbacks do not say.
thread_local TlsConnection* currentConnection = nullptr;

std::string lowerCase(std::string text) {
  for (auto& c : text)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return text;
}

class Listener final : public httplib::Server {
 public:
  explicit Listener(Shared& shared) : shared_(shared) {
    new_task_queue = [] { return new Queue; };
    set_tcp_nodelay(true);
    set_payload_max_length(shared.options.limits.bodyBytes);
    set_keep_alive_max_count(1'000'000);
    set_keep_alive_timeout(shared.options.limits.keepAlive.count());
    // No routes: every request ends in the "error" of an unknown one, with its body read. Routes
    // would be regular expressions, which recurse once per character of a path.
    set_error_handler(HandlerWithResponse([this](const httplib::Request& request, httplib::Response& response) {
      answer(request, response);
      return HandlerResponse::Handled;
    }));
  }
  ~Listener() override { end(); }

  Result<int> listenOn(const std::string& host, int port) {
    const int actual = port == 0 ? bind_to_any_port(host) : (bind_to_port(host, port) ? port : -1);
    if (actual < 0) {
      const std::string why = std::strerror(errno);
      return makeError(Errc::io, "cannot listen on " + host + ":" + std::to_string(port) + ": " + why);
    }
    ::listen(svr_sock_, 1024);  // the library's backlog of 5 loses bursts
    thread_ = std::thread([this] { listen_after_bind(); });
    while (!is_running()) std::this_thread::yield();
    return actual;
  }

  void end() {
    if (!thread_.joinable()) return;
    stop();
    thread_.join();
  }

 private:
  class Queue final : public httplib::TaskQueue {
   public:
    void enqueue(std::function<void()> job) override {
      // The job owns the socket: when no thread can be made, it runs here and refuses.
      if (!threads_.submit(job)) job();
    }
    void shutdown() override { threads_.stop(); }

   private:
    ElasticThreads threads_{kStackBytes};
  };

  bool process_and_close_socket(socket_t fd) override {
    TlsConnection connection(fd, shared_.tls.get(), shared_.options.limits);
    const bool admitted = shared_.connections.with([&](auto& all) {
      if (shared_.stopping || all.size() >= shared_.options.maxConnections) return false;
      return all.insert(&connection).second;
    });
    if (!admitted) return false;
    currentConnection = &connection;
    serve(connection);
    currentConnection = nullptr;
    shared_.connections.with([&](auto& all) { all.erase(&connection); });
    return true;
  }

  void serve(TlsConnection& connection) {
    if (!connection.handshake()) return;
    ConnectionStream stream(connection);
    while (!shared_.stopping && connection.nextHead()) {
      bool closed = false;
      const bool ok = process_request(stream, false, closed, nullptr);
      if (!ok || closed || connection.bodyTooLarge() || refused_) break;
    }
    if (connection.headTooLarge()) {
      constexpr std::string_view kRefusal =
          "HTTP/1.1 431 Request Header Fields Too Large\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
      connection.write(kRefusal.data(), kRefusal.size());
      connection.drain();
    }
    refused_ = false;
  }

  static void fail(httplib::Response& response, const Error& error) {
    response.status = factsOf(error.code).httpStatus;
    if (error.retryAfterSeconds > 0) response.set_header("Retry-After", std::to_string(error.retryAfterSeconds));
    response.set_content(jsonText(encodeStatus(error)), "application/json");
  }

  void answer(const httplib::Request& in, httplib::Response& out) {
    setBlockCache(BlockCache::on);
    TlsConnection& connection = *currentConnection;
    const auto limit = std::to_string(shared_.options.limits.bodyBytes);
    if (connection.bodyTooLarge() || out.status == 413) {
      refused_ = true;
      return fail(out, makeError(Errc::tooLarge, "the request body has more than " + limit + " bytes"));
    }
    if (connection.bodyLate()) {
      refused_ = true;
      fail(out, makeError(Errc::timeout, "the request body did not arrive in time"));
      out.status = 408;
      return;
    }
    if (connection.bodyEncoded())
      return fail(out, makeError(Errc::unsupported, "request bodies with a Content-Encoding are not accepted"));
    if (out.status != 404) {
      refused_ = true;  // the rest of what the client sent cannot be told from a next request
      return fail(out, makeError(out.status == 414 ? Errc::tooLarge : Errc::badRequest, "this is not an HTTP request"));
    }
    auto identity = shared_.authenticator->identify(connection.peer(), in.get_header_value("Authorization"));
    if (!identity.ok()) return fail(out, identity.error());
    Request request{in.method, in.path, {}, {}, {}, std::move(*identity)};
    for (const auto& [key, value] : in.params) request.query.emplace(key, value);
    for (const auto& [name, value] : in.headers) request.headers.emplace(lowerCase(name), value);
    request.body = std::move(const_cast<httplib::Request&>(in).body);  // up to 32 MB, and nobody reads it again
    deliver(shared_.handler->handle(request), connection, out);
  }

  static void deliver(Response response, TlsConnection& connection, httplib::Response& out) {
    out.status = response.status;
    for (const auto& [name, value] : response.headers) out.headers.emplace(name, value);
    if (!response.stream) {
      out.body = std::move(response.body);
      out.set_header("Content-Type", response.contentType);
      return;
    }
    auto wake = std::make_shared<WakeFd>();
    std::shared_ptr<steer::Stream> stream = std::move(response.stream);
    setBlockCache(BlockCache::off);  // a thousand idle watches are a thousand threads that wait
    stream->setWaker([wake] { wake->wake(); });
    out.set_chunked_content_provider(response.contentType,
                                     [stream, wake, &connection](std::size_t, httplib::DataSink& sink) {
                                       const auto chunk = stream->poll();
                                       if (!chunk.data.empty() && !sink.write(chunk.data.data(), chunk.data.size()))
                                         return false;
                                       if (chunk.end) {
                                         sink.done();
                                         return true;
                                       }
                                       if (!chunk.data.empty()) return true;
                                       if (!connection.waitFor(wake->fd(), kStreamPause)) return false;
                                       wake->rest();
                                       return true;
                                     });
  }

  Shared& shared_;
  std::thread thread_;
  static thread_local bool refused_;  ///< the connection must not be used again
};

thread_local bool Listener::refused_ = false;

Result<std::pair<std::string, int>> splitAddress(const std::string& address) {
  const auto colon = address.rfind(':');
  int port = -1;
  if (colon != std::string::npos) {
    const auto* first = address.data() + colon + 1;
    const auto* last = address.data() + address.size();
    if (const auto [end, ec] = std::from_chars(first, last, port); ec != std::errc{} || end != last) port = -1;
  }
  if (port < 0 || port > 65535)
    return makeError(Errc::invalid, "\"" + address + "\" is not an address like 127.0.0.1:6443");
  std::string host = address.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  return std::pair(host.empty() ? std::string("0.0.0.0") : host, port);
}

}  // namespace

struct HttpServer::State {
  Shared shared;
  std::vector<std::unique_ptr<Listener>> listeners;
  std::vector<std::pair<std::string, int>> bound;
};

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(Handler& handler, const Authenticator& authenticator,
                                                      const KeyPair& serverPair, const std::string& caPem,
                                                      HttpServerOptions options) {
  // A malloc arena per connection thread would cost more than the connections.
  mallopt(M_ARENA_MAX, 4);
  auto state = std::make_unique<State>();
  state->shared.handler = &handler;
  state->shared.authenticator = &authenticator;
  STEER_TRY(state->shared.tls, TlsContext::make(serverPair.certificatePem, serverPair.keyPem, caPem));
  state->shared.options = std::move(options);
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(state)));
  for (const auto& address : server->state_->shared.options.listen) {
    STEER_TRY(auto where, splitAddress(address));
    auto listener = std::make_unique<Listener>(server->state_->shared);
    STEER_TRY(where.second, listener->listenOn(where.first, where.second));
    server->state_->bound.push_back(std::move(where));
    server->state_->listeners.push_back(std::move(listener));
  }
  return server;
}

std::vector<std::string> HttpServer::addresses() const {
  std::vector<std::string> out;
  for (const auto& [host, port] : state_->bound)
    out.push_back((host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port));
  return out;
}

int HttpServer::port() const { return state_->bound.empty() ? 0 : state_->bound.front().second; }

void HttpServer::stop() {
  state_->shared.connections.with([&](auto& all) {
    state_->shared.stopping = true;
    for (auto* connection : all) connection->shut();
  });
  for (auto& listener : state_->listeners) listener->end();
}

}  // namespace steer
