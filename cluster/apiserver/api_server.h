#pragma once
// ApiServer: the one door to the store. Every write, whatever its entrance (HTTP, in process,
// batch), goes one way: resolve, decode, authorise, admit, validate, commit, answer.
// Thread rule: thread-safe. Failure rule: an error means that nothing was written; a write that
// returned is durable.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "cluster/apiserver/admission/disabled_admission.h"
#include "cluster/apiserver/admission/pod_security.h"
#include "cluster/apiserver/node_gateway.h"
#include "cluster/apiserver/token_keys.h"
#include "cluster/client/client.h"
#include "cluster/store/store.h"
#include "core/clock.h"
#include "core/random.h"
#include "core/snapshot.h"
#include "core/write.h"
#include "net/http/message.h"

namespace steer {

struct ApiServerOptions {
  std::string serviceCidr = "10.96.0.0/16";
  int nodePortMin = 30000;
  int nodePortMax = 32767;
  std::string advertiseAddress{};  ///< where pods and nodes reach this server; empty = nowhere
  int advertisePort = 6443;
  std::string caPem{};  ///< the cluster's CA certificate, for GET /cacert; empty = none
  /// What namespaces enforce whose labels say nothing.
  PodSecurityLevel podSecurityDefault = PodSecurityLevel::privileged;
  DisabledAdmission disabledAdmission{};
  /// Repositories of this machine that anybody may name (core/source_address.h); others only who holds all rights.
  std::vector<std::string> allowedSources{};
  std::shared_ptr<const TokenKeys> tokenKeys{};  ///< signs service accounts' tokens; null = none are given
};

class ApiServer final : public Handler {
 public:
  /// Makes the standing namespaces and the `kubernetes` service when they are not there.
  ApiServer(Store& store, const Clock& clock, Random& random, ApiServerOptions options, NodeGateway* nodes = nullptr);
  ~ApiServer() override;

  Response handle(const Request& request) override;
  HeadVerdict judge(const Request& head) override;
  Response refuse(const Error& error) override;

  /// The object after the write; for a removal its last state; for a binding the bound pod.
  Result<ObjectPtr> execute(const Write& write, const Identity& identity);
  /// As few transactions as possible (one, as a rule). One result per write.
  std::vector<Result<ObjectPtr>> executeBatch(std::vector<Write> writes, const BatchOptions& options,
                                              const Identity& identity);

  Result<ObjectPtr> get(const ObjectRef& ref, const Identity& identity) const;
  Result<ObjectList> list(const std::string& resource, const ListOptions& options, const Identity& identity);
  /// fromRevision 0: the present objects first, as additions.
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options,
                                       std::uint64_t fromRevision, Waker waker, const Identity& identity);
  Result<Observation> observe(const ObserveRequest& request, const Identity& identity) const;
  Snapshot snapshot() const;
  /// Who shows this service account's token. Errors: unauthorized.
  Result<Identity> identify(const std::string& token) const;

 private:
  struct Rooms;
  std::unique_ptr<Rooms> rooms_;
};

}  // namespace steer
