#include "cli/cluster/node_identity.h"

#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <thread>

#include "cli/cluster/data_dir.h"
#include "cluster/apiserver/transport/certificate.h"
#include "cluster/apiserver/transport/signing_request.h"
#include "cluster/client/ca_pin.h"
#include "cluster/client/join_token.h"
#include "core/log.h"
#include "core/write.h"

namespace steer::cli {
namespace {

constexpr const char* kRequests = "certificatesigningrequests.certificates.k8s.io";
constexpr Duration kLook = minutes(10);
constexpr Duration kAgain = minutes(1);
constexpr int kLooks = 40;  ///< at an unanswered request, a quarter of a second apart

json::object requestBody(const std::string& name, const std::string& requestPem, const char* signer, const char* use) {
  return {{"apiVersion", "certificates.k8s.io/v1"},
          {"kind", "CertificateSigningRequest"},
          {"metadata", json::object{{"name", name}}},
          {"spec", json::object{{"request", pemToBase64(requestPem)},
                                {"signerName", signer},
                                {"usages", json::array{"digital signature", "key encipherment", use}}}}};
}

std::string denialOf(const Object& request) {
  for (const auto& condition : arrayAt(request.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "Denied") return std::string(stringAt(condition, {"message"}));
  return "";
}

}  // namespace

/// One kind of certificate: who signs it, what for, and where it is kept.
struct NodeIdentity::Wanted {
  const char* signer;
  const char* use;
  std::string file;  ///< ".crt" and ".key" are added
  std::shared_ptr<ClientCertificate> place;
  std::vector<std::string> names{};
};

NodeIdentity::Wanted NodeIdentity::forAsking() const {
  return {"kubernetes.io/kube-apiserver-client-kubelet", "client auth", "node", certificate_};
}

NodeIdentity::Wanted NodeIdentity::forServing() const {
  return {"kubernetes.io/kubelet-serving", "server auth", "serving", serving_, {options_.nodeName, options_.address}};
}

Result<void> NodeIdentity::readAuthority() {
  const auto known = readFile(file("ca.crt"));
  const auto token = JoinToken::parse(options_.token);
  if (known.ok()) {
    const auto hash = certificateHash(*known);
    // A token of another authority: the cluster was made anew.
    if (hash.ok() && (!token.ok() || token->caHash == *hash)) {
      caPem_ = *known;
      return {};
    }
  }
  if (options_.token.empty())
    return makeError(Errc::badRequest,
                     "a join token is needed: --token-file FILE, or STEER_TOKEN in the environment (the "
                     "server writes DATA-DIR/agent-token)");
  if (!token.ok()) return token.error();
  STEER_TRY(caPem_, fetchPinnedCa(options_.server, options_.token));
  return writeFileAtomically(file("ca.crt"), caPem_);
}

Result<NodeIdentity> NodeIdentity::open(Options options, Time now) {
  NodeIdentity out(std::move(options));
  std::error_code ec;
  std::filesystem::create_directories(out.options_.dir + "/pki", ec);
  if (ec) return makeError(Errc::io, "cannot make " + out.options_.dir + "/pki: " + ec.message());
  std::filesystem::permissions(out.options_.dir + "/pki", std::filesystem::perms::owner_all, ec);
  STEER_CHECK(out.readAuthority());
  if (const auto serving = readFile(out.file("serving.crt")), own = readFile(out.file("serving.key"));
      serving.ok() && own.ok())
    out.serving_->set({*serving, *own});
  const auto certificate = readFile(out.file("node.crt")), key = readFile(out.file("node.key"));
  if (certificate.ok() && key.ok()) {
    out.certificate_->set({*certificate, *key});
    if (stillServes({*certificate, *key}, {out.caPem_, ""}, {}, now)) return out;
    // It may still be good enough to ask for the next one.
    if (out.renewWhenDue(now).ok()) return out;
    out.certificate_->set({});
  }
  if (out.options_.token.empty())
    return makeError(Errc::badRequest,
                     "the node's certificate does not serve any more, and no join token is given: "
                     "--token-file FILE, or STEER_TOKEN in the environment");
  STEER_TRY(
      const auto client,
      makeHttpClient(
          {.server = out.options_.server, .caPem = out.caPem_, .token = out.options_.token, .silence = seconds(10)}));
  STEER_CHECK(out.request(*client, out.forAsking()));
  return out;
}

Result<void> NodeIdentity::request(Client& client, const Wanted& wanted) {
  STEER_TRY(const auto asked, makeSigningRequest("system:node:" + options_.nodeName, {"system:nodes"}, wanted.names));
  const std::string name = wanted.file + "-" + options_.nodeName + "-" + randomHex(6);
  const auto made =
      client.write(Write::create(kRequests, requestBody(name, asked.requestPem, wanted.signer, wanted.use)));
  if (!made.ok()) return made.error();
  for (int i = 0; i < kLooks; ++i) {
    STEER_TRY(const auto seen, client.get({kRequests, "", name}));
    if (const auto why = denialOf(*seen); !why.empty())
      return makeError(Errc::forbidden, "the server does not sign this node's certificate: " + why);
    const auto text = stringAt(seen->status(), {"certificate"});
    if (text.empty()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(250));
      continue;
    }
    STEER_TRY(const auto pem, pemFromBase64(text));
    STEER_CHECK(writeFileAtomically(options_.dir + "/pki/" + wanted.file + ".key", asked.keyPem));
    STEER_CHECK(writeFileAtomically(options_.dir + "/pki/" + wanted.file + ".crt", pem));
    wanted.place->set({pem, asked.keyPem});
    return {};
  }
  return makeError(Errc::timeout,
                   "the server has not signed this node's certificate yet (is another node of this name "
                   "there and ready?)");
}

Result<std::unique_ptr<Client>> NodeIdentity::asItself() const {
  const auto pair = certificate_->get();
  return makeHttpClient({.server = options_.server,
                         .caPem = caPem_,
                         .clientCertificatePem = pair.certificatePem,
                         .clientKeyPem = pair.keyPem,
                         .silence = seconds(10)});
}

Result<void> NodeIdentity::renewWhenDue(Time now) {
  const auto pair = certificate_->get();
  if (stillServes({pair.certificatePem, pair.keyPem}, {caPem_, ""}, {}, now)) return {};
  STEER_TRY(const auto client, asItself());
  return request(*client, forAsking());
}

Result<void> NodeIdentity::renewServingWhenDue(Time now) {
  if (options_.address.empty()) return {};
  const auto wanted = forServing();
  const auto pair = serving_->get();
  if (stillServes({pair.certificatePem, pair.keyPem}, {caPem_, ""}, wanted.names, now)) return {};
  STEER_TRY(const auto client, asItself());
  return request(*client, wanted);
}

Loop::Next NodeIdentityLoop::step(Time now) {
  auto done = identity_.renewWhenDue(now);
  if (done.ok()) done = identity_.renewServingWhenDue(now);
  if (!done.ok()) log::warn("the node's certificates cannot be renewed", {{"error", done.error().message}});
  return {now + (done.ok() ? kLook : kAgain)};
}

}  // namespace steer::cli
