#pragma once
// SelectedWatch: the store's events of a collection as a selection sees them: an object that
// leaves the selection is deleted for its watchers, one that enters it is added.
// Thread rule: one owner; the waker may be called from any thread.
#include <deque>
#include <memory>

#include "cluster/apiserver/selection.h"
#include "cluster/client/client.h"
#include "cluster/store/store.h"

namespace steer {

class SelectedWatch final : public Watch {
 public:
  /// `initial`: what to report as added before anything else.
  SelectedWatch(Selection selection, std::unique_ptr<StoreWatch> source, std::deque<WatchEvent> initial)
      : selection_(std::move(selection)), source_(std::move(source)), initial_(std::move(initial)) {}

  std::optional<WatchEvent> poll() override;
  bool closed() const override { return closed_; }
  /// Everything up to this revision has been delivered or was of no concern.
  std::uint64_t progress() const { return source_->progress(); }
  bool initialDone() const { return initial_.empty(); }

 private:
  std::optional<WatchEvent> seen(const StoreEvent& event) const;

  Selection selection_;
  std::unique_ptr<StoreWatch> source_;
  std::deque<WatchEvent> initial_;
  bool closed_ = false;
};

}  // namespace steer
