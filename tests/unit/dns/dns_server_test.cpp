#include "nodeagent/dns/dns_server.h"

#include <arpa/inet.h>
#include <sys/socket.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <set>

#include "nodeagent/dns/dns_message.h"
#include "tests/fault/injection.h"
#include "tests/unit/cluster_network/world.h"

using namespace steer;
using namespace steer::test;

namespace {

std::shared_ptr<const DnsTable> table(int headless = 3) {
  World world;
  world.service(webService());
  std::string endpoints;
  for (int i = 0; i < headless; ++i)
    endpoints += std::string(i ? "," : "") + R"({"addresses":["10.1.)" + std::to_string(i / 200) + "." +
                 std::to_string(i % 200 + 1) + R"("]})";
  world.service(R"({"metadata":{"namespace":"shop","name":"db"},"spec":{"clusterIP":"None"}})")
      .service(
          R"({"metadata":{"namespace":"shop","name":"pay"},"spec":{"type":"ExternalName","externalName":"web.other.svc.elsewhere"}})")
      .slice(
          R"({"addressType":"IPv4","metadata":{"namespace":"shop","name":"db-1","labels":{"kubernetes.io/service-name":"db"}},"endpoints":[)" +
          endpoints + "]}");
  return std::make_shared<const DnsTable>(world.snapshot(), DnsOptions{});
}

/// A cluster of zone "elsewhere" that knows web.other: stands in for the machine's resolver.
std::shared_ptr<const DnsTable> elsewhere() {
  World world;
  world.service(
      R"({"metadata":{"namespace":"other","name":"web"},"spec":{"clusterIP":"192.0.2.99","ports":[{"port":80}]}})");
  DnsOptions options;
  options.zone = "elsewhere";
  return std::make_shared<const DnsTable>(world.snapshot(), options);
}

std::unique_ptr<DnsServer> serve(std::shared_ptr<const DnsTable> names, std::vector<std::string> upstreams = {}) {
  DnsServerOptions options;
  options.port = 0;
  options.upstreams = std::move(upstreams);
  options.upstreamWait = milliseconds{300};
  auto server = DnsServer::start(options);
  REQUIRE(server.ok());
  (*server)->setTable(std::move(names));
  return std::move(*server);
}

struct Answer {
  int rcode = -1;
  bool cut = false;
  std::vector<DnsRecord> records;
};

Answer ask(const DnsServer& server, const std::string& name, int type = SOCK_DGRAM) {
  const int fd = ::socket(AF_INET, type, 0);
  const timeval wait{3, 0};
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(server.port());
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  REQUIRE(::connect(fd, reinterpret_cast<sockaddr*>(&a), sizeof a) == 0);
  std::string question = encodeQuestion({name, DnsType::a}, 77);
  if (type == SOCK_STREAM)
    question =
        std::string{static_cast<char>(question.size() >> 8), static_cast<char>(question.size() & 255)} + question;
  REQUIRE(::send(fd, question.data(), question.size(), 0) == static_cast<ssize_t>(question.size()));
  std::string reply(70000, '\0');
  std::size_t have = 0;
  const std::size_t skip = type == SOCK_STREAM ? 2 : 0;
  for (;;) {
    const ssize_t n = ::recv(fd, reply.data() + have, reply.size() - have, 0);
    if (n <= 0) break;
    have += static_cast<std::size_t>(n);
    if (skip == 0) break;
    const auto length =
        static_cast<std::size_t>(static_cast<unsigned char>(reply[0]) << 8 | static_cast<unsigned char>(reply[1]));
    if (have >= length + 2) break;
  }
  ::close(fd);
  Answer answer;
  if (have < skip + 12) return answer;
  const std::string message = reply.substr(skip, have - skip);
  CHECK(message[1] == 77);
  answer.rcode = message[3] & 15;
  answer.cut = (message[2] & 2) != 0;
  if (auto records = parseRecords(message)) answer.records = *records;
  return answer;
}

}  // namespace

TEST_CASE("a name of the cluster is answered over UDP and over TCP") {
  const auto server = serve(table());
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const auto answer = ask(*server, "web.shop.svc.cluster.local", type);
    CHECK(answer.rcode == 0);
    REQUIRE(answer.records.size() == 1);
    CHECK(answer.records[0].data == "10.96.0.10");
  }
}

TEST_CASE("a swapped table is what the next question sees") {
  const auto server = serve(std::make_shared<const DnsTable>());
  CHECK(ask(*server, "web.shop.svc.cluster.local").rcode == 3);
  server->setTable(table());
  CHECK(ask(*server, "web.shop.svc.cluster.local").rcode == 0);
}

TEST_CASE("the first address of a headless service changes from question to question") {
  const auto server = serve(table());
  std::set<std::string> first;
  for (int i = 0; i < 60; ++i) {
    const auto answer = ask(*server, "db.shop.svc.cluster.local");
    REQUIRE(answer.records.size() == 3);
    first.insert(answer.records[0].data);
  }
  CHECK(first.size() == 3);
}

TEST_CASE("an answer too long for UDP is cut and says so; over TCP it is whole") {
  const auto server = serve(table(300));
  const auto cut = ask(*server, "db.shop.svc.cluster.local");
  CHECK(cut.cut);
  CHECK(cut.records.size() < 300);
  const auto whole = ask(*server, "db.shop.svc.cluster.local", SOCK_STREAM);
  CHECK_FALSE(whole.cut);
  CHECK(whole.records.size() == 300);
}

TEST_CASE("other names are asked elsewhere, and an alias that leads there is answered with its address") {
  const auto upstream = serve(elsewhere());
  const std::string at = "127.0.0.1:" + std::to_string(upstream->port());
  const auto server = serve(table(), {at});
  for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
    const auto plain = ask(*server, "web.other.svc.elsewhere", type);
    REQUIRE(plain.records.size() == 1);
    CHECK(plain.records[0].data == "192.0.2.99");
    const auto alias = ask(*server, "pay.shop.svc.cluster.local", type);
    REQUIRE(alias.records.size() == 2);
    CHECK(alias.records[0].data == "web.other.svc.elsewhere");
    CHECK(alias.records[1].data == "192.0.2.99");
  }
}

TEST_CASE("without anybody to ask, other names are a server failure, and the cluster's are answered meanwhile") {
  const auto alone = serve(table());
  CHECK(ask(*alone, "example.com").rcode == 2);
  const auto deaf = serve(table(), {"127.0.0.1:1"});
  CHECK(ask(*deaf, "example.com").rcode == 2);
  CHECK(ask(*deaf, "web.shop.svc.cluster.local").rcode == 0);
}

TEST_CASE("a server binds an address that does not exist yet") {
  DnsServerOptions options;
  options.address = "10.255.255.1";
  options.port = 0;
  CHECK(DnsServer::start(options).ok());
}

TEST_CASE("resolvers are read from resolv.conf without the server's own address") {
  const auto found = DnsServer::upstreamsOf(
      "# x\nsearch a b\nnameserver 10.0.0.1\nnameserver fe80::1\nnameserver 10.1.1.1\n", {"10.1.1.1"});
  CHECK(found == std::vector<std::string>{"10.0.0.1"});
}

TEST_CASE("names are answered again after a fault of the thread that answers") {
  for (const auto what : faulttest::kThrown)
    for (const int type : {SOCK_DGRAM, SOCK_STREAM}) {
      const faulttest::Injection injected(type == SOCK_DGRAM ? "DNS over UDP" : "DNS over TCP", what);
      const auto server = serve(table());
      CHECK(ask(*server, "web.shop.svc.cluster.local", type).rcode == 0);
      CHECK(injected.done());
    }
}
