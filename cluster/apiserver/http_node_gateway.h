#pragma once
// HttpNodeGateway: container logs from a node's agent over HTTPS. The agent is recognised by the
// key pin in its Node's annotation, and recognises us by our client certificate.
// Thread rule: thread-safe. Failure rule: unavailable when the node cannot be reached.
#include <functional>

#include "cluster/apiserver/node_gateway.h"
#include "cluster/apiserver/transport/certificate.h"
#include "core/snapshot.h"

namespace steer {

class HttpNodeGateway final : public NodeGateway {
 public:
  using ReadState = std::function<Snapshot()>;
  HttpNodeGateway(KeyPair credentials, ReadState readState)
      : credentials_(std::move(credentials)), readState_(std::move(readState)) {}

  Result<std::unique_ptr<Stream>> containerLogs(const std::string& node, const LogQuery& query) override;

 private:
  KeyPair credentials_;
  ReadState readState_;
};

}  // namespace steer
