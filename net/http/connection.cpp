#include "net/http/connection.h"

#include <array>
#include <atomic>
#include <exception>
#include <utility>

#include "core/barrier.h"
#include "core/log.h"
#include "net/http/answer_text.h"

namespace steer {
namespace {

constexpr std::size_t kLargeAnswer = std::size_t{1024} * 1024;  ///< smaller ones are not counted
constexpr std::size_t kOneRecord = 16 * 1024;                   ///< what goes out together with its head
constexpr std::size_t kBudgetStep = 64 * 1024;

std::string addressOf(const asio::ip::tcp::socket& socket) {
  boost::system::error_code failed;
  const auto peer = socket.remote_endpoint(failed);
  return failed ? std::string("?") : peer.address().to_string();
}

Error tooLargeError(std::size_t most) {
  return makeError(Errc::tooLarge, "the request body has more than " + std::to_string(most) + " bytes");
}

}  // namespace

struct Connection::Incoming {
  Request request;
  bool keepAlive = false;
  ByteBudget::Share share;
  std::unique_ptr<RequestParser> parser;
};

struct Connection::Reply {
  Response response;
  std::atomic<bool> done{false};
};

Connection::Connection(ServerShared& shared, asio::io_context& context, asio::ip::tcp::socket socket,
                       const std::shared_ptr<SSL_CTX>& tls)
    : shared_(shared), socket_(std::move(socket), tls), bell_(std::make_shared<Bell>(context)) {
  place_.fd = socket_.socket().native_handle();
  place_.address = addressOf(socket_.socket());
}

Connection::~Connection() {
  bell_->retire();
  if (entered_) shared_.table.leave(place_);
}

void Connection::allow(Millis time) {
  place_.until = (ConnectionTable::Clock::now() + time).time_since_epoch().count();
}

asio::awaitable<void> Connection::run() {
  const auto self = shared_from_this();
  allow(shared_.times.handshake);
  const bool greeted = co_await socket_.handshake();
  if (!greeted) co_return;
  certificate_ = socket_.peer();
  for (;;) {
    const Next next = co_await serveOne();
    if (next == Next::close) break;
  }
}

/// False: the connection ended, or what came is no head and was refused.
asio::awaitable<bool> Connection::readHead(RequestParser& parser) {
  bool any = false;
  allow(shared_.times.keepAlive);
  for (;;) {
    // Empty lines before a request line are to be ignored (RFC 9112, 2.2).
    if (!any) input_.erase(0, input_.find_first_not_of("\r\n"));
    if (!input_.empty()) {
      if (!any) allow(shared_.times.head);
      any = true;
      const auto step = parser.head(input_);
      if (step == RequestParser::Step::done) co_return true;
      if (step == RequestParser::Step::tooLarge) {
        co_await refuse(makeError(Errc::tooLarge, "the head of the request is too large"), 431);
        co_return false;
      }
      if (step == RequestParser::Step::malformed) {
        co_await refuse(makeError(Errc::badRequest, "this is not an HTTP request"));
        co_return false;
      }
    } else {
      std::string().swap(input_);  // an idle connection holds no buffer
    }
    const bool came = co_await socket_.read(input_);
    if (!came) co_return false;
  }
}

asio::awaitable<Connection::Next> Connection::serveOne() {
  Response response;
  std::string method;
  bool keepAlive = false;
  {
    Incoming incoming{{}, false, ByteBudget::Share(shared_.bodies), nullptr};
    const Received received = co_await receive(incoming);
    if (received != Received::request) co_return received == Received::answered ? Next::proceed : Next::close;
    method = incoming.request.method;
    keepAlive = incoming.keepAlive;
    response = co_await answerOf(incoming);
  }
  const Next next = co_await deliver(std::move(response), method, keepAlive);
  co_return next;
}

/// Head, identity, rights, body.
asio::awaitable<Connection::Received> Connection::receive(Incoming& incoming) {
  incoming.parser = std::make_unique<RequestParser>(shared_.times.headBytes);
  const bool headed = co_await readHead(*incoming.parser);
  if (!headed) co_return Received::ended;
  auto request = incoming.parser->request();
  std::optional<Error> wrong;
  if (!request.ok()) {
    wrong = request.error();
  } else {
    incoming.request = std::move(*request);
    incoming.keepAlive = incoming.parser->keepAlive();
    wrong = identifySender(incoming.request);
  }
  if (wrong) {
    co_await refuse(std::move(*wrong));
    co_return Received::ended;
  }
  HeadVerdict verdict = shared_.handler.judge(incoming.request);
  if (verdict.refusal) {
    const bool unread = incoming.parser->hasBody();
    const Next next =
        co_await deliver(std::move(*verdict.refusal), incoming.request.method, incoming.keepAlive && !unread);
    if (next == Next::proceed) co_return Received::answered;
    if (unread) co_await farewell();
    co_return Received::ended;
  }
  const bool read = co_await readBody(incoming, verdict.bodyBytes);
  incoming.parser.reset();
  co_return read ? Received::request : Received::ended;
}

std::optional<Error> Connection::identifySender(Request& request) {
  auto identity = shared_.identify(certificate_, request.header("authorization"));
  if (!identity.ok()) return identity.error();
  if (identity->user != kAnonymousUser && !shared_.table.identify(place_, identity->user))
    return makeError(Errc::tooMany, "too many connections of " + identity->user);
  request.identity = std::move(*identity);
  return std::nullopt;
}

asio::awaitable<bool> Connection::readBody(Incoming& incoming, std::size_t most) {
  auto& parser = *incoming.parser;
  if (!parser.hasBody()) co_return true;
  std::optional<Error> wrong;
  if (parser.encoded()) wrong = makeError(Errc::unsupported, "request bodies with a Content-Encoding are not accepted");
  else if (parser.contentLength().value_or(0) > most) wrong = tooLargeError(most);
  if (wrong) {
    co_await refuse(std::move(*wrong));
    co_return false;
  }
  if (parser.expectsContinue()) {
    const bool asked = co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    if (!asked) co_return false;
  }
  place_.answerWhenLate = true;
  allow(shared_.times.body);
  auto& body = incoming.request.body;
  std::size_t held = 0;
  for (;;) {
    const auto step = parser.body(input_, body, most);
    if (step == RequestParser::Step::done) break;
    if (step == RequestParser::Step::tooLarge) wrong = tooLargeError(most);
    else if (step == RequestParser::Step::malformed)
      wrong = makeError(Errc::badRequest, "the body is not framed as HTTP says");
    else if (body.size() > held) {
      const auto needed = std::max(kBudgetStep, body.size() - held);
      if (incoming.share.grow(needed)) held += needed;
      else wrong = makeError(Errc::tooMany, "the server is reading as many request bodies as it can; try again");
    }
    if (!wrong) {
      const bool came = co_await socket_.read(input_);
      if (came) continue;
      if (!place_.late) co_return false;
    }
    break;
  }
  co_return co_await finishBody(std::move(wrong));
}

asio::awaitable<bool> Connection::finishBody(std::optional<Error> wrong) {
  const bool late = place_.late;
  allowForever();
  place_.answerWhenLate = false;
  if (late) co_await refuse(makeError(Errc::timeout, "the request body did not arrive in time"), 408);
  else if (wrong) co_await refuse(std::move(*wrong));
  co_return !late && !wrong;
}

asio::awaitable<Response> Connection::answerOf(Incoming& incoming) {
  allowForever();
  const auto reply = std::make_shared<Reply>();
  const auto request = std::make_shared<const Request>(std::move(incoming.request));
  const auto finish = [reply, bell = bell_](Response response) {
    reply->response = std::move(response);
    reply->done = true;
    bell->ring();
  };
  Handler& handler = shared_.handler;
  FairWorkers::Job job;
  job.run = [&handler, request, finish] {
    if (!barrier::run("the answer of a handler", [&] { finish(handler.handle(*request)); })) return;
    log::error("a request failed", {{"method", request->method}, {"path", request->path}});
    finish(handler.refuse(makeError(Errc::internal, "the server failed on this request; its log says more")));
  };
  job.drop = [&handler, finish] { finish(handler.refuse(makeError(Errc::unavailable, "the server is stopping"))); };
  const auto taken = shared_.workers.submit(request->identity.user, job);
  if (taken == FairWorkers::Taken::stopped) job.drop();
  if (taken == FairWorkers::Taken::full) {
    Error busy = makeError(Errc::tooMany, "the server has too many requests; try again");
    busy.retryAfterSeconds = 1;
    finish(handler.refuse(busy));
  }
  while (!reply->done) co_await bell_->sleep(std::chrono::hours(1));
  co_return std::move(reply->response);
}

asio::awaitable<Connection::Next> Connection::deliver(Response response, const std::string& method, bool keepAlive) {
  const auto after = keepAlive ? AfterAnswer::keep : AfterAnswer::close;
  bool sent = false;
  ByteBudget::Share share(shared_.answers);
  // What was written is told in any case, and so is an answer that alone is more than that.
  const bool countable = response.body.size() > kLargeAnswer && method == "GET" && shared_.answers.used() > 0;
  if (response.body.size() > kLargeAnswer && !share.grow(response.body.size()) && countable) {
    Error busy = makeError(Errc::tooMany, "the server holds too many large answers that are not read; try again");
    busy.retryAfterSeconds = 1;
    response = shared_.handler.refuse(busy);
  }
  if (response.stream && mayHaveBody(method, response.status)) {
    std::shared_ptr<Stream> source = std::move(response.stream);
    sent = co_await write(answerHead(response, std::nullopt, after));
    if (sent) sent = co_await stream(*source);
    release(std::move(source));
  } else {
    std::string head = answerHead(response, response.body.size(), after);
    std::string_view body = mayHaveBody(method, response.status) ? std::string_view(response.body) : std::string_view();
    if (body.size() <= kOneRecord) {
      head += body;
      body = {};
    }
    sent = co_await write(head);
    if (sent && !body.empty()) sent = co_await write(body);
  }
  co_return sent&& keepAlive ? Next::proceed : Next::close;
}

/// The end of a stream may wait for threads of its own; this thread must not.
void Connection::release(std::shared_ptr<Stream> source) {
  const auto held = std::make_shared<std::shared_ptr<Stream>>(std::move(source));
  const auto end = [held] { held->reset(); };
  shared_.workers.submit(place_.user, {end, end});
}

asio::awaitable<bool> Connection::stream(Stream& source) {
  streaming_ = true;
  gone_ = false;
  source.setWaker([bell = bell_] { bell->ring(); });
  watchForEnd();
  bool sent = true;
  while (sent && !gone_) {
    Stream::Chunk chunk = source.poll();
    if (!chunk.data.empty() || chunk.shared) sent = co_await sendChunk(chunk);
    if (chunk.end) {
      if (sent) sent = co_await write("0\r\n\r\n");
      break;
    }
    if (sent && chunk.data.empty() && !chunk.shared && !gone_) co_await bell_->sleep(chunk.again);
  }
  streaming_ = false;
  boost::system::error_code ignored;
  socket_.socket().cancel(ignored);
  co_return sent && !gone_;
}

asio::awaitable<bool> Connection::sendChunk(const Stream::Chunk& chunk) {
  const std::size_t size = chunk.data.size() + (chunk.shared ? chunk.shared->size() : 0);
  place_.stalledSince = ConnectionTable::Clock::now().time_since_epoch().count();
  place_.unsent = size;
  bool sent = false;
  if (!chunk.shared && size <= kOneRecord) {
    sent = co_await write(chunkStart(size) + chunk.data + "\r\n");
  } else {
    sent = co_await write(chunkStart(size));
    if (sent && !chunk.data.empty()) sent = co_await write(chunk.data);
    if (sent && chunk.shared) sent = co_await write(*chunk.shared);
    if (sent) sent = co_await write("\r\n");
  }
  place_.unsent = 0;
  co_return sent;
}

asio::awaitable<bool> Connection::write(std::string_view data) {
  while (!data.empty()) {
    allow(shared_.times.write);
    const std::size_t went = co_await socket_.writeSome(data);
    if (went == 0) co_return false;
    data.remove_prefix(went);
    place_.stalledSince = ConnectionTable::Clock::now().time_since_epoch().count();
  }
  allowForever();
  co_return true;
}

/// Answers what cannot be served; the connection ends afterwards, because what the client still sends cannot be told
/// from a next request.
asio::awaitable<void> Connection::refuse(Error error, int status) {
  Response response = shared_.handler.refuse(error);
  if (status != 0) response.status = status;
  co_await deliver(std::move(response), "", false);
  co_await farewell();
}

asio::awaitable<void> Connection::farewell() {
  allow(std::chrono::seconds(1));
  co_await socket_.drain();
}

/// While a stream is open nobody reads: somebody must notice that the client has gone.
void Connection::watchForEnd() {
  socket_.socket().async_wait(asio::ip::tcp::socket::wait_read,
                              [self = shared_from_this()](const boost::system::error_code& failed) {
                                if (failed || !self->streaming_) return;
                                const auto seen = self->socket_.peek();
                                if (seen == TlsSocket::Peek::nothing) return self->watchForEnd();
                                if (seen == TlsSocket::Peek::bytes) return;  // a next request waits its turn
                                self->gone_ = true;
                                self->bell_->ring();
                              });
}

}  // namespace steer
