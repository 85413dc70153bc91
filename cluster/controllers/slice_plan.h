#pragma once
// From the endpoints that should be to writes of EndpointSlices, with few rewrites: what stands in
// a slice stays there. Pure. Source of the rules: Kubernetes documentation, "EndpointSlices".
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "core/controller.h"

namespace steer {

struct SliceGroup {
  std::string addressType;  ///< "IPv4" | "IPv6"
  json::array ports;
  json::array endpoints;
};

struct SliceSet {
  ObjectPtr owner;  ///< the Service, or the Endpoints that are mirrored
  std::string serviceName;
  std::string managedBy;  ///< value of endpointslice.kubernetes.io/managed-by
  json::object labels;    ///< the owner's, copied
  std::size_t maxPerSlice = 100;
  std::vector<SliceGroup> groups;
};

inline constexpr std::string_view kServiceName = "kubernetes.io/service-name";
inline constexpr std::string_view kSliceManagedBy = "endpointslice.kubernetes.io/managed-by";

/// Writes that lead from the existing slices of this manager to the wanted ones.
std::vector<Write> planSlices(const SliceSet& wanted, const std::vector<ObjectPtr>& existing);

}  // namespace steer
