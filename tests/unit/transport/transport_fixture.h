#pragma once
// A tiny handler behind a real HTTPS server on loopback, and the files a client needs.
#include <atomic>
#include <filesystem>
#include <mutex>
#include <thread>

#include "cluster/apiserver/transport/authenticator.h"
#include "cluster/apiserver/transport/pki.h"
#include "cluster/client/batch_codec.h"
#include "core/clock.h"
#include "core/json.h"
#include "core/private_file.h"
#include "net/http/http_server.h"

namespace steer::transporttest {

/// Sends so many chunks, 50 ms apart, and then ends, unless it is endless.
class TickStream final : public Stream {
 public:
  TickStream(int chunks, bool endless, std::atomic<int>& alive) : left_(chunks), endless_(endless), alive_(alive) {
    ++alive_;
  }
  ~TickStream() override {
    stopping_ = true;
    if (thread_.joinable()) thread_.join();
    --alive_;
  }
  void setWaker(Waker waker) override {
    thread_ = std::thread([this, waker] {
      while (!stopping_ && (made_ < left_ || endless_)) {
        std::this_thread::sleep_for(std::chrono::milliseconds(50));
        if (made_ < left_) ++made_;
        waker();
      }
    });
  }
  Chunk poll() override {
    if (sent_ < made_) return {"chunk " + std::to_string(++sent_) + "\n", false};
    return {"", sent_ == left_ && !endless_};
  }

 private:
  const int left_;
  const bool endless_;
  std::atomic<int>& alive_;
  std::atomic<int> made_{0};
  int sent_ = 0;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// Echoes what it understood of a request as JSON; /stream and /endless stream; nobody may send to /forbidden.
class EchoHandler final : public Handler {
 public:
  HeadVerdict judge(const Request& head) override {
    if (head.path != "/forbidden") return {std::nullopt, bodyBytes};
    return {refuse(makeError(Errc::forbidden, "not here")), 0};
  }
  Response refuse(const Error& error) override {
    Response out;
    out.status = factsOf(error.code).httpStatus;
    out.body = jsonText(encodeStatus(error));
    return out;
  }
  Response handle(const Request& request) override {
    Response out;
    if (request.path == "/stream" || request.path == "/endless") {
      const bool endless = request.path == "/endless";
      out.stream = std::make_unique<TickStream>(endless ? 1 : 3, endless, streams);
      return out;
    }
    json::object query, headers;
    for (const auto& [key, value] : request.query) query[key] = value;
    for (const auto& [key, value] : request.headers) headers[key] = value;
    json::array groups;
    for (const auto& group : request.identity.groups) groups.emplace_back(group);
    out.status = request.path == "/teapot" ? 418 : 200;
    out.headers.emplace("X-Echo", "yes");
    json::object body{{"method", request.method}, {"path", request.path}, {"size", request.body.size()}};
    body["query"] = std::move(query);
    body["headers"] = std::move(headers);
    body["body"] = request.body.substr(0, 100);
    body["user"] = request.identity.user;
    body["groups"] = std::move(groups);
    out.body = jsonText(body);
    return out;
  }
  std::atomic<int> streams{0};
  std::size_t bodyBytes = 3'000'000;
};

struct Fixture {
  explicit Fixture(HttpServerOptions options = {}, Handler* other = nullptr) {
    std::string name = (std::filesystem::temp_directory_path() / "steer-http-XXXXXX").string();
    dir = ::mkdtemp(name.data());
    pki = std::make_unique<Pki>(std::move(Pki::open(dir, clock)).value());
    tokens = std::move(TokenFile::open(dir + "/tokens")).value();
    authenticator = std::make_unique<Authenticator>(*tokens, pki->caHash());
    const auto pair = pki->server({"127.0.0.1", "localhost"});
    server = std::move(HttpServer::start(other != nullptr ? *other : handler, authenticator->identifier(),
                                         {pair->certificatePem, pair->keyPem, pki->caPem()}, std::move(options)))
                 .value();
  }
  ~Fixture() {
    server.reset();
    std::filesystem::remove_all(dir);
  }
  std::string write(const std::string& name, const std::string& text) const {
    const std::string path = dir + "/" + name;
    if (!writePrivateFile(path, text).ok()) std::abort();
    return path;
  }
  std::string caFile() const { return dir + "/pki/ca.crt"; }

  SystemClock clock;
  std::string dir;
  EchoHandler handler;
  std::unique_ptr<Pki> pki;
  std::unique_ptr<TokenFile> tokens;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<HttpServer> server;
};

/// Waits up to ten seconds for something that another thread makes true.
template <class Condition>
bool eventually(Condition condition) {
  for (int i = 0; i < 1000; ++i) {
    if (condition()) return true;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return false;
}

}  // namespace steer::transporttest
