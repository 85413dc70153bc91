#pragma once
// Service addresses and node ports: which are free is asked of the services themselves, through the
// snapshot's indexes; there is no second record that could disagree. Pure; a choice costs what an
// index costs, however many services there are, until the range is nearly full.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "cluster/network/cidr.h"
#include "core/random.h"
#include "core/result.h"
#include "core/snapshot.h"

namespace steer {

/// An IPv4 range "10.96.0.0/16".
struct AddressRange {
  std::uint32_t base = 0;
  std::uint32_t size = 0;  ///< addresses, network and broadcast included

  bool contains(std::uint32_t address) const { return address - base < size; }
  /// The first usable address: that of the `kubernetes` service.
  std::string first() const;
};
AddressRange addressesOf(std::string_view cidr);

/// A free address, chosen by chance from the upper part first, so that people may name low ones.
Result<std::string> chooseClusterIp(const Snapshot& view, const AddressRange& range, Random& random);
/// True when another service than `self` ("ns/name") has it.
bool clusterIpTaken(const Snapshot& view, std::string_view address, std::string_view self);

Result<int> chooseNodePort(const Snapshot& view, int min, int max, std::string_view protocol, const json::object& self,
                           Random& random);
bool nodePortTaken(const Snapshot& view, int port, std::string_view protocol, std::string_view self);

}  // namespace steer
