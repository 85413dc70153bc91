#pragma once
// LogReader: a container's CRI log as a stream of plain text, as `kubectl logs` wants it.
// Format (CRI): "<RFC 3339 nanoseconds> stdout|stderr F|P <text>"; P marks a part of a longer line.
// Thread rule: one reader; with follow a thread of its own looks for growth and calls the waker.
#include <filesystem>
#include <fstream>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/clock.h"
#include "net/http/message.h"

namespace steer {

struct LogReadOptions {
  bool follow = false;
  bool timestamps = false;
  std::optional<std::int64_t> tailLines{};
  std::optional<Time> since{};
  std::optional<std::int64_t> limitBytes{};
};

class LogReader final : public Stream {
 public:
  /// files: oldest first, as logFilesOf() lists them. stillRunning: with follow, whether more may be
  /// written; called from poll().
  LogReader(std::vector<std::filesystem::path> files, LogReadOptions options, std::function<bool()> stillRunning);
  ~LogReader() override;

  Chunk poll() override;
  void setWaker(Waker waker) override;

 private:
  struct Ticker;
  void skipToTail();
  /// Formats complete lines of the buffer into out; returns false when the byte limit is reached.
  bool format(std::string& out);
  bool readMore();
  bool openNext();
  bool rotatedAway();

  std::vector<std::filesystem::path> files_;
  LogReadOptions options_;
  std::function<bool()> stillRunning_;
  std::ifstream in_;
  std::size_t next_ = 0;     ///< index of the next file to open
  std::uint64_t inode_ = 0;  ///< of the open file
  std::string buffer_;       ///< bytes read and not yet formatted
  bool midLine_ = false;     ///< the last part written was a P part
  std::int64_t written_ = 0;
  std::unique_ptr<Ticker> ticker_;
};

}  // namespace steer
