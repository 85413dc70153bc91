#include "cluster/apiserver/in_process_client.h"

#include <utility>

namespace steer {
namespace {

class InProcessClient final : public Client {
 public:
  InProcessClient(ApiServer& server, Identity identity) : server_(server), identity_(std::move(identity)) {}

  Result<ObjectPtr> get(const ObjectRef& ref) override { return server_.get(ref, identity_); }
  Result<ObjectList> list(const std::string& resource, const ListOptions& options) override {
    return server_.list(resource, options, identity_);
  }
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options,
                                       std::uint64_t fromRevision, Waker waker) override {
    return server_.watch(resource, options, fromRevision, std::move(waker), identity_);
  }
  Result<ObjectPtr> write(const Write& write) override { return server_.execute(named(write), identity_); }
  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) override {
    for (auto& write : writes)
      if (write.fieldManager.empty()) write.fieldManager = identity_.user;
    return server_.executeBatch(std::move(writes), options, identity_);
  }

  Result<Observation> observe(const ObserveRequest& request) override { return server_.observe(request, identity_); }

 private:
  /// A writer that does not say who it is, is who it is: managedFields name it.
  Write named(Write write) const {
    if (write.fieldManager.empty()) write.fieldManager = identity_.user;
    return write;
  }

  ApiServer& server_;
  Identity identity_;
};

}  // namespace

Identity systemIdentity(std::string user) { return {std::move(user), {"system:masters", "system:authenticated"}}; }

std::unique_ptr<Client> makeInProcessClient(ApiServer& server, Identity identity) {
  return std::make_unique<InProcessClient>(server, std::move(identity));
}

}  // namespace steer
