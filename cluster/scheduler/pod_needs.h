#pragma once
// What a pod asks of a node, read once from its spec. Pure values.
#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "core/object.h"

namespace steer {

/// Amounts of what nodes have: cpu in milli, all else in whole units.
struct Amounts {
  std::int64_t milliCpu = 0;
  std::int64_t memory = 0;
  std::int64_t ephemeral = 0;
  std::vector<std::pair<std::string, std::int64_t>> extended{};  ///< by name, sorted

  std::int64_t of(std::string_view name) const;
  void add(const Amounts& other, int sign);
  bool operator==(const Amounts&) const = default;
};

/// From a map of quantities ("cpu": "500m"); what cannot be read counts as nothing.
Amounts amountsOf(const json::object& quantities);

struct PortClaim {
  std::string ip;  ///< "0.0.0.0" = every address
  std::string protocol;
  std::int64_t port = 0;
  bool clashes(const PortClaim& other) const;
  bool operator==(const PortClaim&) const = default;
};

struct PodNeeds {
  ObjectPtr pod;
  Amounts requests;  ///< init containers, sidecars and overhead included
  std::vector<PortClaim> hostPorts;
  std::string group;  ///< replicas that should be spread share it; empty = alone
  std::int64_t priority = 0;
  bool gated = false;  ///< spec.schedulingGates

  /// Any node that suits one suits the other equally, until one is placed.
  bool alike(const PodNeeds& other) const;
};

PodNeeds needsOf(const ObjectPtr& pod);

}  // namespace steer
