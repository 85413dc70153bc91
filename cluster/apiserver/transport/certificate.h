#pragma once
// Certificates of the cluster's own authority: made, read and judged as PEM text. EC P-256.
// Thread rule: pure functions. Key text is a secret: it never reaches logs.
#include <optional>
#include <string>
#include <vector>

#include "cluster/client/ca_pin.h"  // certificateHash
#include "core/clock.h"
#include "core/result.h"

namespace steer {

struct KeyPair {
  std::string certificatePem;
  std::string keyPem;
};

struct CertificateRequest {
  std::string commonName;
  std::vector<std::string> organizations{};
  std::vector<std::string> names{};  ///< subject alternative names: host names and addresses
  enum class Use { authority, server, client } use = Use::client;
  std::chrono::hours lifetime{24 * 365};
};

/// Signed by `authority`, or by itself when that is null.
Result<KeyPair> makeCertificate(const CertificateRequest& request, const KeyPair* authority, Time now);

/// A certificate for somebody else's public key (PEM), signed by `authority`. Errors: invalid, internal.
Result<std::string> certifyKey(const CertificateRequest& request, const std::string& publicKeyPem,
                               const KeyPair& authority, Time now);

/// Whether a stored pair still serves: it parses, its key fits, `authority` signed it, it carries
/// exactly these names, and it is valid now and for another 30 days (or a third of its life).
bool stillServes(const KeyPair& pair, const KeyPair& authority, const std::vector<std::string>& names, Time now);

/// SHA-256 of bytes, lower-case hex.
std::string sha256Hex(std::string_view bytes);
/// `bytes` random bytes of the operating system, as hex.
std::string randomHex(std::size_t bytes);

}  // namespace steer
