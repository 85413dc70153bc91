#pragma once
// etcd as the peer: started on loopback in a directory of its own, with its defaults (fsync on).
#include <memory>
#include <string>

#include "core/result.h"
#include "measure.h"

namespace steer::bench {

class EtcdPeer {
 public:
  /// Errors: unavailable when etcd is not installed or does not start.
  static Result<std::unique_ptr<EtcdPeer>> start(const std::string& dir);
  ~EtcdPeer();

  /// Put for single objects, Txn of puts for several; `writers` calls are outstanding at any time.
  Measured run(const Load& load, const std::vector<std::string>& keys, const std::vector<std::string>& values);

 private:
  struct State;
  explicit EtcdPeer(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace steer::bench
