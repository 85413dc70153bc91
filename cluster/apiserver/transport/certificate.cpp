#include "cluster/apiserver/transport/certificate.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <set>

#include "net/http/openssl.h"

namespace steer {
namespace {

using Use = CertificateRequest::Use;
constexpr std::chrono::hours kBackdate{1};  ///< clocks of other machines may be behind

Error failed(const std::string& what) { return makeError(Errc::internal, what + ": " + ssl::lastError()); }

bool isAddress(const std::string& name) {
  unsigned char buffer[16];
  return inet_pton(AF_INET, name.c_str(), buffer) == 1 || inet_pton(AF_INET6, name.c_str(), buffer) == 1;
}

std::string toHex(const unsigned char* data, std::size_t size) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out;
  for (std::size_t i = 0; i < size; ++i) {
    out += kDigits[data[i] >> 4];
    out += kDigits[data[i] & 15];
  }
  return out;
}

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

ssl::Cert readCertificate(const std::string& pem) {
  const auto bio = ssl::readBio(pem);
  return ssl::Cert(PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr));
}

ssl::Key readKey(const std::string& pem) {
  const auto bio = ssl::readBio(pem);
  return ssl::Key(PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
}

bool addExtension(X509* cert, X509* issuer, int nid, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, cert, nullptr, nullptr, 0);
  const ssl::Extension extension(X509V3_EXT_conf_nid(nullptr, &context, nid, value.c_str()));
  return extension && X509_add_ext(cert, extension.get(), -1) == 1;
}

bool addExtensions(X509* cert, X509* issuer, const CertificateRequest& request) {
  const bool authority = request.use == Use::authority;
  bool ok = addExtension(cert, issuer, NID_basic_constraints, authority ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
            addExtension(cert, issuer, NID_key_usage,
                         authority ? "critical,keyCertSign,cRLSign,digitalSignature" : "critical,digitalSignature") &&
            addExtension(cert, issuer, NID_subject_key_identifier, "hash") &&
            addExtension(cert, issuer, NID_authority_key_identifier, "keyid:always");
  if (!authority)
    ok = ok && addExtension(cert, issuer, NID_ext_key_usage, request.use == Use::server ? "serverAuth" : "clientAuth");
  std::string names;
  for (const auto& name : request.names)
    names += (names.empty() ? "" : ",") + std::string(isAddress(name) ? "IP:" : "DNS:") + name;
  return ok && (names.empty() || addExtension(cert, issuer, NID_subject_alt_name, names));
}

bool addSubject(X509_NAME* subject, const CertificateRequest& request) {
  auto add = [&](const char* field, const std::string& text) {
    return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8,
                                      reinterpret_cast<const unsigned char*>(text.data()),
                                      static_cast<int>(text.size()), -1, 0) == 1;
  };
  for (const auto& organization : request.organizations)
    if (!add("O", organization)) return false;
  return add("CN", request.commonName);
}

std::set<std::string> namesOf(X509* cert) {
  std::set<std::string> out;
  auto* names = static_cast<GENERAL_NAMES*>(X509_get_ext_d2i(cert, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; names != nullptr && i < sk_GENERAL_NAME_num(names); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names, i);
    const auto* text = name->type == GEN_DNS ? name->d.dNSName : name->type == GEN_IPADD ? name->d.iPAddress : nullptr;
    if (text == nullptr) continue;
    const auto size = static_cast<std::size_t>(ASN1_STRING_length(text));
    out.insert(name->type == GEN_DNS ? std::string(reinterpret_cast<const char*>(ASN1_STRING_get0_data(text)), size)
                                     : toHex(ASN1_STRING_get0_data(text), size));
  }
  GENERAL_NAMES_free(names);
  return out;
}

/// Host names as they are, addresses as the hex of their bytes.
std::set<std::string> comparable(const std::vector<std::string>& names) {
  std::set<std::string> out;
  for (const auto& name : names) {
    unsigned char buffer[16];
    if (inet_pton(AF_INET, name.c_str(), buffer) == 1) out.insert(toHex(buffer, 4));
    else if (inet_pton(AF_INET6, name.c_str(), buffer) == 1) out.insert(toHex(buffer, 16));
    else out.insert(name);
  }
  return out;
}

/// `signer` null: signed by `key` itself.
Result<std::string> certificateFor(const CertificateRequest& request, EVP_PKEY* key, const KeyPair* authority,
                                   Time now) {
  const ssl::Cert cert(X509_new());
  if (key == nullptr || !cert) return failed("cannot make a key");
  const auto issuer = authority != nullptr ? readCertificate(authority->certificatePem) : ssl::Cert{};
  const auto issuerKey = authority != nullptr ? readKey(authority->keyPem) : ssl::Key{};
  if (authority != nullptr && (!issuer || !issuerKey)) return failed("cannot read the cluster's CA");
  X509* signer = issuer ? issuer.get() : cert.get();

  unsigned char serial[16];
  if (RAND_bytes(serial, sizeof serial) != 1) return failed("cannot make a serial number");
  serial[0] &= 0x7f;
  BIGNUM* number = BN_bin2bn(serial, sizeof serial, nullptr);
  BN_to_ASN1_INTEGER(number, X509_get_serialNumber(cert.get()));
  BN_free(number);
  const auto epoch = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  time_t from = epoch - std::chrono::seconds(kBackdate).count();
  time_t until = epoch + std::chrono::seconds(request.lifetime).count();
  const bool ok = X509_set_version(cert.get(), X509_VERSION_3) == 1 &&
                  ASN1_TIME_adj(X509_getm_notBefore(cert.get()), from, 0, 0) != nullptr &&
                  ASN1_TIME_adj(X509_getm_notAfter(cert.get()), until, 0, 0) != nullptr &&
                  X509_set_pubkey(cert.get(), key) == 1 && addSubject(X509_get_subject_name(cert.get()), request) &&
                  X509_set_issuer_name(cert.get(), X509_get_subject_name(signer)) == 1 &&
                  addExtensions(cert.get(), signer, request) &&
                  X509_sign(cert.get(), issuerKey ? issuerKey.get() : key, EVP_sha256()) > 0;
  const ssl::Bio text(BIO_new(BIO_s_mem()));
  if (!ok || PEM_write_bio_X509(text.get(), cert.get()) != 1)
    return failed("cannot make a certificate for " + request.commonName);
  return textOf(text.get());
}

}  // namespace

Result<KeyPair> makeCertificate(const CertificateRequest& request, const KeyPair* authority, Time now) {
  const ssl::Key key(EVP_EC_gen("P-256"));
  STEER_TRY(auto certificate, certificateFor(request, key.get(), authority, now));
  const ssl::Bio text(BIO_new(BIO_s_mem()));
  if (PEM_write_bio_PrivateKey(text.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) != 1)
    return failed("cannot write a key");
  return KeyPair{std::move(certificate), textOf(text.get())};
}

Result<std::string> certifyKey(const CertificateRequest& request, const std::string& publicKeyPem,
                               const KeyPair& authority, Time now) {
  const auto bio = ssl::readBio(publicKeyPem);
  const ssl::Key key(PEM_read_bio_PUBKEY(bio.get(), nullptr, nullptr, nullptr));
  if (!key) {
    ERR_clear_error();
    return makeError(Errc::invalid, "this is not a public key in PEM form");
  }
  return certificateFor(request, key.get(), &authority, now);
}

bool stillServes(const KeyPair& pair, const KeyPair& authority, const std::vector<std::string>& names, Time now) {
  const auto cert = readCertificate(pair.certificatePem);
  const auto key = readKey(pair.keyPem);
  const auto issuer = readCertificate(authority.certificatePem);
  const bool fits = cert && key && issuer && X509_check_private_key(cert.get(), key.get()) == 1 &&
                    X509_verify(cert.get(), X509_get0_pubkey(issuer.get())) == 1 &&
                    namesOf(cert.get()) == comparable(names);
  ERR_clear_error();
  if (!fits) return false;
  int lifeDays = 0, lifeSeconds = 0;
  ASN1_TIME_diff(&lifeDays, &lifeSeconds, X509_get0_notBefore(cert.get()), X509_get0_notAfter(cert.get()));
  const auto spare = std::min<time_t>(30 * 86400, (static_cast<time_t>(lifeDays) * 86400 + lifeSeconds) / 3);
  const auto epoch = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
  time_t current = epoch, later = epoch + spare;
  return X509_cmp_time(X509_get0_notBefore(cert.get()), &current) < 0 &&
         X509_cmp_time(X509_get0_notAfter(cert.get()), &later) > 0;
}

std::string sha256Hex(std::string_view bytes) {
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  EVP_Digest(bytes.data(), bytes.size(), digest, &size, EVP_sha256(), nullptr);
  return toHex(digest, size);
}

std::string randomHex(std::size_t bytes) {
  std::string raw(bytes, '\0');
  // Without randomness no secret can be made, and nothing sensible can go on.
  if (RAND_bytes(reinterpret_cast<unsigned char*>(raw.data()), static_cast<int>(bytes)) != 1) std::terminate();
  return toHex(reinterpret_cast<const unsigned char*>(raw.data()), bytes);
}

}  // namespace steer
