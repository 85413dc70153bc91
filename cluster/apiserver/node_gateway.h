#pragma once
// NodeGateway: how the API server reaches a node's agent, for what only the agent knows (logs).
// Thread rule: thread-safe. Failure rule: unavailable when the node cannot be reached, notFound
// when it does not know the container, badRequest when the container has not started.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/clock.h"
#include "core/result.h"
#include "net/http/message.h"

namespace steer {

struct LogQuery {
  std::string ns;
  std::string pod;
  std::string podUid;
  std::string container;
  bool follow = false;
  bool previous = false;  ///< the container's last run before this one
  bool timestamps = false;
  std::optional<std::int64_t> tailLines{};
  std::optional<std::int64_t> sinceSeconds{};
  std::optional<Time> sinceTime{};
  std::optional<std::int64_t> limitBytes{};
};

class NodeGateway {
 public:
  virtual ~NodeGateway() = default;
  virtual Result<std::unique_ptr<Stream>> containerLogs(const std::string& node, const LogQuery& query) = 0;
};

}  // namespace steer
