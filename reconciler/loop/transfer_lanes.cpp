#include "reconciler/loop/transfer_lanes.h"

#include <algorithm>
#include <utility>

#include "core/barrier.h"

namespace steer {
namespace {

constexpr Duration kYoung = seconds(5);  ///< most conversations are over by then; others no longer count for their lane
constexpr std::size_t kMost = 128;
constexpr std::size_t kMostUnproven = 64;
constexpr std::size_t kMostOfHost = 16;
constexpr std::size_t kYoungOfHost = 8;
constexpr std::size_t kYoungProven = 24;
constexpr std::size_t kYoungFresh = 16;
constexpr std::size_t kFailing = 8;
constexpr Duration kTick = milliseconds(500);

struct Counts {
  std::size_t all = 0, unproven = 0, ofHost = 0, youngOfHost = 0, youngProven = 0, youngFresh = 0, failing = 0;
};

Counts countFor(const TransferJob& job, const std::vector<RunningTransfer>& running, Time now) {
  Counts out;
  for (const auto& [about, since] : running) {
    const bool young = now - since < kYoung;
    ++out.all;
    if (about.standing != Standing::proven) ++out.unproven;
    if (about.standing == Standing::failing) ++out.failing;
    if (young && about.standing == Standing::proven) ++out.youngProven;
    if (young && about.standing == Standing::fresh) ++out.youngFresh;
    if (about.host != job.host) continue;
    ++out.ofHost;
    if (young) ++out.youngOfHost;
  }
  return out;
}

bool mayStart(const TransferJob& job, const Counts& counts) {
  if (counts.all >= kMost || counts.ofHost >= kMostOfHost || counts.youngOfHost >= kYoungOfHost) return false;
  if (job.standing == Standing::proven) return counts.youngProven < kYoungProven;
  if (counts.unproven >= kMostUnproven) return false;
  return job.standing == Standing::fresh ? counts.youngFresh < kYoungFresh : counts.failing < kFailing;
}

}  // namespace

std::optional<std::size_t> nextTransfer(const std::vector<TransferJob>& waiting,
                                        const std::vector<RunningTransfer>& running, Time now) {
  for (const auto standing : {Standing::proven, Standing::fresh, Standing::failing})
    for (std::size_t i = 0; i < waiting.size(); ++i)
      if (waiting[i].standing == standing && mayStart(waiting[i], countFor(waiting[i], running, now))) return i;
  return std::nullopt;
}

TransferLanes::TransferLanes(const Clock& clock)
    : clock_(clock), ticker_([this] { barrier::keepRunning("the lanes of transfers", [this] { tick(); }); }) {}

TransferLanes::~TransferLanes() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    waiting_.clear();
    changed_.notify_all();
  }
  ticker_.join();
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return running_.empty(); });
  auto ended = std::exchange(finished_, {});
  lock.unlock();
  for (auto& thread : ended) thread.join();
}

void TransferLanes::submit(TransferJob about, std::function<void()> job) {
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  waiting_.push_back({std::move(about), std::move(job)});
  startSome();
  changed_.notify_all();
}

void TransferLanes::startSome() {
  while (!waiting_.empty() && !stopping_) {
    std::vector<TransferJob> jobs;
    for (const auto& one : waiting_) jobs.push_back(one.about);
    std::vector<RunningTransfer> now;
    for (const auto& [id, one] : running_) now.push_back(one.what);
    const auto which = nextTransfer(jobs, now, clock_.now());
    if (!which) return;
    const auto at = waiting_.begin() + static_cast<std::ptrdiff_t>(*which);
    auto work = std::move(*at);
    waiting_.erase(at);
    const std::size_t id = next_++;
    auto& entry = running_[id];
    entry.what = {std::move(work.about), clock_.now()};
    entry.thread = std::thread([this, id, job = std::move(work.job)]() mutable {
      (void)barrier::run("a transfer", job);
      job = nullptr;  // what it holds ends before others may start
      end(id);
    });
  }
}

void TransferLanes::end(std::size_t id) {
  std::lock_guard lock(mutex_);
  const auto it = running_.find(id);
  finished_.push_back(std::move(it->second.thread));
  running_.erase(it);
  startSome();
  changed_.notify_all();
}

void TransferLanes::tick() {
  std::unique_lock lock(mutex_);
  while (!stopping_) {
    const auto due = [this] { return stopping_ || !finished_.empty(); };
    if (waiting_.empty()) changed_.wait(lock, [&] { return due() || !waiting_.empty(); });
    else changed_.wait_for(lock, kTick, due);
    auto ended = std::exchange(finished_, {});
    lock.unlock();
    for (auto& thread : ended) thread.join();
    lock.lock();
    startSome();
  }
}

}  // namespace steer
