#include "cluster/apiserver/transport/signing_request.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <algorithm>

#include "core/base64.h"
#include "core/ip_address.h"
#include "net/http/openssl.h"

namespace steer {
namespace {

using Request = std::unique_ptr<X509_REQ, decltype([](X509_REQ* r) { X509_REQ_free(r); })>;

std::string textOf(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

Request readRequest(const std::string& pem) {
  const auto bio = ssl::readBio(pem);
  return Request(PEM_read_bio_X509_REQ(bio.get(), nullptr, nullptr, nullptr));
}

bool addName(X509_NAME* subject, const char* field, const std::string& text) {
  return X509_NAME_add_entry_by_txt(subject, field, MBSTRING_UTF8, reinterpret_cast<const unsigned char*>(text.data()),
                                    static_cast<int>(text.size()), -1, 0) == 1;
}

std::vector<std::string> entriesOf(X509_NAME* subject, int nid) {
  std::vector<std::string> out;
  for (int at = X509_NAME_get_index_by_NID(subject, nid, -1); at >= 0;
       at = X509_NAME_get_index_by_NID(subject, nid, at)) {
    unsigned char* text = nullptr;
    const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
    if (size < 0) continue;
    out.emplace_back(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
    OPENSSL_free(text);
  }
  return out;
}

using Extensions =
    std::unique_ptr<STACK_OF(X509_EXTENSION),
                    decltype([](STACK_OF(X509_EXTENSION) * e) { sk_X509_EXTENSION_pop_free(e, X509_EXTENSION_free); })>;
using Names = std::unique_ptr<GENERAL_NAMES, decltype([](GENERAL_NAMES* n) { GENERAL_NAMES_free(n); })>;

std::string addressText(const unsigned char* bytes, int size) {
  char text[INET6_ADDRSTRLEN] = {};
  const int family = size == 4 ? AF_INET : size == 16 ? AF_INET6 : 0;
  return family == 0 || inet_ntop(family, bytes, text, sizeof text) == nullptr ? "" : text;
}

void readNames(X509_REQ* request, AskedCertificate& out) {
  const Extensions extensions(X509_REQ_get_extensions(request));
  if (!extensions || X509v3_get_ext_by_NID(extensions.get(), NID_subject_alt_name, -1) < 0) return;
  out.names = true;
  const Names names(
      static_cast<GENERAL_NAMES*>(X509V3_get_d2i(extensions.get(), NID_subject_alt_name, nullptr, nullptr)));
  out.otherNames = !names;
  for (int i = 0; names && i < sk_GENERAL_NAME_num(names.get()); ++i) {
    const auto* name = sk_GENERAL_NAME_value(names.get(), i);
    const auto* bytes = name->type == GEN_DNS ? name->d.dNSName : name->type == GEN_IPADD ? name->d.iPAddress : nullptr;
    if (bytes == nullptr) {
      out.otherNames = true;
      continue;
    }
    const auto* data = ASN1_STRING_get0_data(bytes);
    const int size = ASN1_STRING_length(bytes);
    if (name->type == GEN_IPADD) out.addresses.push_back(addressText(data, size));
    else out.hosts.emplace_back(reinterpret_cast<const char*>(data), static_cast<std::size_t>(size));
  }
}

bool addNames(X509_REQ* request, const std::vector<std::string>& names) {
  if (names.empty()) return true;
  std::string text;
  for (const auto& name : names)
    text += (text.empty() ? "" : ",") + std::string(isIpAddress(name) ? "IP:" : "DNS:") + name;
  const Extensions extensions(sk_X509_EXTENSION_new_null());
  auto* extension = X509V3_EXT_conf_nid(nullptr, nullptr, NID_subject_alt_name, text.c_str());
  if (!extensions || extension == nullptr) return false;
  sk_X509_EXTENSION_push(extensions.get(), extension);
  return X509_REQ_add_extensions(request, extensions.get()) == 1;
}

}  // namespace

Result<SigningRequest> makeSigningRequest(const std::string& commonName, const std::vector<std::string>& organizations,
                                          const std::vector<std::string>& names) {
  const ssl::Key key(EVP_EC_gen("P-256"));
  const Request request(X509_REQ_new());
  bool ok = key && request && X509_REQ_set_version(request.get(), X509_REQ_VERSION_1) == 1 &&
            X509_REQ_set_pubkey(request.get(), key.get()) == 1;
  auto* subject = ok ? X509_REQ_get_subject_name(request.get()) : nullptr;
  for (const auto& organization : organizations) ok = ok && addName(subject, "O", organization);
  ok = ok && addName(subject, "CN", commonName) && addNames(request.get(), names) &&
       X509_REQ_sign(request.get(), key.get(), EVP_sha256()) > 0;
  const ssl::Bio requestText(BIO_new(BIO_s_mem())), keyText(BIO_new(BIO_s_mem()));
  ok = ok && PEM_write_bio_X509_REQ(requestText.get(), request.get()) == 1 &&
       PEM_write_bio_PrivateKey(keyText.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr) == 1;
  if (!ok) return makeError(Errc::internal, "cannot make a request for a certificate: " + ssl::lastError());
  return SigningRequest{textOf(requestText.get()), textOf(keyText.get())};
}

Result<AskedCertificate> readSigningRequest(const std::string& requestPem) {
  const auto request = readRequest(requestPem);
  auto* key = request ? X509_REQ_get0_pubkey(request.get()) : nullptr;
  const bool fits = key != nullptr && X509_REQ_verify(request.get(), key) == 1;
  ERR_clear_error();
  if (!fits) return makeError(Errc::invalid, "this is no request for a certificate, signed by its own key");
  auto* subject = X509_REQ_get_subject_name(request.get());
  AskedCertificate out;
  const auto names = entriesOf(subject, NID_commonName);
  if (names.size() != 1) return makeError(Errc::invalid, "the subject has not one common name");
  out.commonName = names.front();
  out.organizations = entriesOf(subject, NID_organizationName);
  readNames(request.get(), out);
  return out;
}

Result<std::string> certifyRequest(const std::string& requestPem, const CertificateRequest& subject,
                                   const KeyPair& authority, Time now) {
  const auto request = readRequest(requestPem);
  auto* key = request ? X509_REQ_get0_pubkey(request.get()) : nullptr;
  const ssl::Bio keyText(BIO_new(BIO_s_mem()));
  if (key == nullptr || PEM_write_bio_PUBKEY(keyText.get(), key) != 1) {
    ERR_clear_error();
    return makeError(Errc::invalid, "this is no request for a certificate");
  }
  return certifyKey(subject, textOf(keyText.get()), authority, now);
}

std::string pemToBase64(const std::string& text) { return toBase64(text); }

Result<std::string> pemFromBase64(std::string_view text) {
  auto out = fromBase64(text);
  if (!out) return makeError(Errc::invalid, "not base64");
  return std::move(*out);
}

}  // namespace steer
