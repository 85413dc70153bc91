#pragma once
// ListStream: a list of objects as JSON text, written while it is sent. The objects are shared with the state, so that
// a reader who does not read holds one piece of text and not all of it. Thread rule: as Stream.
#include <string>
#include <vector>

#include "core/object.h"
#include "net/http/message.h"

namespace steer {

class ListStream final : public Stream {
 public:
  /// `head` comes before the items, `tail` after them; `items` are separated by commas.
  ListStream(std::string head, std::vector<ObjectPtr> items, std::string tail)
      : text_(std::move(head)), items_(std::move(items)), tail_(std::move(tail)) {}

  /// All of it, if it has no more than so many bytes. Else nothing, and poll() begins with what is made by then.
  std::optional<std::string> whole(std::size_t most);
  Chunk poll() override;
  void setWaker(Waker) override {}

 private:
  /// Adds items until the text has so many bytes. True: that was the last.
  bool fill(std::size_t bytes);

  std::string text_;
  std::vector<ObjectPtr> items_;
  std::string tail_;
  std::size_t next_ = 0;
  bool ended_ = false;
};

}  // namespace steer
