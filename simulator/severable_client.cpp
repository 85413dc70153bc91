#include "simulator/severable_client.h"

#include <utility>

namespace steer {
namespace {

Error gone() { return makeError(Errc::unavailable, "the API server is not there"); }

}  // namespace

struct SeverableClient::Line {
  std::unique_ptr<Watch> inner;  ///< null = the server is gone
  Waker waker;
};

class SeverableClient::LineWatch final : public Watch {
 public:
  explicit LineWatch(std::shared_ptr<Line> line) : line_(std::move(line)) {}
  std::optional<WatchEvent> poll() override { return line_->inner ? line_->inner->poll() : std::nullopt; }
  bool closed() const override { return !line_->inner || line_->inner->closed(); }

 private:
  std::shared_ptr<Line> line_;
};

SeverableClient::SeverableClient() = default;
SeverableClient::~SeverableClient() { connect(nullptr); }

void SeverableClient::connect(std::unique_ptr<Client> inner) {
  for (const auto& weak : std::exchange(lines_, {})) {
    if (const auto line = weak.lock()) {
      line->inner.reset();
      if (line->waker) line->waker();
    }
  }
  inner_ = std::move(inner);
}

Result<ObjectPtr> SeverableClient::get(const ObjectRef& ref) {
  return inner_ ? inner_->get(ref) : Result<ObjectPtr>(gone());
}

Result<ObjectList> SeverableClient::list(const std::string& resource, const ListOptions& options) {
  return inner_ ? inner_->list(resource, options) : Result<ObjectList>(gone());
}

Result<std::unique_ptr<Watch>> SeverableClient::watch(const std::string& resource, const ListOptions& options,
                                                      std::uint64_t fromRevision, Waker waker) {
  if (!inner_) return gone();
  auto line = std::make_shared<Line>();
  line->waker = waker;
  STEER_TRY(line->inner, inner_->watch(resource, options, fromRevision, std::move(waker)));
  lines_.remove_if([](const auto& weak) { return weak.expired(); });
  lines_.push_back(line);
  return std::unique_ptr<Watch>(std::make_unique<LineWatch>(std::move(line)));
}

Result<ObjectPtr> SeverableClient::write(const Write& write) {
  return inner_ ? inner_->write(write) : Result<ObjectPtr>(gone());
}

std::vector<Result<ObjectPtr>> SeverableClient::batch(std::vector<Write> writes, const BatchOptions& options) {
  if (inner_) return inner_->batch(std::move(writes), options);
  std::vector<Result<ObjectPtr>> out;
  for (std::size_t i = 0; i < writes.size(); ++i) out.emplace_back(gone());
  return out;
}

Result<Observation> SeverableClient::observe(const ObserveRequest& request) {
  return inner_ ? inner_->observe(request) : Result<Observation>(gone());
}

}  // namespace steer
