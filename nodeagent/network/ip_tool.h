#pragma once
// IpTool: what this project asks of `ip` and `sysctl`, in one network namespace. Every command is
// such that repeating it does no harm. Thread rule: stateless.
// Failure rule: the first command that fails ends a batch, and its text is in the error.
#include <string>
#include <vector>

#include "cluster/network/cidr.h"
#include "core/json.h"
#include "core/result.h"

namespace steer {

class IpTool {
 public:
  /// netns: path such as /run/netns/x; empty = the caller's.
  explicit IpTool(std::string netns = "") : netns_(std::move(netns)) {}

  /// Lines of `ip -batch`, such as "link set eth0 up".
  Result<void> batch(const std::vector<std::string>& lines) const;
  /// The answer of `ip -j …`.
  Result<json::array> list(const std::vector<std::string>& arguments) const;
  bool hasLink(const std::string& name) const;
  /// "net.ipv4.ip_forward=1".
  Result<void> sysctl(const std::vector<std::string>& settings) const;
  Result<std::string> sysctlValue(const std::string& name) const;
  /// Ranges of this namespace's addresses and routes, without the default route and unreachable ranges; those on links
  /// whose name is in `own` are left out.
  Result<std::vector<Cidr>> rangesInUse(const std::vector<std::string>& own) const;

 private:
  std::string netns_;
};

}  // namespace steer
