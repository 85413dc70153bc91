#pragma once
// What is decided of a request by its head alone: whether its sender may ask this at all, and how long the body may be.
// The write path judges again, with the body; this keeps the bodies of strangers from being read.
// Thread rule: pure but for the parts, which are thread-safe.
#include "cluster/apiserver/server_parts.h"

namespace steer {

/// One object: what kube-apiserver reads of one request (its limit is 3 MiB, too).
inline constexpr std::size_t kBodyBytes = 3 * std::size_t{1024} * 1024;
/// Many objects in one request, for those whom a role lets `post` to the path.
inline constexpr std::size_t kBatchBytes = 64 * std::size_t{1024} * 1024;

HeadVerdict judgeHead(const ServerParts& parts, const Request& head);

}  // namespace steer
