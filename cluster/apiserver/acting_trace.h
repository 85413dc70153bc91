#pragma once
// ActingTrace: what somebody did as somebody else, for those who look later: one line of the log for each sender and
// user of a request, with how much of it was done. A rehearsal leaves none. Thread rule: one owner.
#include <cstddef>
#include <map>
#include <string>
#include <utility>

#include "core/write.h"
#include "net/http/message.h"

namespace steer {

class ActingTrace {
 public:
  ActingTrace() = default;
  ActingTrace(const ActingTrace&) = delete;
  ActingTrace& operator=(const ActingTrace&) = delete;
  /// Writes the lines.
  ~ActingTrace();

  void note(const Identity& sender, const Write& write, bool done);

 private:
  struct Line {
    std::size_t done = 0;
    std::size_t refused = 0;
    std::string first;  ///< "patch configmaps shop/settings"
  };
  std::map<std::pair<std::string, std::string>, Line> lines_;  ///< by sender and user
};

/// The same for a request whose sender named somebody else in its headers. Reading leaves no trace.
void traceRequest(const Request& request, const Identity& acting, bool done);

}  // namespace steer
