#pragma once
// Simulator: a whole cluster in one thread and virtual time: store, API server, controllers,
// scheduler and simulated nodes, seeded. The same code as in production, driven by Driver.
// Thread rule: single-threaded. Failure rule: what() says why a step did not come to rest.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/apiserver/api_server.h"
#include "cluster/manager/manager.h"
#include "cluster/store/store.h"
#include "core/random.h"
#include "simulator/driver.h"
#include "simulator/severable_client.h"
#include "simulator/sim_fleet.h"

namespace steer {

struct SimulatorOptions {
  std::uint64_t seed = 1;
  FleetOptions fleet{};
  std::string podCidr = "10.244.0.0/16";
  bool recordPodTimes = false;  ///< as ManagerOptions
  bool reportFaults = false;    ///< as ManagerOptions
};

class Simulator {
 public:
  explicit Simulator(SimulatorOptions options = {});
  ~Simulator();

  /// Applies every document of a YAML text as `kubectl apply --server-side` would.
  Result<void> apply(const std::string& yaml);
  Client& client() { return client_; }
  /// Stores an object past every check, as a damaged disk or another version would have left it.
  Result<void> smuggle(const std::string& resource, json::object body);
  /// The durable state. Empty while the server is down.
  Snapshot state() const;
  Time now() const { return clock_.now(); }
  Driver& driver() { return driver_; }
  SimFleet& fleet() { return *fleet_; }
  /// Adds a loop of the test's own (a reconciler). It must outlive the simulator or be removed.
  void add(Loop& loop) { driver_.add(loop); }

  bool settle() { return driver_.settle(); }
  bool advance(Duration by) { return driver_.advance(by); }
  /// Steps of at most `each` until the condition holds or `limit` has passed.
  bool advanceUntil(const std::function<bool()>& holds, Duration limit, Duration each = seconds(1));

  /// Power loss of the control plane: what was not durable is gone.
  void stopServer();
  void startServer();
  void crashServer() {
    stopServer();
    startServer();
  }
  bool serverUp() const { return server_ != nullptr; }
  /// The next `count` disk writes fail.
  void failDisk(std::size_t afterOk, std::size_t count) { failAppends(*disk_, afterOk, count); }

  /// Pods of the namespace that are Running and not being deleted, whose labels match.
  std::size_t running(const std::string& ns, const std::string& labelSelector = "") const;
  std::size_t ready(const std::string& ns, const std::string& labelSelector = "") const;
  std::vector<ObjectPtr> pods(const std::string& ns, const std::string& labelSelector = "") const;

 private:
  struct Server {
    std::unique_ptr<Store> store;
    std::unique_ptr<ApiServer> api;
    std::unique_ptr<Client> client;
    std::unique_ptr<Manager> manager;
  };

  SimulatorOptions options_;
  ManualClock clock_;
  Random random_;
  std::shared_ptr<MemoryDisk> disk_;
  Driver driver_;
  SeverableClient client_;  ///< the administrator's
  SeverableClient fleetClient_;
  std::unique_ptr<SimFleet> fleet_;
  std::unique_ptr<Server> server_;
};

}  // namespace steer
