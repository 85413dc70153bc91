#pragma once
// Informer: keeps a Snapshot of some resources current by list and watch, and tells what changed.
// Re-lists by itself after a compaction or a lost connection. Lists run on the executor, where there is one: then
// pump() never blocks, also when a server takes the question and never answers. Thread rule: one owner.
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "cluster/client/client.h"
#include "core/executor.h"
#include "core/snapshot.h"

namespace steer {

class Informer {
 public:
  struct Source {
    std::string resource;
    ListOptions options{};
  };
  /// before/after as in Controller::keysFor.
  using OnChange = std::function<void(const std::string& resource, const ObjectPtr& before, const ObjectPtr& after)>;

  /// executor: null = lists block pump(). Client and executor must outlive this. indexes: what snapshot() is asked.
  Informer(Client& client, std::vector<Source> sources, Waker waker, Executor* executor = nullptr,
           Snapshot::Indexes indexes = Snapshot::Indexes::kept);
  ~Informer();  ///< waits for a list under way

  /// Takes in what arrived (at most maxEvents), calling onChange for each. Returns true when more
  /// may be waiting. Failed lists are retried by later calls with back-off; see retryAt().
  bool pump(Time now, const OnChange& onChange, std::size_t maxEvents = 10'000);
  /// Every source has been listed at least once.
  bool synced() const;
  std::optional<Time> retryAt() const;
  const Snapshot& snapshot() const { return snapshot_; }
  /// The revision up to which every source has been seen.
  std::uint64_t seenRevision() const;

 private:
  struct Feed;
  struct Listed;
  struct Lists;
  static Result<Listed> fetch(Client& client, const Source& source, const Waker& waker);
  void collect(Feed& feed, Time now, const OnChange& onChange);
  void takeList(Feed& feed, Result<Listed> list, Time now, const OnChange& onChange);
  void relist(Feed& feed, Time now, const OnChange& onChange);
  void retryLater(Feed& feed, Time now);
  void take(Feed& feed, const ObjectPtr& object, const OnChange& onChange);
  void drop(Feed& feed, const std::string& ns, const std::string& name, const OnChange& onChange);
  void advance(Feed& feed, std::uint64_t revision);
  std::vector<std::unique_ptr<Feed>> feeds_;
  Client& client_;
  Waker waker_;
  Executor* executor_;
  std::shared_ptr<Lists> lists_;
  Snapshot snapshot_;
};

}  // namespace steer
