#pragma once
// HttpNodeGateway: container logs from a node's agent over HTTPS. The agent is recognised by a serving certificate of
// the cluster's authority for the name of its node, whatever address the node shows, and recognises us by ours.
// Thread rule: thread-safe. Failure rule: unavailable when the node cannot be reached.
#include <functional>

#include "cluster/apiserver/node_gateway.h"
#include "cluster/apiserver/transport/certificate.h"
#include "core/snapshot.h"

namespace steer {

class HttpNodeGateway final : public NodeGateway {
 public:
  using ReadState = std::function<Snapshot()>;
  HttpNodeGateway(KeyPair credentials, std::string caPem, ReadState readState)
      : credentials_(std::move(credentials)), caPem_(std::move(caPem)), readState_(std::move(readState)) {}

  Result<std::unique_ptr<Stream>> containerLogs(const std::string& node, const LogQuery& query) override;

 private:
  KeyPair credentials_;
  std::string caPem_;
  ReadState readState_;
};

}  // namespace steer
