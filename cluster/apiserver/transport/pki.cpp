#include "cluster/apiserver/transport/pki.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>

#include "cluster/apiserver/transport/signing_request.h"
#include "cluster/client/ca_pin.h"
#include "core/base64.h"
#include "core/private_file.h"

namespace steer {
namespace {

std::optional<std::string> readFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return std::nullopt;
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

Error ioError(const std::string& what, const std::string& path) {
  return makeError(Errc::io, "cannot " + what + " " + path + ": " + std::strerror(errno));
}

/// File names from user names: "system:node:n1" becomes "system_node_n1".
std::string fileName(std::string user) {
  for (auto& c : user)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '.') c = '_';
  return user;
}

}  // namespace

Result<Pki> Pki::open(const std::string& dataDir, const Clock& clock) {
  Pki pki(dataDir + "/pki", clock);
  if (::mkdir(pki.dir_.c_str(), 0700) != 0 && errno != EEXIST) return ioError("make", pki.dir_);
  const auto cert = readFile(pki.dir_ + "/ca.crt"), key = readFile(pki.dir_ + "/ca.key");
  if (cert && key) {
    pki.ca_ = {*cert, *key};
  } else if (cert || key) {
    return makeError(Errc::io, "only one of ca.crt and ca.key is in " + pki.dir_ +
                                   ": restore the other, or remove both (every kubeconfig and token ends then)");
  } else {
    CertificateRequest request;
    request.commonName = "steersman-ca-" + randomHex(4);
    request.use = CertificateRequest::Use::authority;
    request.lifetime = std::chrono::hours(24 * 365 * 20);
    STEER_TRY(pki.ca_, makeCertificate(request, nullptr, clock.now()));
    STEER_CHECK(writePrivateFile(pki.dir_ + "/ca.key", pki.ca_.keyPem));
    STEER_CHECK(writePrivateFile(pki.dir_ + "/ca.crt", pki.ca_.certificatePem));
  }
  auto hash = certificateHash(pki.ca_.certificatePem);
  if (!hash.ok()) return makeError(Errc::io, pki.dir_ + "/ca.crt: " + hash.error().message);
  pki.caHash_ = *hash;
  return pki;
}

Result<KeyPair> Pki::pairOf(const std::string& file, const CertificateRequest& request) const {
  const std::string certPath = dir_ + "/" + file + ".crt", keyPath = dir_ + "/" + file + ".key";
  const auto cert = readFile(certPath), key = readFile(keyPath);
  if (cert && key) {
    KeyPair pair{*cert, *key};
    if (stillServes(pair, ca_, request.names, clock_->now())) return pair;
  }
  STEER_TRY(auto pair, makeCertificate(request, &ca_, clock_->now()));
  STEER_CHECK(writePrivateFile(keyPath, pair.keyPem));
  STEER_CHECK(writePrivateFile(certPath, pair.certificatePem));
  return pair;
}

Result<KeyPair> Pki::server(const std::vector<std::string>& names) const {
  CertificateRequest request;
  request.commonName = "steersman";
  request.names = names;
  request.use = CertificateRequest::Use::server;
  return pairOf("server", request);
}

Result<KeyPair> Pki::client(const std::string& user, const std::vector<std::string>& groups) const {
  CertificateRequest request;
  request.commonName = user;
  request.organizations = groups;
  std::string all = user;
  for (const auto& group : groups) all += '\n' + group;
  return pairOf("client-" + fileName(user) + "-" + sha256Hex(all).substr(0, 8), request);
}

Result<std::string> Pki::certify(const std::string& requestPem, const CertificateRequest& subject) const {
  return certifyRequest(requestPem, subject, ca_, clock_->now());
}

Result<std::string> Pki::accountKey(const std::function<Result<std::string>()>& make) const {
  const std::string path = dir_ + "/sa.key";
  if (auto key = readFile(path)) return *std::move(key);
  STEER_TRY(auto key, make());
  STEER_CHECK(writePrivateFile(path, key));
  return key;
}

std::string kubeconfigText(const std::string& serverUrl, const std::string& caPem, const std::string& user,
                           const KeyPair& credentials) {
  return "apiVersion: v1\n"
         "kind: Config\n"
         "clusters:\n"
         "- name: steersman\n"
         "  cluster:\n"
         "    server: " +
         serverUrl +
         "\n"
         "    certificate-authority-data: " +
         toBase64(caPem) +
         "\n"
         "users:\n"
         "- name: " +
         user +
         "\n"
         "  user:\n"
         "    client-certificate-data: " +
         toBase64(credentials.certificatePem) +
         "\n"
         "    client-key-data: " +
         toBase64(credentials.keyPem) +
         "\n"
         "contexts:\n"
         "- name: steersman\n"
         "  context:\n"
         "    cluster: steersman\n"
         "    user: " +
         user +
         "\n"
         "current-context: steersman\n";
}

}  // namespace steer
