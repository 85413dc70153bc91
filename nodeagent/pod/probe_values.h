#pragma once
// What a probe or a lifecycle hook does, and what came of it. Thread rule: plain values.
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"

namespace steer {

enum class CheckKind { exec, http, tcp, grpc };

/// One check, with everything needed to perform it.
struct CheckRequest {
  CheckKind kind = CheckKind::exec;
  std::string containerId;           ///< where exec runs
  std::vector<std::string> command;  ///< exec
  std::string host;                  ///< http, tcp, grpc
  int port = 0;
  std::string scheme = "HTTP";  ///< http: HTTP | HTTPS (certificates are not verified)
  std::string path = "/";
  std::vector<std::pair<std::string, std::string>> headers;
  std::string service;  ///< grpc
  Duration timeout = seconds(1);
};

struct CheckOutcome {
  bool success = false;
  std::string message;  ///< why it failed, for an event
};

}  // namespace steer
