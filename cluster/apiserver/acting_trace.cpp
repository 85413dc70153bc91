#include "cluster/apiserver/acting_trace.h"

#include "cluster/apiserver/write_planner.h"
#include "core/log.h"

namespace steer {
namespace {

constexpr const char* kMessage = "acted as another user";

}  // namespace

void ActingTrace::note(const Identity& sender, const Write& write, bool done) {
  auto& line = lines_[{sender.user, write.actAs}];
  if (line.first.empty()) line.first = std::string(verbOf(write)) + " " + write.target.text();
  ++(done ? line.done : line.refused);
}

ActingTrace::~ActingTrace() {
  for (const auto& [who, line] : lines_)
    log::info(kMessage, {{"user", who.first},
                         {"as", who.second},
                         {"done", std::to_string(line.done)},
                         {"refused", std::to_string(line.refused)},
                         {"first", line.first}});
}

void traceRequest(const Request& request, const Identity& acting, bool done) {
  if (request.method == "GET" || request.method == "HEAD" || request.queryValue("dryRun") == "All") return;
  log::info(kMessage, {{"user", request.identity.user},
                       {"as", acting.user},
                       {"done", done ? "1" : "0"},
                       {"refused", done ? "0" : "1"},
                       {"first", request.method + " " + request.path}});
}

}  // namespace steer
