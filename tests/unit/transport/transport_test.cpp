#include <httplib.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "tests/fault/injection.h"
#include "transport_fixture.h"

using namespace steer;
using namespace steer::transporttest;

namespace {

struct Caller {
  explicit Caller(const Fixture& f, const std::string& cert = "", const std::string& key = "")
      : client("127.0.0.1", f.server->port(), cert, key) {
    client.set_ca_cert_path(f.caFile());
    client.enable_server_certificate_verification(true);
    client.set_read_timeout(10);
    client.set_keep_alive(true);
  }
  httplib::SSLClient client;
};

json::value parsed(const httplib::Result& result) {
  REQUIRE(result);
  auto value = parseJson(result->body);
  REQUIRE(value.ok());
  return *value;
}

/// The socket of a plain TCP connection to the server.
int rawConnection(const Fixture& f) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(static_cast<std::uint16_t>(f.server->port()));
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
  return fd;
}

}  // namespace

TEST_CASE("requests of every method arrive whole: path, query, headers, body") {
  Fixture f;
  Caller caller(f);
  const auto get = parsed(caller.client.Get("/api/v1/na%20me?labelSelector=a%3Db%2Cc&watch=1", {{"X-Thing", "Some"}}));
  CHECK(stringAt(get, {"method"}) == "GET");
  CHECK(stringAt(get, {"path"}) == "/api/v1/na me");
  CHECK(stringAt(get, {"query", "labelSelector"}) == "a=b,c");
  CHECK(stringAt(get, {"headers", "x-thing"}) == "Some");
  CHECK(stringAt(get, {"user"}) == "system:anonymous");
  for (const std::string method : {"POST", "PUT", "PATCH", "DELETE"}) {
    httplib::Request request;
    request.method = method;
    request.path = "/x";
    request.body = "{\"a\":1}";
    request.set_header("Content-Type", "application/merge-patch+json");
    const auto answer = parsed(caller.client.send(request));
    CHECK(stringAt(answer, {"method"}) == method);
    CHECK(stringAt(answer, {"body"}) == "{\"a\":1}");
    CHECK(stringAt(answer, {"headers", "content-type"}) == "application/merge-patch+json");
  }
  CHECK(intAt(parsed(caller.client.Delete("/x")), {"size"}) == 0);
  const auto teapot = caller.client.Get("/teapot");
  REQUIRE(teapot);
  CHECK(teapot->status == 418);
  CHECK(teapot->get_header_value("X-Echo") == "yes");
  CHECK(teapot->get_header_value("Content-Type") == "application/json");
}

TEST_CASE("a very long path or range is answered and harms nothing") {
  Fixture f;
  Caller caller(f);
  CHECK(parsed(caller.client.Get(("/" + std::string(6000, 'a')).c_str())).is_object());
  const auto tooLong = Caller(f).client.Get(("/" + std::string(9000, 'a')).c_str());
  REQUIRE(tooLong);
  CHECK(tooLong->status == 200);
  const auto range = Caller(f).client.Get("/x", {{"Range", "bytes=" + std::string(7000, '1')}});
  REQUIRE(range);
  CHECK(range->status == 200);
}

TEST_CASE("a stream arrives chunk by chunk and ends") {
  Fixture f;
  Caller caller(f);
  std::vector<std::string> pieces;
  const auto result = caller.client.Get("/stream", [&](const char* data, std::size_t size) {
    pieces.emplace_back(data, size);
    return true;
  });
  REQUIRE(result);
  CHECK(pieces == std::vector<std::string>{"chunk 1\n", "chunk 2\n", "chunk 3\n"});
  CHECK(parsed(caller.client.Get("/after")).is_object());
  CHECK(eventually([&] { return f.handler.streams == 0; }));
}

TEST_CASE("a client that goes away ends its stream") {
  Fixture f;
  {
    Caller caller(f);
    const auto result = caller.client.Get("/endless", [](const char*, std::size_t) { return false; });
    CHECK(!result);
  }
  CHECK(eventually([&] { return f.handler.streams == 0; }));
}

TEST_CASE("stopping ends open streams and idle connections at once") {
  Fixture f;
  Caller idle(f);
  CHECK(idle.client.Get("/x"));
  std::atomic<bool> started{false}, ended{false};
  std::thread watcher([&] {
    Caller caller(f);
    auto result = caller.client.Get("/endless", [&](const char*, std::size_t) {
      started = true;
      return true;
    });
    ended = true;
  });
  CHECK(eventually([&] { return started.load(); }));
  const auto before = std::chrono::steady_clock::now();
  f.server->stop();
  CHECK(std::chrono::steady_clock::now() - before < std::chrono::seconds(3));
  watcher.join();
  CHECK(ended);
  CHECK(f.handler.streams == 0);
}

TEST_CASE("a body above the limit is refused with a Status, also when it comes in chunks without end") {
  Fixture f;
  f.handler.bodyBytes = 1'000'000;
  Caller caller(f);
  const auto fits = caller.client.Post("/x", std::string(999'999, 'x'), "application/json");
  CHECK(intAt(parsed(fits), {"size"}) == 999'999);
  const auto large = Caller(f).client.Post("/x", std::string(1'000'001, 'x'), "application/json");
  REQUIRE(large);
  CHECK(large->status == 413);
  CHECK(stringAt(parsed(large), {"reason"}) == "RequestEntityTooLarge");
  Caller other(f);
  std::size_t sent = 0;
  const auto endless = other.client.Post(
      "/x",
      [&](std::size_t, httplib::DataSink& sink) {
        sent += 10'000;
        return sent < 1'000'000'000 && sink.write(std::string(10'000, 'y').data(), 10'000);
      },
      "application/json");
  CHECK(sent < 100'000'000);
  CHECK((!endless || endless->status == 413));
}

namespace {

/// Sends text over TLS as it is and returns what comes back until the other side closes.
std::string sendRaw(Fixture& f, const std::string& text) {
  const int fd = rawConnection(f);
  timeval wait{8, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  SSL_CTX* context = SSL_CTX_new(TLS_client_method());
  SSL* ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  std::string out;
  if (SSL_connect(ssl) == 1 && SSL_write(ssl, text.data(), static_cast<int>(text.size())) > 0) {
    char buffer[4096];
    for (int n = 0; (n = SSL_read(ssl, buffer, sizeof buffer)) > 0;) out.append(buffer, static_cast<std::size_t>(n));
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  ::close(fd);
  return out;
}

}  // namespace

TEST_CASE("a body that does not come to its end in time is answered with 408, and the connection ends") {
  HttpServerOptions options;
  options.limits.body = std::chrono::seconds(1);
  Fixture f(std::move(options));
  const auto answer = sendRaw(f, "POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nabc");
  CHECK(answer.starts_with("HTTP/1.1 408 "));
  CHECK(answer.find("did not arrive in time") != std::string::npos);
  CHECK(Caller(f).client.Get("/x"));
}

TEST_CASE("headers without end are answered with 431, and the connection ends") {
  Fixture f;
  std::string text = "GET /x HTTP/1.1\r\nHost: x\r\n";
  while (text.size() < 100'000) text += "X-Many-" + std::to_string(text.size()) + ": value\r\n";
  CHECK(sendRaw(f, text).starts_with("HTTP/1.1 431 "));
  CHECK(Caller(f).client.Get("/x"));
}

TEST_CASE("identity comes from the client certificate, from a token, and a bad token is refused") {
  Fixture f;
  const auto pair = f.pki->client("alice", {"system:masters", "ops"});
  REQUIRE(pair.ok());
  Caller alice(f, f.write("a.crt", pair->certificatePem), f.write("a.key", pair->keyPem));
  const auto me = parsed(alice.client.Get("/me"));
  CHECK(stringAt(me, {"user"}) == "alice");
  CHECK(arrayAt(me, {"groups"}) == json::array{"system:masters", "ops", "system:authenticated"});

  const auto secret = f.tokens->secretFor("robot", {"system:nodes"});
  REQUIRE(secret.ok());
  Caller node(f);
  const std::string whole = "Bearer steer1." + f.pki->caHash() + "." + *secret;
  CHECK(stringAt(parsed(node.client.Get("/me", {{"Authorization", whole}})), {"user"}) == "robot");
  CHECK(stringAt(parsed(node.client.Get("/me", {{"Authorization", "Bearer " + *secret}})), {"user"}) == "robot");
  const auto refused = node.client.Get("/me", {{"Authorization", "Bearer " + std::string(32, '0')}});
  REQUIRE(refused);
  CHECK(refused->status == 401);
  CHECK(stringAt(parsed(refused), {"reason"}) == "Unauthorized");
}

TEST_CASE("a client certificate of another authority is refused") {
  Fixture f, stranger;
  const auto pair = stranger.pki->client("admin", {"system:masters"});
  REQUIRE(pair.ok());
  Caller caller(f, f.write("s.crt", pair->certificatePem), f.write("s.key", pair->keyPem));
  const auto result = caller.client.Get("/me");
  CHECK(!result);
}

TEST_CASE("a client that trusts another authority does not talk to this server") {
  Fixture f, stranger;
  httplib::SSLClient client("127.0.0.1", f.server->port());
  client.set_ca_cert_path(stranger.caFile());
  client.enable_server_certificate_verification(true);
  CHECK(!client.Get("/x"));
}

TEST_CASE("a connection that sends nothing is ended after a while") {
  HttpServerOptions options;
  options.limits.handshake = std::chrono::seconds(1);
  Fixture f(std::move(options));
  const int fd = rawConnection(f);
  timeval wait{8, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  char byte = 0;
  CHECK(::recv(fd, &byte, 1, 0) == 0);
  ::close(fd);
}

TEST_CASE("a compressed body is refused, and answers are never compressed") {
  Fixture f;
  const auto zipped = Caller(f).client.Post("/x", {{"Content-Encoding", "gzip"}}, "abc", "application/json");
  REQUIRE(zipped);
  CHECK(zipped->status == 415);
  const auto plain = Caller(f).client.Get("/x", {{"Accept-Encoding", "gzip"}});
  REQUIRE(plain);
  CHECK(!plain->has_header("Content-Encoding"));
}

TEST_CASE("a malformed address and one that is not ours are errors that name it") {
  Fixture f;
  const auto pair = f.pki->server({"127.0.0.1", "localhost"});
  HttpServerOptions options;
  options.listen = {"nonsense"};
  CHECK(HttpServer::start(f.handler, f.authenticator->identifier(),
                          {pair->certificatePem, pair->keyPem, f.pki->caPem()}, options)
            .error()
            .code == Errc::invalid);
  options.listen = {"192.0.2.1:1"};
  const auto refused = HttpServer::start(f.handler, f.authenticator->identifier(),
                                         {pair->certificatePem, pair->keyPem, f.pki->caPem()}, options);
  REQUIRE(!refused.ok());
  CHECK(refused.error().message.find("192.0.2.1:1") != std::string::npos);
  options.listen = {"127.0.0.1:0", "localhost:0"};
  auto both = HttpServer::start(f.handler, f.authenticator->identifier(),
                                {pair->certificatePem, pair->keyPem, f.pki->caPem()}, options);
  REQUIRE(both.ok());
  CHECK((*both)->addresses().size() == 2);
}

TEST_CASE("two hundred watchers at once are served and ended") {
  Fixture f;
  std::vector<std::thread> threads;
  std::atomic<int> started{0};
  for (int i = 0; i < 200; ++i)
    threads.emplace_back([&] {
      Caller caller(f);
      auto result = caller.client.Get("/endless", [&, first = true](const char*, std::size_t) mutable {
        if (std::exchange(first, false)) ++started;
        return true;
      });
    });
  CHECK(eventually([&] { return started == 200; }));
  f.server->stop();
  for (auto& thread : threads) thread.join();
  CHECK(f.handler.streams == 0);
}

TEST_CASE("a fault in the transport ends one connection or one answer, and all others are served") {
  const Fixture f;
  for (const auto what : faulttest::kThrown) {
    for (const std::string place : {"a new connection", "the sweep of connections"}) {
      INFO(place << ": " << faulttest::textOf(what));
      Caller earlier(f);
      CHECK(parsed(earlier.client.Get("/before")).at("path") == "/before");
      const faulttest::Injection injected(place, what);
      (void)Caller(f).client.Get("/during");
      CHECK(eventually([&] { return injected.done(); }));
      CHECK(parsed(earlier.client.Get("/after")).at("path") == "/after");
      CHECK(parsed(Caller(f).client.Get("/new")).at("path") == "/new");
    }
    for (const std::string place : {"the answer of a handler", "the work for a request"}) {
      INFO(place << ": " << faulttest::textOf(what));
      const faulttest::Injection injected(place, what);
      const auto answer = Caller(f).client.Get("/during");
      REQUIRE(answer);
      CHECK(answer->status == (place == "the answer of a handler" ? 500 : 503));
      CHECK(parsed(Caller(f).client.Get("/new")).at("path") == "/new");
    }
    const faulttest::Injection injected("an event of the transport", what);
    const Fixture fresh;
    CHECK(parsed(Caller(fresh).client.Get("/new")).at("path") == "/new");
    CHECK(injected.done());
  }
}
