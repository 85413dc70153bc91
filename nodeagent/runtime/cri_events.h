#pragma once
// Follows the runtime's event stream and says "something changed". A runtime without such a stream
// is only asked again now and then; the agent lists periodically anyway.
// Thread rule: owns one thread; the destructor ends it.
#include <memory>
#include <thread>

#include "core/loop.h"
#include "core/sync.h"

namespace grpc {
class Channel;
class ClientContext;
}  // namespace grpc

namespace steer {

class CriEvents {
 public:
  explicit CriEvents(std::shared_ptr<grpc::Channel> channel);
  ~CriEvents();
  CriEvents(const CriEvents&) = delete;
  CriEvents& operator=(const CriEvents&) = delete;
  void setWaker(Waker waker);

 private:
  struct Shared {
    bool stopping = false;
    grpc::ClientContext* call = nullptr;
    Waker waker;
  };
  void run();
  void follow();
  void notify();

  std::shared_ptr<grpc::Channel> channel_;
  Sync<Shared> shared_;
  std::condition_variable stopped_;
  std::thread thread_;
};

}  // namespace steer
