#pragma once
// Requests for certificates (PKCS #10): made where the key is, read and answered where the authority is. PEM texts.
// Thread rule: pure functions. Key text is a secret: it never reaches logs.
#include <string>
#include <vector>

#include "cluster/apiserver/transport/certificate.h"

namespace steer {

struct SigningRequest {
  std::string requestPem;
  std::string keyPem;  ///< made here; it stays with whoever asks
};

/// A new EC P-256 key and a request for this subject; `names` are host names and addresses that it serves.
Result<SigningRequest> makeSigningRequest(const std::string& commonName, const std::vector<std::string>& organizations,
                                          const std::vector<std::string>& names = {});

/// What a request asks for. Errors: invalid when it is none, or is not signed by the key that it names.
struct AskedCertificate {
  std::string commonName;
  std::vector<std::string> organizations{};
  bool names = false;                    ///< it asks for names of any kind, too
  std::vector<std::string> hosts{};      ///< DNS names
  std::vector<std::string> addresses{};  ///< IP addresses in their usual writing
  bool otherNames = false;               ///< names of other kinds, such as e-mail addresses
};
Result<AskedCertificate> readSigningRequest(const std::string& requestPem);

/// A certificate (PEM) for the key of the request and the subject of `subject`. Errors: invalid, internal.
Result<std::string> certifyRequest(const std::string& requestPem, const CertificateRequest& subject,
                                   const KeyPair& authority, Time now);

/// PEM text in the base64 of spec.request and status.certificate, and back. Errors: invalid.
std::string pemToBase64(const std::string& text);
Result<std::string> pemFromBase64(std::string_view text);

}  // namespace steer
