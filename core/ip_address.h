#pragma once
// Addresses as texts: whether one is an IP address, and whether it leads to this machine or its link rather than to the
// network. Pure. Sources: RFC 6890 (special-purpose addresses), RFC 3927, RFC 4291.
#include <string>
#include <string_view>

namespace steer {

/// IPv4 in four decimal parts, or IPv6 without brackets and zone.
bool isIpAddress(std::string_view text);

/// Loopback, link-local, unspecified, multicast or broadcast, also IPv4 in IPv6 (mapped, compatible, NAT64, 6to4).
/// What is no address at all counts as local: it is not known where it leads.
bool isLocalAddress(std::string_view text);

/// As the host of a URL: IPv6 in brackets.
std::string urlHostOf(std::string_view address);

}  // namespace steer
