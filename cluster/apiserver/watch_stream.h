#pragma once
// WatchStream: a watch over HTTP as lines of JSON or frames of protobuf: events as objects or table rows, bookmarks, an
// end in time. The transport polls it when the waker fires, and now and then for the clock.
// Thread rule: one reader; setWaker before the first poll.
#include <memory>
#include <mutex>
#include <string>

#include "cluster/apiserver/answers.h"
#include "cluster/apiserver/selected_watch.h"
#include "cluster/apiserver/shared_lines.h"
#include "cluster/apiserver/table.h"
#include "core/clock.h"

namespace steer {

/// Where a store's watch finds the waker that the transport brings later.
class WakerSlot {
 public:
  void set(Waker waker);
  void wake();

 private:
  std::mutex mutex_;
  Waker waker_;
};

struct WatchStreamOptions {
  std::shared_ptr<SharedLines> lines{};  ///< where whole objects are written once for all watches
  const KindSchema* kind = nullptr;
  Wanted wanted{};
  IncludeObject include = IncludeObject::metadata;
  bool bookmarks = false;
  bool markInitialEnd = false;  ///< sendInitialEvents: a bookmark says where the present ends
  Time end{};
};

class WatchStream final : public Stream {
 public:
  WatchStream(std::unique_ptr<SelectedWatch> watch, std::shared_ptr<WakerSlot> slot, const Clock& clock,
              WatchStreamOptions options);
  Chunk poll() override;
  void setWaker(Waker waker) override { slot_->set(std::move(waker)); }

 private:
  void tell(const WatchEvent& event, Chunk& out);
  std::string framed(std::string_view type, const json::object& object) const;
  json::object shaped(const ObjectPtr& object);
  std::string bookmark(bool initialEnd);

  std::unique_ptr<SelectedWatch> watch_;
  std::shared_ptr<WakerSlot> slot_;
  const Clock& clock_;
  WatchStreamOptions options_;
  Time nextBookmark_;
  std::uint64_t bookmarked_ = 0;
  bool columnsSent_ = false;
  bool ended_ = false;
};

/// A stream of one ERROR event.
std::unique_ptr<Stream> makeErrorStream(const Error& error, const Wanted& wanted = {});

}  // namespace steer
