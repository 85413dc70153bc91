#include "etcd_peer.h"

#include <arpa/inet.h>
#include <grpcpp/grpcpp.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "core/child.h"
#include "etcd_kv.grpc.pb.h"

namespace steer::bench {
namespace {

using Clock = std::chrono::steady_clock;

int freePort() {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof address;
  int port = 0;
  if (::bind(fd, reinterpret_cast<sockaddr*>(&address), size) == 0 &&
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size) == 0)
    port = ntohs(address.sin_port);
  ::close(fd);
  return port;
}

/// One of the calls that are outstanding at any time.
struct Slot {
  std::unique_ptr<grpc::ClientContext> context;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::TxnResponse>> txn;
  std::unique_ptr<grpc::ClientAsyncResponseReader<etcdserverpb::PutResponse>> put;
  etcdserverpb::TxnResponse txnAnswer;
  etcdserverpb::PutResponse putAnswer;
  grpc::Status status;
  Clock::time_point started;
};

}  // namespace

struct EtcdPeer::State {
  explicit State(Child c) : child(std::move(c)) {}
  Child child;
  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> stub;
};

EtcdPeer::EtcdPeer(std::unique_ptr<State> state) : state_(std::move(state)) {}

EtcdPeer::~EtcdPeer() {
  state_->child.signal(SIGTERM);
  if (!state_->child.wait(seconds(10))) {
    state_->child.signal(SIGKILL);
    state_->child.wait(seconds(10));
  }
}

Result<std::unique_ptr<EtcdPeer>> EtcdPeer::start(const std::string& dir) {
  const std::string client = "127.0.0.1:" + std::to_string(freePort());
  const std::string peer = "http://127.0.0.1:" + std::to_string(freePort());
  ChildSpec spec;
  spec.argv = {"etcd",
               "--data-dir",
               dir + "/etcd",
               "--listen-client-urls",
               "http://" + client,
               "--advertise-client-urls",
               "http://" + client,
               "--listen-peer-urls",
               peer,
               "--initial-advertise-peer-urls",
               peer,
               "--initial-cluster",
               "default=" + peer,
               "--quota-backend-bytes",
               "8589934592",
               "--log-level",
               "error"};
  spec.outFile = dir + "/etcd.log";
  STEER_TRY(auto child, Child::start(spec));
  std::unique_ptr<EtcdPeer> out(new EtcdPeer(std::make_unique<State>(std::move(child))));
  out->state_->channel = grpc::CreateChannel(client, grpc::InsecureChannelCredentials());
  out->state_->stub = etcdserverpb::KV::NewStub(out->state_->channel);
  if (!out->state_->channel->WaitForConnected(std::chrono::system_clock::now() + std::chrono::seconds(15)))
    return makeError(Errc::unavailable, "etcd does not start: see " + dir + "/etcd.log");
  Load warm;
  warm.duration = std::chrono::milliseconds(500);
  const auto first = out->run(warm, {"warm"}, {"up"});
  if (!first.failure.empty()) return makeError(Errc::unavailable, "etcd does not answer: " + first.failure);
  return out;
}

Measured EtcdPeer::run(const Load& load, const std::vector<std::string>& keys, const std::vector<std::string>& values) {
  Measured out;
  out.name = "etcd";
  grpc::CompletionQueue queue;
  std::vector<Slot> slots(load.writers);
  std::size_t at = 0, outstanding = 0;
  auto send = [&](Slot& slot) {
    slot.context = std::make_unique<grpc::ClientContext>();
    slot.started = Clock::now();
    ++outstanding;
    if (load.objectsPerCommit == 1) {
      etcdserverpb::PutRequest request;
      request.set_key(keys[at % keys.size()]);
      request.set_value(values[at % values.size()]);
      ++at;
      slot.put = state_->stub->AsyncPut(slot.context.get(), request, &queue);
      slot.put->Finish(&slot.putAnswer, &slot.status, &slot);
      return;
    }
    etcdserverpb::TxnRequest request;
    for (std::size_t i = 0; i < load.objectsPerCommit; ++i, ++at) {
      auto* put = request.add_success()->mutable_request_put();
      put->set_key(keys[at % keys.size()]);
      put->set_value(values[at % values.size()]);
    }
    slot.txn = state_->stub->AsyncTxn(slot.context.get(), request, &queue);
    slot.txn->Finish(&slot.txnAnswer, &slot.status, &slot);
  };
  const auto start = Clock::now();
  for (auto& slot : slots) send(slot);
  auto last = start;
  while (outstanding > 0) {
    void* tag = nullptr;
    bool ok = false;
    if (!queue.Next(&tag, &ok)) break;
    --outstanding;
    auto& slot = *static_cast<Slot*>(tag);
    last = Clock::now();
    if (!slot.status.ok()) {
      out.failure = slot.status.error_message();
      continue;
    }
    if (last - start > load.duration) continue;  // what was still under way does not count
    out.micros.push_back(std::chrono::duration<float, std::micro>(last - slot.started).count());
    ++out.commits;
    out.objects += load.objectsPerCommit;
    send(slot);
  }
  queue.Shutdown();
  void* tag = nullptr;
  bool ok = false;
  while (queue.Next(&tag, &ok)) continue;
  out.seconds = std::chrono::duration<double>(load.duration).count();
  return out;
}

}  // namespace steer::bench
