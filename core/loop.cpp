#include "core/loop.h"

#include <algorithm>
#include <utility>

#include "core/barrier.h"

namespace steer {

void Loop::setWaker(Waker waker) {
  std::lock_guard lock(shared_->mutex);
  shared_->waker = std::move(waker);
}

void Loop::wake() { wakerForMe()(); }

Waker Loop::wakerForMe() {
  return [shared = shared_] {
    Waker waker;
    {
      std::lock_guard lock(shared->mutex);
      waker = shared->waker;
    }
    if (waker) waker();
  };
}

Loop::Next GuardedLoop::step(Time now) {
  Loop::Next next;
  const auto fault = barrier::run(loop_.name(), [&] {
    if (failures_ > 0) loop_.recover();
    next = loop_.step(now);
  });
  failures_ = fault ? std::min(failures_ + 1, 7) : 0;
  return fault ? Loop::Next{now + std::min<Duration>(seconds(1) * (1 << (failures_ - 1)), seconds(60))} : next;
}

LoopThread::LoopThread(Loop& loop, const Clock& clock) : loop_(loop), clock_(clock) {
  loop_.setWaker([signal = signal_] {
    std::lock_guard lock(signal->mutex);
    signal->woken = true;
    signal->cv.notify_one();
  });
  thread_ = std::thread([this] { run(); });
}

LoopThread::~LoopThread() {
  stop();
  if (thread_.joinable()) thread_.join();
  loop_.setWaker(nullptr);
}

void LoopThread::stop() {
  std::lock_guard lock(signal_->mutex);
  signal_->stopping = true;
  signal_->cv.notify_one();
}

void LoopThread::run() {
  GuardedLoop guarded(loop_);
  for (;;) {
    {
      std::lock_guard lock(signal_->mutex);
      if (signal_->stopping) return;
      signal_->woken = false;
    }
    const Loop::Next next = guarded.step(clock_.now());
    std::unique_lock lock(signal_->mutex);
    auto due = [this] { return signal_->woken || signal_->stopping; };
    if (!next.at) {
      signal_->cv.wait(lock, due);
    } else if (const auto left = *next.at - clock_.now(); left > Duration::zero()) {
      signal_->cv.wait_for(lock, left, due);
    }
  }
}

}  // namespace steer
