#pragma once
// Pki: the cluster's own certificate authority and what it signed, in D/pki (0700, keys 0600).
// Made on first use, used again on restart, renewed a month before the end.
// Thread rule: const use is thread-safe. Failure rule: io with the path.
#include <functional>
#include <string>
#include <vector>

#include "cluster/apiserver/transport/certificate.h"
#include "core/clock.h"
#include "core/result.h"

namespace steer {

class Pki {
 public:
  /// Reads or makes the authority in dataDir/pki.
  static Result<Pki> open(const std::string& dataDir, const Clock& clock);

  const std::string& caPem() const { return ca_.certificatePem; }
  /// SHA-256 of the CA certificate's DER, hex: part of every token.
  const std::string& caHash() const { return caHash_; }

  /// The server's pair for these names and addresses; a new one when they changed.
  Result<KeyPair> server(const std::vector<std::string>& names) const;
  /// A client's pair: user = common name, groups = organizations.
  Result<KeyPair> client(const std::string& user, const std::vector<std::string>& groups) const;
  /// A certificate for a key that is kept elsewhere; `requestPem` is PKCS #10. Errors: invalid.
  Result<std::string> certify(const std::string& requestPem, const CertificateRequest& subject) const;
  /// The key that signs service accounts' tokens, made by `make` (PEM) when there is none yet.
  Result<std::string> accountKey(const std::function<Result<std::string>()>& make) const;

 private:
  Pki(std::string dir, const Clock& clock) : dir_(std::move(dir)), clock_(&clock) {}
  Result<KeyPair> pairOf(const std::string& file, const CertificateRequest& request) const;

  std::string dir_;
  const Clock* clock_;
  KeyPair ca_;
  std::string caHash_;
};

/// A kubeconfig for this user. It holds the key: write it with mode 0600.
std::string kubeconfigText(const std::string& serverUrl, const std::string& caPem, const std::string& user,
                           const KeyPair& credentials);

}  // namespace steer
