#pragma once
// Interrupt: a request to end conversations with remotes soon. Once raised it stays raised.
// Thread rule: raise() and raised() from any thread. Failure rule: without file descriptors left it
// cannot be made and conversations end at their deadline only.
#include <atomic>

namespace steer {

class Interrupt {
 public:
  Interrupt();
  ~Interrupt();
  Interrupt(const Interrupt&) = delete;
  Interrupt& operator=(const Interrupt&) = delete;

  void raise();
  bool raised() const { return raised_; }
  /// Readable once raised; -1 when it could not be made.
  int fd() const { return fd_; }

 private:
  int fd_;
  std::atomic<bool> raised_ = false;
};

}  // namespace steer
