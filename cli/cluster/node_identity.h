#pragma once
// NodeIdentity: the certificates by which a node proves who it is, when it asks and when it is asked. Their keys are
// made here and never leave; a token that lets machines join is shown once, to ask for the first, and they renew
// themselves. Kept in DIR/pki (0700): ca.crt, node.crt, node.key, serving.crt, serving.key. Thread rule: one owner; the
// client's certificate is shared. Failure rule: errors say what the server answered; a certificate that still serves is
// kept.
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
    std::string address{};  ///< where the node's agent listens; empty: it serves nothing
  };

  /// What is there already, or a certificate that is asked for by the token. Errors: unavailable and timeout are worth
  /// another try; notFound: the request is not answered yet.
  static Result<NodeIdentity> open(Options options, Time now);

  const std::string& caPem() const { return caPem_; }
  const std::shared_ptr<ClientCertificate>& certificate() const { return certificate_; }
  /// Empty until the cluster has signed it.
  const std::shared_ptr<ClientCertificate>& serving() const { return serving_; }
  /// Asks for another certificate when less than a third of the life of this one is left.
  Result<void> renewWhenDue(Time now);
  /// The same for the serving certificate, which also changes with the address. The Node must be there.
  Result<void> renewServingWhenDue(Time now);

 private:
  explicit NodeIdentity(Options options) : options_(std::move(options)) {}
  Result<void> readAuthority();
  struct Wanted;
  Result<void> request(Client& client, const Wanted& wanted);
  Result<std::unique_ptr<Client>> asItself() const;
  Wanted forAsking() const;
  Wanted forServing() const;
  std::string file(const char* name) const { return options_.dir + "/pki/" + name; }

  Options options_;
  std::string caPem_;
  std::shared_ptr<ClientCertificate> certificate_ = std::make_shared<ClientCertificate>();
  std::shared_ptr<ClientCertificate> serving_ = std::make_shared<ClientCertificate>();
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
