#include "cluster/apiserver/watch_stream.h"

#include <algorithm>
#include <utility>

#include "cluster/apiserver/shaped_answer.h"
#include "schemas/protobuf_encode.h"

namespace steer {
namespace {

constexpr auto kBookmarkEvery = minutes(1);
constexpr std::size_t kChunkBytes = 64 * 1024;
constexpr std::size_t kCopied = 4 * 1024;  ///< a longer line is sent from where all watches find it
constexpr milliseconds kPollAtLeast{30'000};

std::string errorLine(const Error& error, const Wanted& wanted) {
  if (wanted.coding == Wanted::Coding::protobuf)
    return protobufFrame("ERROR", statusAnswer(statusOf(error), wanted, 200).body);
  return jsonText(json::object{{"type", "ERROR"}, {"object", statusOf(error)}}) + "\n";
}

class ErrorStream final : public Stream {
 public:
  ErrorStream(const Error& error, const Wanted& wanted) : line_(errorLine(error, wanted)) {}
  Chunk poll() override { return {std::exchange(line_, ""), true}; }
  void setWaker(Waker) override {}

 private:
  std::string line_;
};

}  // namespace

std::unique_ptr<Stream> makeErrorStream(const Error& error, const Wanted& wanted) {
  return std::make_unique<ErrorStream>(error, wanted);
}

void WakerSlot::set(Waker waker) {
  std::lock_guard lock(mutex_);
  waker_ = std::move(waker);
}

void WakerSlot::wake() {
  Waker waker;
  {
    std::lock_guard lock(mutex_);
    waker = waker_;
  }
  if (waker) waker();
}

WatchStream::WatchStream(std::unique_ptr<SelectedWatch> watch, std::shared_ptr<WakerSlot> slot, const Clock& clock,
                         WatchStreamOptions options)
    : watch_(std::move(watch)),
      slot_(std::move(slot)),
      clock_(clock),
      options_(std::move(options)),
      nextBookmark_(clock.now() + kBookmarkEvery) {}

json::object WatchStream::shaped(const ObjectPtr& object) {
  switch (options_.wanted.form) {
    case Wanted::Form::table: {
      json::object meta{{"resourceVersion", std::to_string(object->revision())}};
      const auto columns = std::exchange(columnsSent_, true) ? WithColumns::no : WithColumns::yes;
      return tableOf(*options_.kind, {object}, std::move(meta), options_.include, clock_.now(), columns);
    }
    case Wanted::Form::partial:
      return partialOf(*object);
    default:
      return object->json();
  }
}

void WatchStream::tell(const WatchEvent& event, Chunk& out) {
  if (event.type == WatchEvent::Type::error) {
    out.data += errorLine(event.error.value_or(makeError(Errc::gone, "the watch has ended")), options_.wanted);
  } else if (options_.wanted.coding == Wanted::Coding::protobuf) {
    out.data += framed(wireName(event.type), event.object->json());
  } else if (options_.wanted.form == Wanted::Form::object) {
    auto line = options_.lines->lineOf(event);
    if (line->size() > kCopied) out.shared = std::move(line);
    else out.data += *line;
  } else {
    out.data += "{\"type\":\"";
    out.data += wireName(event.type);
    out.data += "\",\"object\":" + jsonText(shaped(event.object)) + "}\n";
  }
}

/// What cannot be encoded ends nothing: the client hears of it and goes on.
std::string WatchStream::framed(std::string_view type, const json::object& object) const {
  const auto body = protobufEvent(*options_.kind, options_.wanted.form, object);
  return body.ok() ? protobufFrame(type, *body) : errorLine(body.error(), options_.wanted);
}

std::string WatchStream::bookmark(bool initialEnd) {
  bookmarked_ = watch_->progress();
  json::object meta{{"resourceVersion", std::to_string(bookmarked_)}, {"creationTimestamp", nullptr}};
  if (initialEnd) meta["annotations"] = {{"k8s.io/initial-events-end", "true"}};
  json::object object;
  if (options_.wanted.form == Wanted::Form::table) {
    object = tableOf(*options_.kind, {}, std::move(meta), options_.include, clock_.now(),
                     std::exchange(columnsSent_, true) ? WithColumns::no : WithColumns::yes);
  } else {
    object = {{"kind", options_.kind->gvk.kind},
              {"apiVersion", options_.kind->gvk.apiVersion()},
              {"metadata", std::move(meta)}};
  }
  if (options_.wanted.coding == Wanted::Coding::protobuf) return framed("BOOKMARK", object);
  return jsonText(json::object{{"type", "BOOKMARK"}, {"object", std::move(object)}}) + "\n";
}

Stream::Chunk WatchStream::poll() {
  Chunk out;
  if (ended_) return {"", true};
  // A long line is the last of its chunk.
  while (out.data.size() < kChunkBytes && !out.shared) {
    if (options_.markInitialEnd && watch_->initialDone()) {
      options_.markInitialEnd = false;
      out.data += bookmark(true);
    }
    auto event = watch_->poll();
    if (!event) break;
    tell(*event, out);
  }
  const Time now = clock_.now();
  const bool caughtUp = out.data.size() < kChunkBytes && !out.shared;
  ended_ = watch_->closed() || (now >= options_.end && caughtUp);
  if (options_.bookmarks && caughtUp && !watch_->closed() && (now >= nextBookmark_ || ended_)) {
    nextBookmark_ = now + kBookmarkEvery;
    out.data += bookmark(false);
  }
  out.end = ended_;
  const Time next = options_.bookmarks ? std::min(nextBookmark_, options_.end) : options_.end;
  out.again = std::clamp(std::chrono::ceil<milliseconds>(next - now), milliseconds(1), kPollAtLeast);
  return out;
}

}  // namespace steer
