#include "nodeagent/agent/network_loop.h"

#include <algorithm>
#include <array>
#include <utility>

#include "core/barrier.h"
#include "core/log.h"
#include "nodeagent/dns/dns_server.h"
#include "nodeagent/network/service_proxy.h"

namespace steer {
namespace {

constexpr Duration quiet = milliseconds{20};
constexpr Duration checkEvery = seconds{10};
constexpr Duration longestBackOff = seconds{5};

std::string internalIp(const Object& node) {
  for (const auto& a : arrayAt(node.status(), {"addresses"}))
    if (stringAt(a, {"type"}) == "InternalIP") return std::string(stringAt(a, {"address"}));
  return "";
}

}  // namespace

NetworkLoop::NetworkLoop(Client& client, NetworkLoopOptions options, NetworkDoors doors)
    : options_(std::move(options)), doors_(std::move(doors)) {
  // Pods leave the cluster with their node's address: nobody outside knows the way to theirs.
  if (doors_.setUpPods && options_.rules.egressFrom.empty()) {
    options_.rules.egressFrom = options_.rules.podCidr;
    options_.rules.egressExcept = {options_.rules.podCidr};
  }
  std::vector<Informer::Source> sources{{"services"}, {"endpointslices.discovery.k8s.io"}};
  if (doors_.setPeers || doors_.setUpPods) sources.push_back({"nodes"});
  informer_ = std::make_unique<Informer>(client, std::move(sources), wakerForMe());
}

NetworkLoop::~NetworkLoop() = default;

void NetworkLoop::noteChange(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
  if (resource != "nodes") {
    rules_.dirty = names_.dirty = true;
    return;
  }
  // Heartbeats change nodes all the time: only addresses matter here.
  const auto facts = [](const ObjectPtr& node) {
    return node ? std::pair(std::string(stringAt(node->spec(), {"podCIDR"})), internalIp(*node))
                : std::pair(std::string(), std::string());
  };
  if (facts(before) != facts(after)) peers_.dirty = pods_.dirty = true;
}

void NetworkLoop::attempt(Duty& duty, std::string_view what, Time now, const std::function<Result<void>()>& apply) {
  if (!duty.dirty || now < duty.retryAt) return;
  Result<void> result;
  const std::string place = "the node's " + std::string(what);
  if (const auto fault = barrier::run(place, [&] { result = apply(); }))
    result = makeError(Errc::internal, barrier::faultText(place, *fault));
  if (result.ok()) {
    duty = {false, true, 0, {}};
    return;
  }
  const auto backOff = std::min<Duration>(milliseconds{50} * (1 << std::min(duty.failures, 8u)), longestBackOff);
  duty.retryAt = now + backOff;
  if (!settled_ && doors_.tellReady) doors_.tellReady(false, std::string(what) + ": " + result.error().message);
  if (++duty.failures == 1 || duty.failures % 20 == 0)
    log::warn("network change failed, will be tried again",
              {{"what", std::string(what)}, {"node", options_.nodeName}, {"error", result.error().message}});
}

std::string NetworkLoop::ownPodCidr() const {
  const auto node = informer_->snapshot().get("nodes", "", options_.nodeName);
  return node ? std::string(stringAt(node->spec(), {"podCIDR"})) : "";
}

std::vector<PeerRoute> NetworkLoop::peers() const {
  std::vector<PeerRoute> out;
  informer_->snapshot().each("nodes", "", [&](const ObjectPtr& node) {
    if (node->name() == options_.nodeName) return;
    PeerRoute route{std::string(stringAt(node->spec(), {"podCIDR"})), internalIp(*node)};
    if (!route.podCidr.empty() && !route.via.empty()) out.push_back(std::move(route));
  });
  return out;
}

void NetworkLoop::applyAll(Time now) {
  const Snapshot& world = informer_->snapshot();
  if (doors_.applyRules)
    attempt(rules_, "services", now,
            [&] { return doors_.applyRules(NftRuleset(buildServiceTable(world, options_.nodeName), options_.rules)); });
  if (doors_.setUpPods && pods_.dirty) {
    const std::string cidr = ownPodCidr();
    // Nothing to do before the node is registered; afterwards its range never goes away.
    if (cidr.empty() || (cidr == podCidr_ && pods_.failures == 0)) pods_.dirty = false;
    else
      attempt(pods_, "pod bridge", now, [&] {
        podCidr_ = cidr;
        return doors_.setUpPods(cidr);
      });
  }
  if (doors_.setPeers) attempt(peers_, "routes", now, [&] { return doors_.setPeers(peers()); });
  if (doors_.setNames)
    attempt(names_, "names", now,
            [&] { return doors_.setNames(std::make_shared<const DnsTable>(world, options_.names)); });
}

bool NetworkLoop::allDone() const {
  return (!doors_.applyRules || rules_.done) && (!doors_.setUpPods || pods_.done) &&
         (!doors_.setPeers || peers_.done) && (!doors_.setNames || names_.done);
}

std::optional<Time> NetworkLoop::nextTime() const {
  std::optional<Time> next = informer_->retryAt();
  const auto sooner = [&next](Time t) { next = next ? std::min(*next, t) : t; };
  if (doors_.rulesIntact) sooner(checkedAt_ + checkEvery);
  if (!informer_->synced()) return next;
  const std::array<std::pair<const Duty*, bool>, 4> duties{{{&rules_, static_cast<bool>(doors_.applyRules)},
                                                            {&pods_, static_cast<bool>(doors_.setUpPods)},
                                                            {&peers_, static_cast<bool>(doors_.setPeers)},
                                                            {&names_, static_cast<bool>(doors_.setNames)}}};
  for (const auto& [duty, on] : duties)
    if (on && duty->dirty) sooner(std::max(duty->retryAt, appliedAt_ + quiet));
  return next;
}

Loop::Next NetworkLoop::step(Time now) {
  const bool more = informer_->pump(
      now, [this](const std::string& r, const ObjectPtr& b, const ObjectPtr& a) { noteChange(r, b, a); });
  if (more) return again(now);
  if (doors_.rulesIntact && now - checkedAt_ >= checkEvery) {
    if (rules_.done && !doors_.rulesIntact()) rules_.dirty = true;
    checkedAt_ = now;
  }
  // An incomplete view would take away endpoints that exist: nothing is applied before the first lists.
  if (informer_->synced() && now - appliedAt_ >= quiet) {
    const bool any = rules_.dirty || names_.dirty || peers_.dirty || pods_.dirty;
    applyAll(now);
    if (any) appliedAt_ = now;
    if (!settled_ && allDone()) {
      settled_ = true;
      if (doors_.tellReady) doors_.tellReady(true, "");
    }
  }
  return {nextTime()};
}

Result<NetworkDoors> openProxyDoors(const std::string& clusterPodCidr) {
  STEER_TRY(std::shared_ptr<ServiceProxy> proxy, ServiceProxy::open());
  NetworkDoors doors;
  doors.applyRules = [proxy](const NftRuleset& rules) { return proxy->apply(rules); };
  doors.rulesIntact = [proxy] { return proxy->intact(); };
  if (!clusterPodCidr.empty()) {
    NodeNetworkOptions routes;
    routes.clusterPodCidr = clusterPodCidr;
    doors.setPeers = [network = std::make_shared<NodeNetwork>(routes)](const std::vector<PeerRoute>& peers) {
      return network->setPeers(peers);
    };
  }
  return doors;
}

Result<NetworkDoors> openNodeDoors(NodeDoorsOptions options) {
  STEER_TRY(NetworkDoors doors, openProxyDoors(""));
  /// The gateway address is known only when the node has its range, and so is the server.
  struct Names {
    std::unique_ptr<DnsServer> server;
    std::shared_ptr<const DnsTable> table;
  };
  auto names = std::make_shared<Names>();
  auto network = std::make_shared<NodeNetwork>(std::move(options.network));
  doors.setUpPods = [network, names,
                     upstreams = std::move(options.dnsUpstreams)](const std::string& cidr) -> Result<void> {
    STEER_CHECK(network->setUp(cidr));
    DnsServerOptions dns;
    dns.address = NodeNetwork::gatewayOf(cidr);
    dns.upstreams = upstreams;
    names->server.reset();
    STEER_TRY(names->server, DnsServer::start(std::move(dns)));
    if (names->table) names->server->setTable(names->table);
    return {};
  };
  doors.setPeers = [network](const std::vector<PeerRoute>& peers) { return network->setPeers(peers); };
  doors.setNames = [names](std::shared_ptr<const DnsTable> table) -> Result<void> {
    names->table = std::move(table);
    if (names->server) names->server->setTable(names->table);
    return {};
  };
  return doors;
}

}  // namespace steer
