#include "net/http/tls_context.h"

#include <openssl/pem.h>

#include "net/http/openssl.h"

namespace steer {

Result<TlsContext> TlsContext::make(const std::string& certificatePem, const std::string& keyPem,
                                    const std::string& caPem) {
  TlsContext out;
  out.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* context = out.context_.get();
  const auto certBio = ssl::readBio(certificatePem), keyBio = ssl::readBio(keyPem), caBio = ssl::readBio(caPem);
  const ssl::Cert cert(PEM_read_bio_X509(certBio.get(), nullptr, nullptr, nullptr));
  const ssl::Key key(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr));
  const ssl::Cert ca(PEM_read_bio_X509(caBio.get(), nullptr, nullptr, nullptr));
  if (context == nullptr || !cert || !key || !ca || SSL_CTX_use_certificate(context, cert.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1 ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
      SSL_CTX_add_client_CA(context, ca.get()) != 1 || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return makeError(Errc::internal, "cannot use the server's certificate: " + ssl::lastError());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  // Requests carry their own framing; after the end of reading an answer can still be written.
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION | SSL_OP_IGNORE_UNEXPECTED_EOF);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  return out;
}

}  // namespace steer
