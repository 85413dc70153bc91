#pragma once
// Forecast: what a planned change will do to the cluster, as the rehearsal saw it. Thread rule: a plain
// value. All times are from the moment at which the change begins.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/json.h"

namespace steer {

struct ForecastEvent {
  enum class Kind { created, placed, running, ready, unready, failed, stopping, gone };
  Duration at{};
  Kind kind = Kind::created;
  std::string workload;  ///< "Deployment shop/web"; of a bare pod "Pod shop/p"
  std::string pod;       ///< "shop/web-7c9…-x2x"; names of new pods are not those that they will get
  std::string node;      ///< empty before it is placed
  bool existed = false;  ///< the pod was there before the change
};
const char* eventName(ForecastEvent::Kind kind);

struct WorkloadForecast {
  std::string workload;
  int desired = 0;  ///< replicas in the end
  int readyBefore = 0;
  int readyAfter = 0;
  int restarts = 0;                       ///< pods that were there and are not any more
  int added = 0;                          ///< pods that were not there
  int lowest = 0;                         ///< ready pods at the worst moment
  Duration below{};                       ///< how long fewer were ready than desired
  Duration done{};                        ///< when the last of its pods came to rest
  std::string blocked{};                  ///< why it never becomes healthy; empty = it does
  std::map<std::string, int> landed{};    ///< node → new pods
  std::map<std::string, int> unplaced{};  ///< the scheduler's words → pods
};

struct ServiceForecast {
  std::string service;  ///< "shop/web"
  int before = 0;       ///< ready endpoints
  int lowest = 0;
  int after = 0;
  Duration without{};  ///< how long it had none at all
};

struct NodeForecast {
  struct Amount {
    std::int64_t before = 0;
    std::int64_t after = 0;
    std::int64_t allocatable = 0;
    bool operator==(const Amount&) const = default;
  };
  std::string node;
  Amount cpu{};     ///< requested, in thousandths of a core
  Amount memory{};  ///< requested, in bytes
  Amount pods{};
  bool changed() const { return cpu.before != cpu.after || memory.before != memory.after || pods.before != pods.after; }
};

struct Forecast {
  std::uint64_t seed = 1;
  std::string cutShort{};                     ///< why it ended before everything came to rest: "after 30m"
  Duration took{};                            ///< until everything that moves had come to rest
  std::vector<std::string> refused{};         ///< what the server would refuse
  std::vector<WorkloadForecast> workloads{};  ///< those that change
  std::vector<ServiceForecast> services{};    ///< those whose endpoints change
  std::vector<NodeForecast> nodes{};          ///< all
  std::vector<ForecastEvent> events{};
  std::vector<std::string> assumptions{};  ///< "image web:v2 was never seen here: 2s to start are assumed"

  /// Something does not come up.
  bool blocked() const;
};

json::object forecastJson(const Forecast& forecast);

}  // namespace steer
