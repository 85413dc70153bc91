#include "nodeagent/runtime/cri_events.h"

#include <grpcpp/grpcpp.h>

#include "core/barrier.h"
#include "nodeagent/runtime/cri/events.grpc.pb.h"

namespace steer {

namespace events = ::containerd::services::events::v1;

CriEvents::CriEvents(std::shared_ptr<grpc::Channel> channel)
    : channel_(std::move(channel)),
      thread_([this] { barrier::keepRunning("the runtime's events", [this] { run(); }); }) {}

CriEvents::~CriEvents() {
  shared_.with([](Shared& s) {
    s.stopping = true;
    if (s.call) s.call->TryCancel();
  });
  stopped_.notify_all();
  thread_.join();
}

void CriEvents::setWaker(Waker waker) {
  shared_.with([&](Shared& s) { s.waker = std::move(waker); });
}

void CriEvents::run() {
  for (;;) {
    follow();
    auto locked = shared_.lock();
    if (locked.waitUntil(stopped_, std::chrono::steady_clock::now() + std::chrono::milliseconds(500),
                         [](const Shared& s) { return s.stopping; }))
      return;
  }
}

void CriEvents::follow() {
  grpc::ClientContext context;
  const bool stopping = shared_.with([&](Shared& s) {
    s.call = &context;
    return s.stopping;
  });
  if (!stopping) {
    const auto stub = events::Events::NewStub(channel_);
    events::SubscribeRequest request;
    request.add_filters("namespace==k8s.io,topic~=\"^/tasks/(start|exit|oom|delete)\"");
    const auto stream = stub->Subscribe(&context, request);
    // What happened before the subscription began is found by looking once.
    notify();
    events::Envelope event;
    while (stream->Read(&event)) notify();
    stream->Finish();
  }
  shared_.with([](Shared& s) { s.call = nullptr; });
}

void CriEvents::notify() {
  const Waker waker = shared_.with([](Shared& s) { return s.waker; });
  if (waker) waker();
}

}  // namespace steer
