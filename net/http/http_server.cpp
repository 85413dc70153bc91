#include "net/http/http_server.h"

#include <sys/resource.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <charconv>
#include <csignal>
#include <cstring>
#include <thread>

#include "core/barrier.h"
#include "core/sync.h"
#include "net/http/connection.h"

namespace steer {
namespace {

using Tcp = asio::ip::tcp;
constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::chrono::milliseconds kSweepEvery{250};
constexpr std::size_t kFewestConnections = 64;
constexpr int kBacklog = 4096;

/// One event loop and the thread that runs it.
struct EventLoop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::thread thread;

  void run() {
    barrier::keepRunning("an event of the transport", [this] { context.run(); });
  }
};

std::size_t connectionsAllowed(std::size_t wanted) {
  if (wanted > 0) return wanted;
  rlimit files{};
  if (::getrlimit(RLIMIT_NOFILE, &files) != 0) return kFewestConnections;
  if (files.rlim_cur < files.rlim_max) {
    rlimit raised{files.rlim_max, files.rlim_max};
    if (::setrlimit(RLIMIT_NOFILE, &raised) == 0) files = raised;
  }
  return std::clamp<std::size_t>(files.rlim_cur / 4 * 3, kFewestConnections, 65'536);
}

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
  State(Handler& handler, Identify identify, const HttpServerOptions& options)
      : shared(handler, std::move(identify), options, connectionsAllowed(options.server.connections)) {}

  Result<void> listenOn(const std::string& address);
  asio::awaitable<void> accept(Tcp::acceptor& acceptor);
  asio::awaitable<void> sweep();
  void begin(Tcp::socket socket, EventLoop& loop);

  ServerShared shared;
  Sync<TlsContext> tls;
  std::vector<std::unique_ptr<EventLoop>> loops;
  std::vector<std::unique_ptr<Tcp::acceptor>> acceptors;
  std::unique_ptr<asio::steady_timer> sweeper;
  std::vector<std::pair<std::string, int>> bound;
  std::size_t next = 0;  ///< of the first loop's thread: who takes the next connection
  std::atomic<bool> stopping{false};
  bool stopped = false;
};

Result<void> HttpServer::State::listenOn(const std::string& address) {
  STEER_TRY(auto where, splitAddress(address));
  auto& context = loops.front()->context;
  boost::system::error_code failed;
  Tcp::resolver resolver(context);
  const auto found = resolver.resolve(where.first, std::to_string(where.second), Tcp::resolver::passive, failed);
  auto acceptor = std::make_unique<Tcp::acceptor>(context);
  if (!failed && !found.empty()) {
    const Tcp::endpoint endpoint = found.begin()->endpoint();
    acceptor->open(endpoint.protocol(), failed);
    // No sharing of the port with another server: half of all requests would go to each.
    if (!failed) acceptor->set_option(Tcp::acceptor::reuse_address(true), failed);
    if (!failed) acceptor->bind(endpoint, failed);
    if (!failed) acceptor->listen(kBacklog, failed);
  }
  if (failed) return makeError(Errc::io, "cannot listen on " + address + ": " + failed.message());
  where.second = acceptor->local_endpoint().port();
  bound.push_back(std::move(where));
  acceptors.push_back(std::move(acceptor));
  return {};
}

void HttpServer::State::begin(Tcp::socket socket, EventLoop& loop) {
  boost::system::error_code ignored;
  socket.set_option(Tcp::no_delay(true), ignored);
  const auto context = tls.with([](const TlsContext& now) { return now.handle(); });
  const auto connection = std::make_shared<Connection>(shared, loop.context, std::move(socket), context);
  if (!connection->enter()) return;
  asio::co_spawn(
      loop.context, [connection] { return connection->run(); },
      [connection](const std::exception_ptr& problem) {
        if (problem) (void)barrier::run("a connection", [&] { std::rethrow_exception(problem); });
      });
}

asio::awaitable<void> HttpServer::State::accept(Tcp::acceptor& acceptor) {
  asio::steady_timer pause(loops.front()->context);
  while (!stopping) {
    auto& loop = *loops[next++ % loops.size()];
    auto [failed, socket] = co_await acceptor.async_accept(loop.context, kAwait);
    if (failed == asio::error::operation_aborted) co_return;
    if (failed) {
      // No descriptor or no memory: those that end give some back.
      pause.expires_after(std::chrono::milliseconds(20));
      co_await pause.async_wait(kAwait);
      continue;
    }
    // A connection lives on its own loop's thread from its first step. One that cannot be begun ends alone.
    (void)barrier::run("a new connection", [&] {
      asio::post(loop.context, [this, &loop, moved = std::make_shared<Tcp::socket>(std::move(socket))] {
        (void)barrier::run("a new connection", [&] { begin(std::move(*moved), loop); });
      });
    });
  }
}

asio::awaitable<void> HttpServer::State::sweep() {
  while (!stopping) {
    sweeper->expires_after(kSweepEvery);
    co_await sweeper->async_wait(kAwait);
    (void)barrier::run("the sweep of connections", [this] { shared.table.sweep(ConnectionTable::Clock::now()); });
  }
}

HttpServer::HttpServer(std::unique_ptr<State> state) : state_(std::move(state)) {}
HttpServer::~HttpServer() { stop(); }

Result<std::unique_ptr<HttpServer>> HttpServer::start(Handler& handler, Identify identify,
                                                      const ServerCredentials& credentials, HttpServerOptions options) {
  // OpenSSL writes to sockets whose other end may be gone: that is an error of the write, not of the process.
  std::signal(SIGPIPE, SIG_IGN);
  auto state = std::make_unique<State>(handler, std::move(identify), options);
  std::unique_ptr<HttpServer> server(new HttpServer(std::move(state)));
  STEER_CHECK(server->useCredentials(credentials));
  auto& own = *server->state_;
  const std::size_t loops = std::max(2U, std::thread::hardware_concurrency());
  for (std::size_t i = 0; i < loops; ++i) own.loops.push_back(std::make_unique<EventLoop>());
  for (const auto& address : options.listen) STEER_CHECK(own.listenOn(address));
  auto& first = own.loops.front()->context;
  own.sweeper = std::make_unique<asio::steady_timer>(first);
  for (auto& acceptor : own.acceptors) asio::co_spawn(first, own.accept(*acceptor), asio::detached);
  asio::co_spawn(first, own.sweep(), asio::detached);
  for (auto& loop : own.loops) loop->thread = std::thread([each = loop.get()] { each->run(); });
  return server;
}

Result<void> HttpServer::useCredentials(const ServerCredentials& credentials) {
  STEER_TRY(auto made, TlsContext::make(credentials.certificatePem, credentials.keyPem, credentials.caPem));
  state_->tls.with([&](TlsContext& now) { now = std::move(made); });
  return {};
}

std::vector<std::string> HttpServer::addresses() const {
  std::vector<std::string> out;
  for (const auto& [host, port] : state_->bound)
    out.push_back((host.find(':') == std::string::npos ? host : "[" + host + "]") + ":" + std::to_string(port));
  return out;
}

int HttpServer::port() const { return state_->bound.empty() ? 0 : state_->bound.front().second; }

std::size_t HttpServer::connections() const { return state_->shared.table.size(); }

void HttpServer::stop() {
  auto& own = *state_;
  if (std::exchange(own.stopped, true)) return;
  own.stopping = true;
  // Accepted sockets that are on their way to their loop find the table closed.
  own.shared.table.shutAll();
  own.shared.workers.stop();
  own.shared.table.awaitEmpty();
  for (auto& loop : own.loops) {
    loop->work.reset();
    loop->context.stop();
  }
  for (auto& loop : own.loops)
    if (loop->thread.joinable()) loop->thread.join();
  own.acceptors.clear();
  own.sweeper.reset();
  own.loops.clear();
}

}  // namespace steer
