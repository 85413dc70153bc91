#include "nodeagent/agent/agent_server.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "cluster/apiserver/http_node_gateway.h"
#include "cluster/apiserver/transport/pki.h"
#include "cluster/apiserver/transport/signing_request.h"
#include "nodeagent/agent/log_files.h"
#include "tests/fault/injection.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct World {
  World() {
    std::string pattern = (fs::temp_directory_path() / "steer-agent.XXXXXX").string();
    dir = mkdtemp(pattern.data());
    pki = std::make_unique<Pki>(Pki::open(dir.string(), clock).value());
    const auto logs = podLogDirectory(dir, "shop", "web-1", "u1") / "web";
    fs::create_directories(logs);
    std::ofstream(logs / "0.log") << "2026-11-21T00:00:01Z stdout F before the restart\n";
    std::ofstream(logs / "1.log") << "2026-11-21T00:00:02Z stdout F hello\n2026-11-21T00:00:03Z stderr F world\n";
    server = AgentServer::start(
                 {"127.0.0.1", 0, pki->caPem(), dir.string()},
                 [this](const std::string&, const std::string&) { return running.load(); }, clock.now())
                 .value();
    state.put("nodes", Object::make({{"apiVersion", "v1"},
                                     {"kind", "Node"},
                                     {"metadata", {{"name", "n1"}}},
                                     {"status",
                                      {{"addresses", {{{"type", "InternalIP"}, {"address", "127.0.0.1"}}}},
                                       {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", server->port()}}}}}}}}));
    serveAs({"n1", "127.0.0.1"}, *pki);
  }
  ~World() {
    server.reset();
    fs::remove_all(dir);
  }
  /// A certificate for these names, signed by this authority.
  void serveAs(const std::vector<std::string>& names, const Pki& authority,
               CertificateRequest::Use use = CertificateRequest::Use::server) {
    const auto asked = makeSigningRequest("system:node:" + names.front(), {"system:nodes"}, names).value();
    CertificateRequest subject{"system:node:" + names.front(), {"system:nodes"}, names};
    subject.use = use;
    REQUIRE(server->serve(authority.certify(asked.requestPem, subject).value(), asked.keyPem).ok());
  }
  Result<std::string> read(const std::string& user, LogQuery query = {}) {
    HttpNodeGateway gateway(pki->client(user, {}).value(), pki->caPem(), [this] { return state; });
    query.ns = query.ns.empty() ? "shop" : query.ns;
    query.pod = "web-1";
    query.podUid = "u1";
    query.container = query.container.empty() ? "web" : query.container;
    auto stream = gateway.containerLogs("n1", query);
    if (!stream.ok()) return stream.error();
    std::string out;
    for (;;) {
      auto chunk = (*stream)->poll();
      out += chunk.data;
      if (chunk.end) return out;
      if (!stopWhen.empty() && out.find(stopWhen) != std::string::npos) running = false;
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  SystemClock clock;
  fs::path dir;
  std::unique_ptr<Pki> pki;
  std::atomic<bool> running{true};
  std::string stopWhen;
  std::unique_ptr<AgentServer> server;
  Snapshot state;
};

}  // namespace

TEST_CASE("the API server reads a container's log from its node, and its last run's with previous") {
  World w;
  CHECK(w.read(kApiServerUser).value() == "hello\nworld\n");
  LogQuery query;
  query.previous = true;
  CHECK(w.read(kApiServerUser, query).value() == "before the restart\n");
  query = {};
  query.tailLines = 1;
  query.timestamps = true;
  CHECK(w.read(kApiServerUser, query).value() == "2026-11-21T00:00:03Z world\n");
}

TEST_CASE("a followed log ends when the container has ended") {
  World w;
  w.stopWhen = "world";
  LogQuery query;
  query.follow = true;
  CHECK(w.read(kApiServerUser, query).value() == "hello\nworld\n");
}

TEST_CASE("nobody else reads logs, and nobody poses as the agent") {
  World w;
  CHECK(w.read("somebody").error().code == Errc::forbidden);
  const auto refused = [&w] { return w.read(kApiServerUser).error().code == Errc::unavailable; };
  w.serveAs({"n2", "127.0.0.1"}, *w.pki);  // another node at the address of this one
  CHECK(refused());
  w.serveAs({"n1", "127.0.0.1"}, *w.pki, CertificateRequest::Use::client);
  CHECK(refused());
  std::filesystem::create_directories(w.dir / "other");
  w.serveAs({"n1", "127.0.0.1"}, Pki::open((w.dir / "other").string(), w.clock).value());
  CHECK(refused());
  w.serveAs({"n1", "127.0.0.1"}, *w.pki);
  CHECK(w.read(kApiServerUser).ok());
}

TEST_CASE("unknown containers and paths that climb are refused in words") {
  World w;
  LogQuery query;
  query.container = "nginx";
  CHECK(w.read(kApiServerUser, query).error().message.find("nginx") != std::string::npos);
  query.container = "..";
  CHECK(w.read(kApiServerUser, query).error().code == Errc::badRequest);
}

TEST_CASE("a fault in the download of a log is the answer of that request alone") {
  World w;
  for (const auto what : faulttest::kThrown) {
    const faulttest::Injection injected("the download of a log", what);
    const auto failed = w.read(kApiServerUser);
    REQUIRE(!failed.ok());
    CHECK(failed.error().code == Errc::internal);
    CHECK(failed.error().message.find(faulttest::textOf(what)) != std::string::npos);
    CHECK(w.read(kApiServerUser).value() == "hello\nworld\n");
  }
}
