#include "net/http/tls_context.h"

#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>

namespace steer {
namespace {

template <auto Free>
struct FreeWith {
  template <class T>
  void operator()(T* p) const {
    Free(p);
  }
};
using Bio = std::unique_ptr<BIO, FreeWith<BIO_free_all>>;
using Cert = std::unique_ptr<X509, FreeWith<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, FreeWith<EVP_PKEY_free>>;

Bio bioOf(const std::string& text) { return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size()))); }

std::string lastError() {
  const unsigned long code = ERR_get_error();
  ERR_clear_error();
  const char* text = code == 0 ? nullptr : ERR_reason_error_string(code);
  return text == nullptr ? "unknown error" : text;
}

}  // namespace

Result<TlsContext> TlsContext::make(const std::string& certificatePem, const std::string& keyPem,
                                    const std::string& caPem) {
  TlsContext out;
  out.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* context = out.context_.get();
  const Bio certBio = bioOf(certificatePem), keyBio = bioOf(keyPem), caBio = bioOf(caPem);
  const Cert cert(PEM_read_bio_X509(certBio.get(), nullptr, nullptr, nullptr));
  const Key key(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr));
  const Cert ca(PEM_read_bio_X509(caBio.get(), nullptr, nullptr, nullptr));
  if (context == nullptr || !cert || !key || !ca || SSL_CTX_use_certificate(context, cert.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1 ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
      SSL_CTX_add_client_CA(context, ca.get()) != 1 || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return makeError(Errc::internal, "cannot use the server's certificate: " + lastError());
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
