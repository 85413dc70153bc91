#include "cluster/apiserver/list_stream.h"

#include <utility>

#include "core/json.h"

namespace steer {
namespace {

constexpr std::size_t kPiece = 256 * 1024;

}  // namespace

bool ListStream::fill(std::size_t bytes) {
  while (next_ < items_.size() && text_.size() < bytes) {
    if (next_ > 0) text_ += ',';
    text_ += jsonText(items_[next_]->json());
    items_[next_++] = nullptr;
  }
  if (next_ == items_.size() && !std::exchange(ended_, true)) text_ += tail_;
  return ended_;
}

std::optional<std::string> ListStream::whole(std::size_t most) {
  if (!fill(most) || text_.size() > most) return std::nullopt;
  return std::move(text_);
}

Stream::Chunk ListStream::poll() {
  const bool end = fill(kPiece);
  return {std::exchange(text_, ""), end};
}

}  // namespace steer
