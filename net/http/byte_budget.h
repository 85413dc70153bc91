#pragma once
// ByteBudget: bytes that many requests together may hold. Thread rule: thread-safe.
#include <atomic>
#include <cstddef>
#include <utility>

namespace steer {

class ByteBudget {
 public:
  explicit ByteBudget(std::size_t limit) : limit_(limit) {}

  /// What one request holds; given back at its end.
  class Share {
   public:
    Share() = default;
    explicit Share(ByteBudget& budget) : budget_(&budget) {}
    Share(Share&& other) noexcept : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Share& operator=(Share&&) = delete;
    ~Share() {
      if (bytes_ > 0) budget_->used_ -= bytes_;
    }
    /// False: nobody may hold more at this moment; nothing was taken.
    bool grow(std::size_t bytes) {
      if (budget_->used_.fetch_add(bytes) + bytes > budget_->limit_) {
        budget_->used_ -= bytes;
        return false;
      }
      bytes_ += bytes;
      return true;
    }

   private:
    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
  };

  std::size_t used() const { return used_; }

 private:
  const std::size_t limit_;
  std::atomic<std::size_t> used_{0};
};

}  // namespace steer
