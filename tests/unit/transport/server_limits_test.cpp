// Who is kept out, and who is not, when many come at once.
#include <httplib.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>

#include <catch2/catch.hpp>

#include "transport_fixture.h"

using namespace steer;
using namespace steer::transporttest;

namespace {

/// A TLS connection that says what it is told to and reads no more than it is told to.
class RawClient {
 public:
  explicit RawClient(const Fixture& f, const KeyPair* credentials = nullptr) {
    context_ = SSL_CTX_new(TLS_client_method());
    if (credentials != nullptr) {
      BIO* cert = BIO_new_mem_buf(credentials->certificatePem.data(), -1);
      BIO* key = BIO_new_mem_buf(credentials->keyPem.data(), -1);
      X509* x509 = PEM_read_bio_X509(cert, nullptr, nullptr, nullptr);
      EVP_PKEY* pkey = PEM_read_bio_PrivateKey(key, nullptr, nullptr, nullptr);
      SSL_CTX_use_certificate(context_, x509);
      SSL_CTX_use_PrivateKey(context_, pkey);
      X509_free(x509);
      EVP_PKEY_free(pkey);
      BIO_free(cert);
      BIO_free(key);
    }
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    timeval wait{10, 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(f.server->port()));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ssl_ = SSL_new(context_);
    SSL_set_fd(ssl_, fd_);
    open_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0 && SSL_connect(ssl_) == 1;
  }
  ~RawClient() {
    SSL_free(ssl_);
    SSL_CTX_free(context_);
    ::close(fd_);
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  bool open() const { return open_; }
  void send(const std::string& text) { SSL_write(ssl_, text.data(), static_cast<int>(text.size())); }
  /// Until this text came, or the connection ended.
  std::string readUntil(const std::string& text) {
    std::string out;
    char buffer[4096];
    while (out.find(text) == std::string::npos) {
      const int n = SSL_read(ssl_, buffer, sizeof buffer);
      if (n <= 0) break;
      out.append(buffer, static_cast<std::size_t>(n));
    }
    return out;
  }
  std::string serverCertificate() const {
    X509* certificate = SSL_get1_peer_certificate(ssl_);
    BIO* out = BIO_new(BIO_s_mem());
    PEM_write_bio_X509(out, certificate);
    char* data = nullptr;
    const long size = BIO_get_mem_data(out, &data);
    std::string text(data, static_cast<std::size_t>(size));
    BIO_free(out);
    X509_free(certificate);
    return text;
  }

 private:
  SSL_CTX* context_ = nullptr;
  SSL* ssl_ = nullptr;
  int fd_ = -1;
  bool open_ = false;
};

constexpr const char* kGet = "GET /x HTTP/1.1\r\nHost: x\r\n\r\n";

/// Says one large text again and again, as fast as it is asked.
class FloodHandler final : public Handler {
 public:
  class Flood final : public Stream {
   public:
    explicit Flood(FloodHandler& home) : home_(home) { ++home_.streams; }
    ~Flood() override { --home_.streams; }
    Chunk poll() override { return {"", false, home_.text}; }
    void setWaker(Waker) override {}

   private:
    FloodHandler& home_;
  };
  Response handle(const Request& request) override {
    Response out;
    if (request.path == "/flood") out.stream = std::make_unique<Flood>(*this);
    else out.body = request.path;
    return out;
  }
  std::shared_ptr<const std::string> text = std::make_shared<const std::string>(std::string(1'000'000, 'x'));
  std::atomic<int> streams{0};
};

constexpr std::size_t kLargeBody = 20'000'000;  ///< more than the buffers of two sockets take

/// One large answer for every request.
class LargeHandler final : public Handler {
 public:
  HeadVerdict judge(const Request&) override { return {std::nullopt, 1000}; }
  Response refuse(const Error& error) override {
    Response out;
    out.status = factsOf(error.code).httpStatus;
    out.body = jsonText(encodeStatus(error));
    return out;
  }
  Response handle(const Request&) override {
    Response out;
    out.body = std::string(kLargeBody, 'x');
    return out;
  }
};

}  // namespace

TEST_CASE("strangers who hold every connection keep out nobody, and never one who said who they are") {
  HttpServerOptions options;
  options.server.connections = 8;
  Fixture f(std::move(options));
  const auto pair = f.pki->client("alice", {});
  RawClient alice(f, &*pair);
  alice.send(kGet);
  CHECK(alice.readUntil("alice").starts_with("HTTP/1.1 200 "));
  std::vector<std::unique_ptr<RawClient>> strangers;
  for (int i = 0; i < 30; ++i) strangers.push_back(std::make_unique<RawClient>(f));
  RawClient late(f, &*pair);
  late.send(kGet);
  CHECK(late.readUntil("alice").starts_with("HTTP/1.1 200 "));
  alice.send(kGet);
  CHECK(alice.readUntil("alice").starts_with("HTTP/1.1 200 "));
  CHECK(eventually([&] { return f.server->connections() <= 8; }));
}

TEST_CASE("one user holds three quarters of all connections and no more") {
  HttpServerOptions options;
  options.server.connections = 8;
  Fixture f(std::move(options));
  const auto pair = f.pki->client("alice", {});
  std::vector<std::unique_ptr<RawClient>> held;
  for (int i = 0; i < 6; ++i) {
    held.push_back(std::make_unique<RawClient>(f, &*pair));
    held.back()->send(kGet);
    CHECK(held.back()->readUntil("alice").starts_with("HTTP/1.1 200 "));
  }
  RawClient seventh(f, &*pair);
  seventh.send(kGet);
  CHECK(seventh.readUntil("too many").starts_with("HTTP/1.1 429 "));
}

TEST_CASE("a request without rights is answered before its body comes") {
  Fixture f;
  RawClient client(f);
  client.send("POST /forbidden HTTP/1.1\r\nHost: x\r\nContent-Length: 60000000\r\n\r\n");
  const auto answer = client.readUntil("not here");
  CHECK(answer.starts_with("HTTP/1.1 403 "));
  CHECK(answer.find("Connection: close") != std::string::npos);
}

TEST_CASE("where no body is allowed, one that is announced or comes in chunks is not read") {
  Fixture f;
  f.handler.bodyBytes = 0;
  for (const std::string framing : {"Content-Length: 60000000", "Transfer-Encoding: chunked"}) {
    RawClient client(f);
    client.send("GET /x HTTP/1.1\r\nHost: x\r\n" + framing + "\r\n\r\n");
    if (framing.starts_with("T")) client.send("1\r\na\r\n");
    CHECK(client.readUntil("0 bytes").starts_with("HTTP/1.1 413 "));
  }
  RawClient plain(f);
  plain.send(kGet);
  CHECK(plain.readUntil("/x").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("a refusal without a body leaves the connection open, however often it comes") {
  Fixture f;
  RawClient client(f);
  for (int i = 0; i < 200; ++i) {
    client.send("GET /forbidden HTTP/1.1\r\nHost: x\r\n\r\n");
    REQUIRE(client.readUntil("not here").starts_with("HTTP/1.1 403 "));
  }
}

TEST_CASE("who asks first whether a body is wanted is told before it is sent") {
  Fixture f;
  RawClient client(f);
  client.send("POST /x HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n");
  CHECK(client.readUntil("\r\n\r\n") == "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("abc");
  CHECK(client.readUntil("\"abc\"").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("bodies of all requests together stay within their budget") {
  HttpServerOptions options;
  options.server.bodiesBytes = 300'000;
  Fixture f(std::move(options));
  RawClient slow(f);
  slow.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 300000\r\n\r\n" + std::string(200'000, 'a'));
  const auto second = [&] {
    RawClient client(f);
    client.send("POST /x HTTP/1.1\r\nHost: x\r\nContent-Length: 200000\r\n\r\n" + std::string(200'000, 'b'));
    return client.readUntil("\r\n\r\n");
  };
  // Both cannot be held: whichever was first, the other is told to come again.
  CHECK(eventually([&] { return second().starts_with("HTTP/1.1 429 "); }));
}

TEST_CASE("two requests in one piece are answered one after the other") {
  Fixture f;
  RawClient client(f);
  client.send("GET /first HTTP/1.1\r\nHost: x\r\n\r\nGET /second HTTP/1.1\r\nHost: x\r\n\r\n");
  const auto both = client.readUntil("/second");
  CHECK(both.find("/first") < both.find("/second"));
}

TEST_CASE("readers that do not read are cut off when they hold too much, and others are served") {
  FloodHandler flood;
  HttpServerOptions options;
  options.server.unsentBytes = 4'500'000;
  Fixture f(std::move(options), &flood);
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 0; i < 8; ++i) {
    readers.push_back(std::make_unique<RawClient>(f));
    readers.back()->send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  }
  CHECK(eventually([&] { return flood.streams == 8; }));
  CHECK(eventually([&] { return flood.streams <= 4; }));
  RawClient other(f);
  other.send("GET /calm HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(other.readUntil("/calm").starts_with("HTTP/1.1 200 "));
}

TEST_CASE("large answers that are not read are bounded together, and who asks beyond that is asked to wait") {
  LargeHandler large;
  HttpServerOptions options;
  options.server.answersBytes = 2 * kLargeBody + 1000;
  Fixture f(std::move(options), &large);
  std::vector<std::unique_ptr<RawClient>> readers;
  for (int i = 0; i < 2; ++i) {
    readers.push_back(std::make_unique<RawClient>(f));
    readers.back()->send(kGet);
    CHECK(readers.back()->readUntil("\r\n\r\n").starts_with("HTTP/1.1 200 "));
  }
  RawClient third(f);
  third.send(kGet);
  CHECK(third.readUntil("try again").starts_with("HTTP/1.1 429 "));
  readers.clear();
  CHECK(eventually([&] {
    RawClient later(f);
    later.send(kGet);
    return later.readUntil("\r\n\r\n").starts_with("HTTP/1.1 200 ");
  }));
}

TEST_CASE("a reader that takes nothing for the time of a write is cut off") {
  FloodHandler flood;
  HttpServerOptions options;
  options.limits.write = std::chrono::milliseconds(300);
  Fixture f(std::move(options), &flood);
  RawClient reader(f);
  reader.send("GET /flood HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(eventually([&] { return flood.streams == 1; }));
  CHECK(eventually([&] { return flood.streams == 0; }));
}

TEST_CASE("new credentials are shown to new connections, and old ones go on") {
  Fixture f;
  RawClient old(f);
  CertificateRequest wanted;
  wanted.commonName = "renewed";
  wanted.use = CertificateRequest::Use::server;
  wanted.names = {"127.0.0.1"};
  const auto pair = makeCertificate(wanted, nullptr, f.clock.now());
  REQUIRE(f.server->useCredentials({pair->certificatePem, pair->keyPem, f.pki->caPem()}).ok());
  old.send(kGet);
  CHECK(old.readUntil("/x").starts_with("HTTP/1.1 200 "));
  RawClient fresh(f);
  CHECK(fresh.open());
  CHECK(fresh.serverCertificate() == pair->certificatePem);
  CHECK(old.serverCertificate() != pair->certificatePem);
  CHECK(!f.server->useCredentials({"nonsense", "nonsense", f.pki->caPem()}).ok());
}

TEST_CASE("a port that another server listens on is refused with its address") {
  Fixture f;
  const auto pair = f.pki->server({"127.0.0.1", "localhost"});
  HttpServerOptions options;
  options.listen = {"127.0.0.1:" + std::to_string(f.server->port())};
  const auto second = HttpServer::start(f.handler, f.authenticator->identifier(),
                                        {pair->certificatePem, pair->keyPem, f.pki->caPem()}, options);
  REQUIRE(!second.ok());
  CHECK(second.error().message.find(options.listen.front()) != std::string::npos);
  CHECK(second.error().message.find("in use") != std::string::npos);
}

TEST_CASE("a handler that throws costs its own request") {
  class Thrower final : public Handler {
   public:
    Response handle(const Request& request) override {
      if (request.path == "/throw") throw std::bad_alloc();
      Response out;
      out.body = "fine";
      return out;
    }
  };
  Thrower thrower;
  Fixture f({}, &thrower);
  RawClient client(f);
  client.send("GET /throw HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(client.readUntil("log says more").starts_with("HTTP/1.1 500 "));
  client.send(kGet);
  CHECK(client.readUntil("fine").starts_with("HTTP/1.1 200 "));
}
