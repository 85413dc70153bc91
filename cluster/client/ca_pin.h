#pragma once
// Trust by hash: a token names the SHA-256 of the cluster's CA certificate. Pure functions.
#include <string>

#include "core/result.h"

namespace steer {

/// SHA-256 of the DER form of a PEM certificate, lower-case hex. Errors: invalid.
Result<std::string> certificateHash(const std::string& pem);

}  // namespace steer
