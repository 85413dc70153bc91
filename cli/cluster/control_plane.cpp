#include "cli/cluster/control_plane.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "cli/cluster/node_certificates.h"
#include "cluster/apiserver/api_server.h"
#include "cluster/apiserver/http_node_gateway.h"
#include "cluster/apiserver/in_process_client.h"
#include "cluster/apiserver/transport/authenticator.h"
#include "cluster/apiserver/transport/pki.h"
#include "cluster/client/join_token.h"
#include "cluster/manager/manager.h"
#include "cluster/store/store.h"
#include "core/folder.h"
#include "core/log.h"
#include "core/loop.h"
#include "net/http/http_server.h"

namespace steer::cli {
namespace {

struct Address {
  std::string host;
  int port = 0;
};

Result<Address> parseAddress(const std::string& text) {
  const auto colon = text.rfind(':');
  if (colon == std::string::npos || colon == 0)
    return makeError(Errc::badRequest, "--listen: cannot read \"" + text + "\"; write for example 127.0.0.1:6443");
  const auto portText = text.substr(colon + 1);
  if (portText.empty() || portText.size() > 5 || portText.find_first_not_of("0123456789") != std::string::npos ||
      std::stoi(portText) > 65535)
    return makeError(Errc::badRequest, "--listen: \"" + portText + "\" is not a port; write 0 to 65535");
  return Address{text.substr(0, colon), std::stoi(portText)};
}

/// Port 0 becomes a free port now, because the API's own service must name it before it listens.
Result<int> choosePort(const Address& address) {
  if (address.port != 0) return address.port;
  sockaddr_in where{};
  where.sin_family = AF_INET;
  if (inet_pton(AF_INET, address.host.c_str(), &where.sin_addr) != 1)
    return makeError(Errc::badRequest, "--listen: \"" + address.host + "\" is not an IPv4 address");
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  socklen_t size = sizeof where;
  int failure = 0;
  if (bind(fd, reinterpret_cast<sockaddr*>(&where), sizeof where) != 0 ||
      getsockname(fd, reinterpret_cast<sockaddr*>(&where), &size) != 0)
    failure = errno;
  close(fd);
  if (failure != 0)
    return makeError(Errc::unavailable, "cannot listen on " + address.host + ": " + std::strerror(failure));
  return static_cast<int>(ntohs(where.sin_port));
}

constexpr Duration kTokenLife = std::chrono::hours(24);

Identity administrator() { return {"steersman-server", {"system:masters", "system:authenticated"}}; }

}  // namespace

struct ControlPlane::State {
  std::string host;
  int port = 0;
  std::unique_ptr<Pki> pki;
  std::unique_ptr<TokenFile> tokens;
  std::unique_ptr<Authenticator> authenticator;
  std::unique_ptr<Store> store;
  std::unique_ptr<HttpNodeGateway> gateway;
  std::unique_ptr<ApiServer> api;
  std::unique_ptr<Client> client;
  std::unique_ptr<Manager> manager;
  std::unique_ptr<NodeCertificates> certificates;
  std::vector<std::unique_ptr<LoopThread>> threads;
  std::unique_ptr<HttpServer> http;

  Result<void> openStore(const ControlPlaneOptions& options);
  Result<void> openKeys(const ControlPlaneOptions& options, const Clock& clock);
  Result<void> openApi(const ControlPlaneOptions& options, const Clock& clock, Random& random);
  Result<void> listen(const ControlPlaneOptions& options);
};

Result<void> ControlPlane::State::openKeys(const ControlPlaneOptions& options, const Clock& clock) {
  STEER_TRY(auto opened, Pki::open(options.dataDir.root, clock));
  pki = std::make_unique<Pki>(std::move(opened));
  STEER_TRY(tokens, TokenFile::open(options.dataDir.root / "tokens"));
  authenticator = std::make_unique<Authenticator>(*tokens, pki->caHash(),
                                                  [this](const std::string& token) { return api->identify(token); });
  return {};
}

/// Before the keys are made: so keys without a state mean that the state is lost.
Result<void> ControlPlane::State::openStore(const ControlPlaneOptions& options) {
  const auto& dir = options.dataDir;
  std::error_code ec;
  const bool known = fileExists(dir.pki() / "ca.key");
  const bool empty = !fileExists(dir.stateDb()) || std::filesystem::file_size(dir.stateDb(), ec) == 0;
  if (known && empty)
    return makeError(Errc::io, dir.stateDb().string() + " is missing or empty, and the keys of its cluster are in " +
                                   dir.pki().string() + ": restore state.db and what stands beside it (state.db-wal) " +
                                   "from a backup; or, to begin an empty cluster here, move " + dir.root.string() +
                                   " away first");
  STEER_TRY(auto log, openSqliteLog(dir.stateDb()));
  StoreOptions storeOptions;
  if (options.acceptLoss) storeOptions.lostEnd = StoreOptions::LostEnd::accept;
  STEER_TRY(store, Store::open(std::move(log), storeOptions));
  return {};
}

Result<void> ControlPlane::State::openApi(const ControlPlaneOptions& options, const Clock& clock, Random& random) {
  // Agents know it by its name; here it holds no rights, so that whoever leads it back to this server gains nothing.
  STEER_TRY(const auto pair, pki->client("steersman-apiserver", {}));
  gateway = std::make_unique<HttpNodeGateway>(pair, pki->caPem(), [this] { return store->snapshot(); });
  ApiServerOptions apiOptions;
  apiOptions.serviceCidr = options.serviceCidr;
  apiOptions.advertiseAddress = options.alsoListen.empty() ? host : options.alsoListen.front();
  apiOptions.advertisePort = port;
  apiOptions.caPem = pki->caPem();
  apiOptions.allowedSources = options.allowedSources;
  apiOptions.podSecurityDefault = options.podSecurityDefault;
  apiOptions.disabledAdmission = options.disabledAdmission;
  STEER_TRY(const auto accountKey, pki->accountKey(&TokenKeys::newPem));
  auto keys = TokenKeys::fromPem(accountKey);
  if (!keys.ok())
    return makeError(Errc::io, (options.dataDir.root / "pki" / "sa.key").string() + ": " + keys.error().message);
  apiOptions.tokenKeys = std::move(*keys);
  api = std::make_unique<ApiServer>(*store, clock, random, apiOptions, gateway.get());
  client = makeInProcessClient(*api, administrator());
  ManagerOptions managerOptions;
  managerOptions.podCidr = options.podCidr;
  managerOptions.firstBinding = milliseconds(700);
  managerOptions.rootCaPem = pki->caPem();
  managerOptions.recordPodTimes = true;
  managerOptions.reportFaults = true;
  managerOptions.controllers = options.controllers;
  if (const auto idle = options.controllers.idle(); !idle.empty())
    log::warn("controllers that do not run", {{"names", idle}});
  manager = std::make_unique<Manager>(*client, clock, random, managerOptions);
  for (auto* loop : manager->loops()) threads.push_back(std::make_unique<LoopThread>(*loop, clock));
  return {};
}

Result<void> ControlPlane::State::listen(const ControlPlaneOptions& options) {
  std::vector<std::string> names{host,
                                 "localhost",
                                 "127.0.0.1",
                                 "kubernetes",
                                 "kubernetes.default",
                                 "kubernetes.default.svc",
                                 "kubernetes.default.svc.cluster.local"};
  names.insert(names.end(), options.alsoListen.begin(), options.alsoListen.end());
  if (const auto kubernetes = store->snapshot().get("services", "default", "kubernetes"))
    if (const auto ip = stringAt(kubernetes->spec(), {"clusterIP"}); !ip.empty()) names.emplace_back(ip);
  STEER_TRY(const auto pair, pki->server(names));
  HttpServerOptions httpOptions;
  httpOptions.listen = {host + ":" + std::to_string(port)};
  for (const auto& address : options.alsoListen) httpOptions.listen.push_back(address + ":" + std::to_string(port));
  STEER_TRY(http, HttpServer::start(*api, authenticator->identifier(), {pair.certificatePem, pair.keyPem, pki->caPem()},
                                    httpOptions));
  STEER_TRY(const auto admin, pki->client("admin", {"system:masters"}));
  const std::string reachable = host == "0.0.0.0" ? "127.0.0.1" : host;
  return writeFileAtomically(
      options.dataDir.kubeconfig(),
      kubeconfigText("https://" + reachable + ":" + std::to_string(port), pki->caPem(), "admin", admin));
}

ControlPlane::ControlPlane(std::unique_ptr<State> state) : state_(std::move(state)) {}

ControlPlane::~ControlPlane() {
  // Callers first, then what they call: connections, loops, server, store.
  if (state_->http) state_->http->stop();
  for (auto& thread : state_->threads) thread->stop();
  state_->threads.clear();
}

Result<std::unique_ptr<ControlPlane>> ControlPlane::start(const ControlPlaneOptions& options, const Clock& clock,
                                                          Random& random) {
  STEER_TRY(const auto address, parseAddress(options.listen));
  auto state = std::make_unique<State>();
  state->host = address.host == "localhost" ? "127.0.0.1" : address.host;
  STEER_TRY(state->port, choosePort({state->host, address.port}));
  auto plane = std::unique_ptr<ControlPlane>(new ControlPlane(std::move(state)));
  STEER_CHECK(plane->state_->openStore(options));
  STEER_CHECK(plane->state_->openKeys(options, clock));
  STEER_CHECK(plane->state_->openApi(options, clock, random));
  STEER_CHECK(plane->state_->listen(options));
  STEER_CHECK(plane->writeAgentToken(options.dataDir));
  plane->state_->certificates = std::make_unique<NodeCertificates>(
      plane->client(), *plane->state_->pki, [plane = plane.get(), dir = options.dataDir] {
        if (const auto written = plane->writeAgentToken(dir); !written.ok())
          log::error("the join token cannot be renewed", {{"error", written.error().message}});
      });
  plane->state_->threads.push_back(std::make_unique<LoopThread>(*plane->state_->certificates, clock));
  return plane;
}

Client& ControlPlane::client() { return *state_->client; }

std::string ControlPlane::url() const {
  return "https://" + (state_->host == "0.0.0.0" ? std::string("127.0.0.1") : state_->host) + ":" +
         std::to_string(state_->port);
}

int ControlPlane::port() const { return state_->port; }

Result<void> ControlPlane::writeAgentToken(const DataDir& dir) {
  STEER_TRY(const auto token, agentToken(""));
  return writeFileAtomically(dir.agentToken(), token + "\n");
}

Result<std::string> ControlPlane::agentToken(const std::string& nodeName) {
  const Time now = SystemClock().now();
  STEER_TRY(const auto secret, state_->tokens->temporarySecretFor(
                                   "system:bootstrap:" + (nodeName.empty() ? std::string("*") : nodeName),
                                   {"system:bootstrappers", "system:authenticated"}, now, now + kTokenLife));
  return JoinToken{state_->pki->caHash(), secret}.text();
}

}  // namespace steer::cli
