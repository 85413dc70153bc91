// A server that takes connections and never answers.
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>

#include "cluster/client/http_client.h"

using namespace steer;

TEST_CASE("a server that accepts and never answers is a timeout, not a wait for ever") {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof at;
  REQUIRE(::bind(listener, reinterpret_cast<const sockaddr*>(&at), sizeof at) == 0);
  REQUIRE(::listen(listener, 16) == 0);
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  HttpClientOptions options;
  options.server = "https://127.0.0.1:" + std::to_string(ntohs(at.sin_port));
  options.silence = seconds(2);
  const auto client = makeHttpClient(options);
  REQUIRE(client.ok());
  const auto begin = std::chrono::steady_clock::now();
  const auto list = (*client)->list("pods", {});
  const auto waited = std::chrono::steady_clock::now() - begin;
  ::close(listener);
  REQUIRE_FALSE(list.ok());
  CHECK(list.error().code == Errc::timeout);
  CHECK(waited < std::chrono::seconds(8));
}
