#pragma once
// A real API server over a store in memory, for tests of the rooms above the client.
#include <memory>

#include "cluster/apiserver/in_process_client.h"

namespace steer {

struct TestCluster {
  ManualClock clock;
  Random random{7};
  std::unique_ptr<Store> store = openStore();
  ApiServer server{*store, clock, random, {}};
  std::unique_ptr<Client> client = makeInProcessClient(server, systemIdentity());

  static std::unique_ptr<Store> openStore() {
    StoreOptions options;
    options.inlineCommit = true;
    auto store = Store::open(openMemoryLog(makeMemoryDisk()), options);
    return std::move(*store);
  }
};

}  // namespace steer
