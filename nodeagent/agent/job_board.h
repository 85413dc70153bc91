#pragma once
// JobBoard: slow work on an executor, its outcome back on the loop. Work runs anywhere; what follows
// it runs in drain(), on the loop's thread. The destructor waits for work under way.
// Thread rule: run() and drain() on the loop's thread.
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "core/barrier.h"
#include "core/executor.h"
#include "core/loop.h"
#include "core/result.h"

namespace steer {

class JobBoard {
 public:
  JobBoard(Executor& executor, Waker waker) : executor_(executor), shared_(std::make_shared<Shared>()) {
    shared_->waker = std::move(waker);
  }
  ~JobBoard() { settle(); }
  JobBoard(const JobBoard&) = delete;
  JobBoard& operator=(const JobBoard&) = delete;

  /// then(work()) on the loop. A fault in the work is an outcome like any other: failed(error) makes it.
  template <class Work, class Then, class Failed>
  void run(Work work, Then then, Failed failed) {
    {
      std::lock_guard lock(shared_->mutex);
      ++shared_->running;
    }
    const auto ticket = std::make_shared<Ticket>(shared_);
    executor_.submit([ticket, work = std::move(work), then = std::move(then), failed = std::move(failed)]() mutable {
      if (ticket->closing()) return;
      auto outcome = std::make_shared<std::optional<decltype(work())>>();
      if (const auto fault = barrier::run(kPlace, [&] { outcome->emplace(work()); }))
        outcome->emplace(failed(makeError(Errc::internal, barrier::faultText(kPlace, *fault))));
      ticket->finish([then = std::move(then), outcome]() mutable { then(std::move(**outcome)); });
    });
  }
  /// The same for work that answers with a Result.
  template <class Work, class Then>
  void run(Work work, Then then) {
    run(std::move(work), std::move(then), [](Error error) -> decltype(work()) { return error; });
  }
  /// Runs what follows finished work. True when there was any.
  bool drain() {
    std::vector<std::function<void()>> done;
    {
      std::lock_guard lock(shared_->mutex);
      done.swap(shared_->done);
    }
    for (auto& then : done) {
      bool begun = false;
      const auto fault = barrier::run(kNext, [&] {
        begun = true;
        then();
      });
      if (!fault || begun) continue;
      // What did not even begin is not lost: whoever waits for it would wait for ever.
      std::lock_guard lock(shared_->mutex);
      shared_->done.push_back(std::move(then));
    }
    return !done.empty();
  }
  /// Waits until no work is under way; queued work and what would follow is dropped. The end.
  void settle() {
    std::unique_lock lock(shared_->mutex);
    shared_->waker = nullptr;
    shared_->closing = true;
    shared_->idle.wait(lock, [&] { return shared_->running == 0; });
    shared_->done.clear();
  }

 private:
  static constexpr std::string_view kPlace = "a job of the agent";
  static constexpr std::string_view kNext = "what follows a job of the agent";

  struct Shared {
    std::mutex mutex;
    std::condition_variable idle;
    int running = 0;
    bool closing = false;
    std::vector<std::function<void()>> done;
    Waker waker;
  };
  /// Counts down also when an executor drops the job unrun.
  class Ticket {
   public:
    explicit Ticket(std::shared_ptr<Shared> shared) : shared_(std::move(shared)) {}
    Ticket(const Ticket&) = delete;
    Ticket& operator=(const Ticket&) = delete;
    ~Ticket() {
      std::lock_guard lock(shared_->mutex);
      --shared_->running;
      shared_->idle.notify_all();
    }
    bool closing() const {
      std::lock_guard lock(shared_->mutex);
      return shared_->closing;
    }
    void finish(std::function<void()> then) {
      Waker waker;
      {
        std::lock_guard lock(shared_->mutex);
        shared_->done.push_back(std::move(then));
        waker = shared_->waker;
      }
      if (waker) waker();
    }

   private:
    std::shared_ptr<Shared> shared_;
  };

  Executor& executor_;
  std::shared_ptr<Shared> shared_;
};

}  // namespace steer
