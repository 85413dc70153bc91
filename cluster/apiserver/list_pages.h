#pragma once
// ListPages: lists in pages that all show the same revision. The snapshots behind open pages are
// kept for some minutes, a bounded number of them; a token older than that is answered with
// Errc::gone and a fresh token that goes on at the present revision.
// Thread rule: thread-safe.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "cluster/apiserver/selection.h"
#include "core/clock.h"
#include "core/snapshot.h"
#include "core/sync.h"

namespace steer {

struct Page {
  std::vector<ObjectPtr> items;
  std::uint64_t revision = 0;
  std::string continueToken{};
  std::optional<std::uint64_t> remaining{};  ///< known only without selectors
};

class ListPages {
 public:
  explicit ListPages(const Clock& clock) : clock_(clock) {}

  /// `limit` 0 = everything. Errors: gone (the message ends with nothing secret; the fresh token is
  /// the cause of reason "Continue"), badRequest for a token that is none.
  Result<Page> read(const Snapshot& now, const Selection& selection, std::uint64_t limit, const std::string& token);
  /// The state at an earlier revision, if an open list still holds it.
  std::optional<Snapshot> at(std::uint64_t revision);

 private:
  struct Kept {
    Snapshot snapshot;
    Time until;
  };
  void keep(const Snapshot& snapshot);

  const Clock& clock_;
  Sync<std::map<std::uint64_t, Kept>> kept_;
};

/// The fresh token inside a gone error of ListPages; empty when there is none.
std::string freshToken(const Error& error);

}  // namespace steer
