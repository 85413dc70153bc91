#pragma once
// NodeCertificates: answers the requests of nodes for their certificates, as Kubernetes' approver and signer of
// kubernetes.io/kube-apiserver-client-kubelet do, and its signer of kubernetes.io/kubelet-serving, whose requests are
// approved here for exactly the name and the addresses of the node that asks. It keeps a fresh token for joining
// machines. Thread rule: as Loop. Failure rule: what cannot be written is tried again.
#include <functional>
#include <string>

#include "cluster/apiserver/transport/pki.h"
#include "cluster/apiserver/transport/signing_request.h"
#include "cluster/client/informer.h"
#include "core/loop.h"

namespace steer::cli {

/// Why a request is not granted. Pure. `final`: it never will be; else it may be asked again.
struct Verdict {
  std::string why;  ///< empty: it is granted
  bool final = true;
};
/// node: the Node of the name that is asked for; null when there is none.
Verdict judgeNodeRequest(const Object& request, const Result<AskedCertificate>& asked, const Object* node);

class NodeCertificates final : public Loop {
 public:
  using RenewToken = std::function<void()>;
  NodeCertificates(Client& client, const Pki& pki, RenewToken renewToken)
      : client_(client), pki_(pki), renewToken_(std::move(renewToken)), informer_(client, sources(), wakerForMe()) {}
  std::string_view name() const override { return "node certificates"; }
  Next step(Time now) override;

 private:
  static std::vector<Informer::Source> sources();
  /// Whether it is to be looked at again soon.
  bool answer(const Object& request, Time now);

  Client& client_;
  const Pki& pki_;
  RenewToken renewToken_;
  Informer informer_;
  Time tokenDue_{};
};

}  // namespace steer::cli
