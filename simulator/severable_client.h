#pragma once
// SeverableClient: a client whose server can go away and come back. While it is away every call
// answers Errc::unavailable and every watch is closed, as over a broken connection.
// Thread rule: single-threaded (simulator).
#include <list>
#include <memory>

#include "cluster/client/client.h"

namespace steer {

class SeverableClient final : public Client {
 public:
  SeverableClient();
  ~SeverableClient() override;
  /// The server is there; null = it is gone, open watches close at once.
  void connect(std::unique_ptr<Client> inner);

  Result<ObjectPtr> get(const ObjectRef& ref) override;
  Result<ObjectList> list(const std::string& resource, const ListOptions& options) override;
  Result<std::unique_ptr<Watch>> watch(const std::string& resource, const ListOptions& options,
                                       std::uint64_t fromRevision, Waker waker) override;
  Result<ObjectPtr> write(const Write& write) override;
  std::vector<Result<ObjectPtr>> batch(std::vector<Write> writes, const BatchOptions& options) override;
  Result<Observation> observe(const ObserveRequest& request) override;

 private:
  struct Line;  ///< one watch's connection, shared with the SeveredWatch that reads it
  class LineWatch;
  std::unique_ptr<Client> inner_;
  std::list<std::weak_ptr<Line>> lines_;
};

}  // namespace steer
