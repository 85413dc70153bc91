#include "nodeagent/agent/log_reader.h"

#include <sys/stat.h>

#include <condition_variable>
#include <deque>

#include "core/barrier.h"
#include "core/rfc3339.h"

namespace steer {
namespace fs = std::filesystem;

namespace {

constexpr std::size_t kChunk = 64 * 1024;
constexpr auto kFollowEvery = milliseconds(100);

struct CriLine {
  std::string_view time;
  std::string_view text;
  bool partial = false;
};

std::optional<CriLine> parseLine(std::string_view line) {
  const auto afterTime = line.find(' ');
  if (afterTime == std::string_view::npos) return std::nullopt;
  const auto afterStream = line.find(' ', afterTime + 1);
  if (afterStream == std::string_view::npos) return std::nullopt;
  auto afterTag = line.find(' ', afterStream + 1);
  if (afterTag == std::string_view::npos) afterTag = line.size();
  CriLine out;
  out.time = line.substr(0, afterTime);
  out.partial = line.substr(afterStream + 1, afterTag - afterStream - 1).starts_with("P");
  out.text = afterTag < line.size() ? line.substr(afterTag + 1) : std::string_view{};
  return out;
}

std::uint64_t inodeOf(const fs::path& file) {
  struct stat st {};
  return ::stat(file.c_str(), &st) == 0 ? st.st_ino : 0;
}

/// Offsets at which the last n whole lines of a file begin (fewer when it has fewer).
std::deque<std::uint64_t> lastLines(const fs::path& file, std::size_t n) {
  std::deque<std::uint64_t> starts;
  std::ifstream in(file, std::ios::binary);
  std::string line;
  std::uint64_t offset = 0;
  bool fresh = true;
  while (std::getline(in, line)) {
    if (fresh) {
      starts.push_back(offset);
      if (starts.size() > n) starts.pop_front();
    }
    const auto parsed = parseLine(line);
    fresh = !parsed || !parsed->partial;
    offset += line.size() + 1;
  }
  return starts;
}

}  // namespace

/// Wakes the transport now and then, so that a followed log is looked at again.
struct LogReader::Ticker {
  explicit Ticker(Waker w)
      : waker(std::move(w)), thread([this] { barrier::keepRunning("the ticker of a log", [this] { run(); }); }) {}
  ~Ticker() {
    {
      std::lock_guard lock(mutex);
      stopping = true;
    }
    cv.notify_one();
    thread.join();
  }
  void run() {
    std::unique_lock lock(mutex);
    while (!cv.wait_for(lock, kFollowEvery, [this] { return stopping; })) {
      lock.unlock();
      waker();
      lock.lock();
    }
  }

  Waker waker;
  std::mutex mutex;
  std::condition_variable cv;
  bool stopping = false;
  std::thread thread;
};

LogReader::LogReader(std::vector<fs::path> files, LogReadOptions options, std::function<bool()> stillRunning)
    : files_(std::move(files)), options_(options), stillRunning_(std::move(stillRunning)) {
  if (options_.tailLines) skipToTail();
}

LogReader::~LogReader() = default;

void LogReader::setWaker(Waker waker) {
  if (options_.follow && waker) ticker_ = std::make_unique<Ticker>(std::move(waker));
}

void LogReader::skipToTail() {
  auto wanted = static_cast<std::size_t>(std::max<std::int64_t>(0, *options_.tailLines));
  std::size_t first = files_.size();
  std::uint64_t offset = 0;
  while (first > 0 && wanted > 0) {
    const auto starts = lastLines(files_[first - 1], wanted);
    --first;
    offset = starts.empty() ? 0 : starts.front();
    wanted -= starts.size();
  }
  next_ = first;
  if (wanted == 0 && *options_.tailLines == 0 && !files_.empty()) {
    // Nothing of what is there; only what comes.
    next_ = files_.size() - 1;
    std::error_code ec;
    offset = fs::file_size(files_.back(), ec);
  }
  if (next_ < files_.size() && openNext()) in_.seekg(static_cast<std::streamoff>(offset));
}

bool LogReader::openNext() {
  if (next_ >= files_.size()) return false;
  in_.close();
  in_.clear();
  in_.open(files_[next_], std::ios::binary);
  inode_ = inodeOf(files_[next_]);
  ++next_;
  return in_.is_open();
}

bool LogReader::rotatedAway() {
  if (files_.empty()) return false;
  const auto current = inodeOf(files_.back());
  return current != 0 && current != inode_;
}

bool LogReader::readMore() {
  for (;;) {
    if (in_.is_open()) {
      in_.clear();
      std::string block(kChunk, '\0');
      in_.read(block.data(), static_cast<std::streamsize>(block.size()));
      const auto got = in_.gcount();
      if (got > 0) {
        buffer_.append(block.data(), static_cast<std::size_t>(got));
        return true;
      }
    }
    if (next_ < files_.size()) {
      if (!openNext()) return false;
    } else if (options_.follow && rotatedAway()) {
      next_ = files_.size() - 1;
      if (!openNext()) return false;
    } else {
      return false;
    }
  }
}

bool LogReader::format(std::string& out) {
  std::size_t from = 0;
  bool room = true;
  for (std::size_t end; room && (end = buffer_.find('\n', from)) != std::string::npos; from = end + 1) {
    const auto line = parseLine(std::string_view(buffer_).substr(from, end - from));
    if (!line) continue;
    if (options_.since && !midLine_) {
      const auto when = parseTime(line->time);
      if (when && *when < *options_.since) continue;
    }
    std::string text;
    if (options_.timestamps && !midLine_) text += std::string(line->time) + " ";
    text += line->text;
    if (!line->partial) text += '\n';
    midLine_ = line->partial;
    if (options_.limitBytes && written_ + static_cast<std::int64_t>(text.size()) >= *options_.limitBytes) {
      text.resize(static_cast<std::size_t>(std::max<std::int64_t>(0, *options_.limitBytes - written_)));
      room = false;
    }
    written_ += static_cast<std::int64_t>(text.size());
    out += text;
  }
  buffer_.erase(0, from);
  return room;
}

Stream::Chunk LogReader::poll() {
  Chunk chunk;
  // Asked before reading: what was written until it ended is then read below.
  const bool more = options_.follow && stillRunning_ && stillRunning_();
  while (chunk.data.size() < kChunk) {
    const bool got = readMore();
    if (!format(chunk.data)) {
      chunk.end = true;
      return chunk;
    }
    if (!got) {
      chunk.end = !more;
      return chunk;
    }
  }
  return chunk;
}

}  // namespace steer
