#pragma once
// NodeIdentity: the certificate by which a node proves who it is. Its key is made here and never leaves; a token that
// lets machines join is shown once, to ask for the certificate, and the certificate renews itself.
// Kept in DIR/pki (0700): ca.crt, node.crt, node.key. Thread rule: one owner; the client's certificate is shared.
// Failure rule: errors say what the server answered; a certificate that still serves is kept.
#include <memory>
#include <string>

#include "cluster/client/http_client.h"
#include "core/loop.h"

namespace steer::cli {

class NodeIdentity {
 public:
  struct Options {
    std::string server;
    std::string token;  ///< a join token; empty: only what is in `dir` counts
    std::string dir;
    std::string nodeName;
  };

  /// What is there already, or a certificate that is asked for by the token. Errors: unavailable and timeout are worth
  /// another try; notFound: the request is not answered yet.
  static Result<NodeIdentity> open(Options options, Time now);

  const std::string& caPem() const { return caPem_; }
  const std::shared_ptr<ClientCertificate>& certificate() const { return certificate_; }
  /// Asks for another certificate when less than a third of the life of this one is left.
  Result<void> renewWhenDue(Time now);

 private:
  explicit NodeIdentity(Options options) : options_(std::move(options)) {}
  Result<void> readAuthority();
  Result<void> request(Client& client);
  std::string file(const char* name) const { return options_.dir + "/pki/" + name; }

  Options options_;
  std::string caPem_;
  std::shared_ptr<ClientCertificate> certificate_ = std::make_shared<ClientCertificate>();
};

/// Looks every few minutes whether the certificate is due.
class NodeIdentityLoop final : public Loop {
 public:
  explicit NodeIdentityLoop(NodeIdentity identity) : identity_(std::move(identity)) {}
  std::string_view name() const override { return "node identity"; }
  Next step(Time now) override;

 private:
  NodeIdentity identity_;
};

}  // namespace steer::cli
