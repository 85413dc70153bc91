// The node's own object, lease and log server.
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

#include <filesystem>
#include <thread>

#include "core/barrier.h"
#include "core/log.h"
#include "nodeagent/agent/agent_server.h"
#include "nodeagent/agent/agent_state.h"

namespace steer {

namespace {

constexpr seconds kRetry{2};

}  // namespace

/// The listening socket belongs to the network namespace of the thread that makes it, so the server
/// is started on a thread that has entered the node's.
void Agent::State::startServer() {
  serverTried_ = true;
  AgentServer::Options wanted{options.address, options.serverPort, options.caPem, logRoot(options)};
  std::error_code ec;
  std::filesystem::create_directories(wanted.logRoot, ec);
  const auto isRunning = [running = runningNow_](const std::string& uid, const std::string& container) {
    return running->with([&](const auto& set) { return set.contains({uid, container}); });
  };
  Result<std::unique_ptr<AgentServer>> started = makeError(Errc::io, "cannot enter " + options.networkNamespace);
  std::thread([&] {
    if (!options.networkNamespace.empty()) {
      const int fd = open(options.networkNamespace.c_str(), O_RDONLY | O_CLOEXEC);
      const bool entered = fd >= 0 && setns(fd, CLONE_NEWNET) == 0;
      if (fd >= 0) close(fd);
      if (!entered) return;
    }
    (void)barrier::run("the start of the log server",
                       [&] { started = AgentServer::start(wanted, isRunning, clock_.now()); });
  }).join();
  if (!started.ok()) {
    log::error("the log server does not listen", {{"node", options.nodeName}, {"error", started.error().message}});
    return;
  }
  server_ = std::move(*started);
  serverPort = server_->port();
  report_.serverPort = server_->port();
}

/// The certificate for this node comes a moment after the node, and another one before it ends.
void Agent::State::useServingCertificate() {
  if (!server_ || !options.serving || options.serving->generation() == servingGeneration_) return;
  servingGeneration_ = options.serving->generation();
  const auto pair = options.serving->get();
  if (pair.certificatePem.empty()) return;
  if (const auto done = server_->serve(pair.certificatePem, pair.keyPem); !done.ok())
    log::error("the serving certificate cannot be used", {{"node", options.nodeName}, {"error", done.error().message}});
}

/// Told at once, then every other second at most, and once more when all is well again.
void Agent::State::noteFaults(Time now) {
  if (faultsKnown_ == barrier::count() && report_.faults.empty()) return;
  if (now < faultsAt_) return at(faultsAt_);
  faultsAt_ = now + kRetry;
  faultsKnown_ = barrier::count();
  auto faults = barrier::summary();
  if (faults != report_.faults) nodeAt_ = {};
  report_.faults = std::move(faults);
  report_.lastFault = barrier::newest();
  at(faultsAt_);
}

void Agent::State::stepNode(Time now) {
  useServingCertificate();
  if (!informer_.synced() || writingNode_) return;
  const bool netReady = networkReady;
  if (netReady != report_.networkReady) nodeAt_ = {};
  report_.networkReady = netReady;
  report_.networkMessage = networkMessage.with([](const std::string& m) { return m; });
  noteFaults(now);
  if (now < nodeAt_) return at(nodeAt_);
  const auto node = informer_.snapshot().get("nodes", "", options.nodeName);
  if (!node) {
    leaseExists_ = true;
    return writeNode({Write::create("nodes", nodeObjectOf(options))}, {});
  }
  const auto cidr = std::string(stringAt(node->spec(), {"podCIDR"}));
  podCidr_.with([&](std::string& known) { known = cidr; });
  if (options.dnsAddress.empty() && !options.useNodeResolver)
    node_.dnsAddress.with([&](std::string& dns) { dns = firstAddressOf(cidr); });
  if (!options.simulated && heartbeatAt_ <= now) report_.pressure = machinePressure(options.rootDir);
  auto status = nodeStatusOf(options, facts_, report_, node.get(), now);
  const bool differs = nodeStatusDiffers(status, node->status());
  if (!differs) ready = report_.ready();
  std::vector<Write> writes;
  if (auto metadata = nodeMetadataWrite(options, *node)) writes.push_back(*std::move(metadata));
  if (differs || heartbeatAt_ <= now)
    writes.push_back(Write::patch({"nodes", "", options.nodeName}, PatchType::strategic,
                                  json::object{{"status", status}}, "status"));
  nodeAt_ = heartbeatAt_ > now ? heartbeatAt_ : now + options.statusPeriod;
  at(nodeAt_);
  if (!writes.empty()) writeNode(std::move(writes), std::move(status));
}

void Agent::State::writeNode(std::vector<Write> writes, json::object status) {
  jobs_.run(
      [this, writes = std::move(writes)]() mutable { return client_.batch(std::move(writes), {}); },
      [this, status = std::move(status)](std::vector<Result<ObjectPtr>> results) {
        writingNode_ = false;
        const Time now = clock_.now();
        for (const auto& result : results) {
          if (result.ok() || result.error().code == Errc::alreadyExists) continue;
          log::warn("the node could not be written", {{"node", options.nodeName}, {"error", result.error().message}});
          nodeAt_ = now + kRetry;
          return;
        }
        // The informer brings the object back; until then there is nothing more to say.
        nodeAt_ = status.empty() ? now + kRetry : now + options.statusPeriod;
        heartbeatAt_ = status.empty() ? now : now + options.statusPeriod;
        if (!status.empty()) ready = report_.ready();
      },
      failedBatch);
  writingNode_ = true;
}

void Agent::State::stepLease(Time now) {
  if (!informer_.synced() || writingLease_) return;
  if (now < leaseAt_) return at(leaseAt_);
  const auto node = informer_.snapshot().get("nodes", "", options.nodeName);
  if (!node) return;
  std::vector<Write> writes;
  if (leaseExists_) {
    writes.push_back(leaseRenewal(options.nodeName, now));
  } else {
    writes.push_back(Write::create("namespaces", json::object{{"apiVersion", "v1"},
                                                              {"kind", "Namespace"},
                                                              {"metadata", json::object{{"name", kLeaseNamespace}}}}));
    writes.push_back(leaseCreation(options.nodeName, node->uid(), now));
  }
  jobs_.run([this, writes = std::move(writes)]() mutable { return client_.batch(std::move(writes), {}); },
            [this, created = !leaseExists_](std::vector<Result<ObjectPtr>> results) {
              writingLease_ = false;
              const Time at = clock_.now();
              const auto& result = results.back();
              if (result.ok() || (created && result.error().code == Errc::alreadyExists)) {
                leaseExists_ = true;
                leaseAt_ = at + options.leasePeriod;
              } else if (result.error().code == Errc::notFound && !created) {
                leaseExists_ = false;
                leaseAt_ = at;
              } else {
                leaseAt_ = at + kRetry;
              }
            },
            failedBatch);
  writingLease_ = true;
}

}  // namespace steer
