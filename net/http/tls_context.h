#pragma once
// TlsContext: the certificate that a server shows and the authority whose clients it believes, and the ways of TLS:
// 1.2 or newer, client certificates asked for but not demanded, nothing kept for resumption, no buffers while idle.
// Thread rule: a value; shared contexts are read only. Failure rule: internal, with OpenSSL's reason.
#include <openssl/types.h>

#include <memory>
#include <string>

#include "core/result.h"

namespace steer {

class TlsContext {
 public:
  static Result<TlsContext> make(const std::string& certificatePem, const std::string& keyPem,
                                 const std::string& caPem);
  const std::shared_ptr<SSL_CTX>& handle() const { return context_; }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

}  // namespace steer
