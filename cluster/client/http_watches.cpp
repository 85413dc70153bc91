#include "cluster/client/http_watches.h"

#include <curl/curl.h>

#include <deque>
#include <map>
#include <mutex>
#include <thread>

#include "cluster/client/batch_codec.h"
#include "core/barrier.h"

namespace steer {
namespace {

constexpr std::size_t kPauseAbove = 20'000;  ///< undelivered events of one stream
constexpr std::size_t kLongestLine = 64 * 1024 * 1024;

WatchEvent errorEvent(Error error) { return {WatchEvent::Type::error, nullptr, 0, std::move(error)}; }

WatchEvent eventOfLine(std::string_view line) {
  auto parsed = parseJson(line);
  const auto* object = parsed.ok() ? find(*parsed, {"object"}) : nullptr;
  if (object == nullptr || !object->is_object())
    return errorEvent(makeError(Errc::internal, "the server sent a malformed watch event"));
  const std::string type(stringAt(*parsed, {"type"}));
  if (type == "ERROR") return errorEvent(decodeStatus(*object, 0));
  WatchEvent event;
  auto value = Object::make(std::move(parsed->get_object()["object"].get_object()));
  event.revision = value->revision();
  if (type == "BOOKMARK") {
    event.type = WatchEvent::Type::bookmark;
    return event;
  }
  event.type = type == "ADDED"      ? WatchEvent::Type::added
               : type == "MODIFIED" ? WatchEvent::Type::modified
               : type == "DELETED"  ? WatchEvent::Type::deleted
                                    : WatchEvent::Type::error;
  if (event.type == WatchEvent::Type::error)
    return errorEvent(makeError(Errc::internal, "the server sent a watch event of an unknown type"));
  event.object = std::move(value);
  return event;
}

/// One stream. The first part belongs to the reader thread, the second to both.
struct Line {
  CURL* handle = nullptr;
  curl_slist* headers = nullptr;
  std::string partial;
  HttpCall call;
  Waker waker;
  char detail[CURL_ERROR_SIZE] = "";

  std::mutex mutex;
  std::deque<WatchEvent> events;
  bool ended = false;
  bool paused = false;
};

std::size_t take(const char* data, std::size_t size, Line& line) {
  {
    std::lock_guard lock(line.mutex);
    if (line.events.size() > kPauseAbove) {
      line.paused = true;
      return CURL_WRITEFUNC_PAUSE;
    }
  }
  line.partial.append(data, size);
  long status = 0;
  curl_easy_getinfo(line.handle, CURLINFO_RESPONSE_CODE, &status);
  if (line.partial.size() > kLongestLine) return 0;
  if (status != 200) return size;  // a Status, read as a whole at the end
  std::deque<WatchEvent> fresh;
  std::size_t start = 0;
  for (auto end = line.partial.find('\n'); end != std::string::npos; end = line.partial.find('\n', start)) {
    if (end > start) fresh.push_back(eventOfLine(std::string_view(line.partial).substr(start, end - start)));
    start = end + 1;
  }
  line.partial.erase(0, start);
  if (fresh.empty()) return size;
  {
    std::lock_guard lock(line.mutex);
    for (auto& event : fresh) line.events.push_back(std::move(event));
  }
  if (line.waker) line.waker();
  return size;
}

/// No exception passes through a library in C: the stream ends instead, and who reads it begins a new one.
std::size_t receive(char* data, std::size_t, std::size_t size, void* to) {
  std::size_t taken = 0;
  (void)barrier::run("what a watch receives", [&] { taken = take(data, size, *static_cast<Line*>(to)); });
  return taken;
}

}  // namespace

struct HttpWatches::Reader : std::enable_shared_from_this<Reader> {
  explicit Reader(HttpSession& s) : session(&s), multi(curl_multi_init()) {}
  ~Reader() { curl_multi_cleanup(multi); }

  void run();
  void start(const std::shared_ptr<Line>& line);
  void finish(const std::shared_ptr<Line>& line, CURLcode code);
  void drop(const std::shared_ptr<Line>& line);
  void end(const std::shared_ptr<Line>& line);
  template <class Work>
  void each(std::deque<std::shared_ptr<Line>> Reader::*list, const Work& work);
  /// Asks the thread to look at this line: start it, resume it or drop it.
  void post(std::deque<std::shared_ptr<Line>> Reader::*list, std::shared_ptr<Line> line) {
    std::lock_guard lock(mutex);
    if (stopping) return;
    (this->*list).push_back(std::move(line));
    curl_multi_wakeup(multi);
  }

  HttpSession* session;
  CURLM* multi;
  std::map<CURL*, std::shared_ptr<Line>> lines;  // of the thread
  std::mutex mutex;
  std::deque<std::shared_ptr<Line>> opening, resuming, closing;
  bool stopping = false;
  std::thread thread;
};

namespace {

template <class Reader>
class LineWatch final : public Watch {
 public:
  LineWatch(std::shared_ptr<Reader> reader, std::shared_ptr<Line> line)
      : reader_(std::move(reader)), line_(std::move(line)) {}
  ~LineWatch() override { reader_->post(&Reader::closing, line_); }

  std::optional<WatchEvent> poll() override {
    bool resume = false;
    std::optional<WatchEvent> event;
    {
      std::lock_guard lock(line_->mutex);
      if (!line_->events.empty()) {
        event = std::move(line_->events.front());
        line_->events.pop_front();
      }
      if (line_->paused && line_->events.size() < kPauseAbove / 2) {
        line_->paused = false;
        resume = true;
      }
    }
    if (resume) reader_->post(&Reader::resuming, line_);
    return event;
  }
  bool closed() const override {
    std::lock_guard lock(line_->mutex);
    return line_->ended && line_->events.empty();
  }

 private:
  std::shared_ptr<Reader> reader_;
  std::shared_ptr<Line> line_;
};

}  // namespace

void HttpWatches::Reader::start(const std::shared_ptr<Line>& line) {
  line->handle = session->makeHandle();
  if (line->handle == nullptr) return finish(line, CURLE_OUT_OF_MEMORY);
  line->headers = static_cast<curl_slist*>(session->aim(line->handle, line->call));
  curl_easy_setopt(line->handle, CURLOPT_ERRORBUFFER, line->detail);
  curl_easy_setopt(line->handle, CURLOPT_WRITEFUNCTION, &receive);
  curl_easy_setopt(line->handle, CURLOPT_WRITEDATA, line.get());
  curl_multi_add_handle(multi, line->handle);
  lines.emplace(line->handle, line);
}

void HttpWatches::Reader::drop(const std::shared_ptr<Line>& line) {
  if (line->handle == nullptr) return;
  curl_multi_remove_handle(multi, line->handle);
  lines.erase(line->handle);
  curl_easy_cleanup(line->handle);
  curl_slist_free_all(line->headers);
  line->handle = nullptr;
  line->headers = nullptr;
}

void HttpWatches::Reader::finish(const std::shared_ptr<Line>& line, CURLcode code) {
  std::optional<Error> error;
  long status = 0;
  if (line->handle != nullptr) curl_easy_getinfo(line->handle, CURLINFO_RESPONSE_CODE, &status);
  if (code != CURLE_OK) {
    error = session->explain(code, line->detail);
  } else if (status != 200) {
    const auto body = parseJson(line->partial);
    error = decodeStatus(body.ok() ? *body : json::value{}, static_cast<int>(status));
  }
  drop(line);
  {
    std::lock_guard lock(line->mutex);
    if (error) line->events.push_back(errorEvent(std::move(*error)));
    line->ended = true;
  }
  if (line->waker) line->waker();
}

/// A line that cannot be started, ended or told holds up itself alone.
template <class Work>
void HttpWatches::Reader::each(std::deque<std::shared_ptr<Line>> Reader::*list, const Work& work) {
  for (;;) {
    std::shared_ptr<Line> line;
    {
      std::lock_guard lock(mutex);
      auto& waiting = this->*list;
      if (waiting.empty()) return;
      line = std::move(waiting.front());
      waiting.pop_front();
    }
    if (barrier::run("a watch over HTTP", [&] { work(line); })) end(line);
  }
}

/// Without a word of why: there may be no memory for one.
void HttpWatches::Reader::end(const std::shared_ptr<Line>& line) {
  drop(line);
  {
    std::lock_guard lock(line->mutex);
    line->ended = true;
  }
  (void)barrier::run("a watch over HTTP", [&] {
    if (line->waker) line->waker();
  });
}

void HttpWatches::Reader::run() {
  for (;;) {
    each(&Reader::opening, [this](const auto& line) { start(line); });
    each(&Reader::resuming, [](const auto& line) {
      if (line->handle != nullptr) curl_easy_pause(line->handle, CURLPAUSE_CONT);
    });
    each(&Reader::closing, [this](const auto& line) { drop(line); });
    {
      std::lock_guard lock(mutex);
      if (stopping) break;
    }
    int running = 0;
    curl_multi_perform(multi, &running);
    int left = 0;
    while (const CURLMsg* message = curl_multi_info_read(multi, &left)) {
      if (message->msg != CURLMSG_DONE) continue;
      const CURLcode code = message->data.result;
      const auto it = lines.find(message->easy_handle);
      if (it == lines.end()) continue;
      const std::shared_ptr<Line> line = it->second;
      if (barrier::run("a watch over HTTP", [&] { finish(line, code); })) end(line);
    }
    curl_multi_poll(multi, nullptr, 0, 60'000, nullptr);
  }
  while (!lines.empty()) finish(std::shared_ptr<Line>(lines.begin()->second), CURLE_ABORTED_BY_CALLBACK);
}

HttpWatches::HttpWatches(HttpSession& session) : reader_(std::make_shared<Reader>(session)) {
  reader_->thread = std::thread(
      [reader = reader_.get()] { barrier::keepRunning("the reader of watches", [reader] { reader->run(); }); });
}

HttpWatches::~HttpWatches() {
  {
    std::lock_guard lock(reader_->mutex);
    reader_->stopping = true;
    curl_multi_wakeup(reader_->multi);
  }
  reader_->thread.join();
}

Result<std::unique_ptr<Watch>> HttpWatches::open(const std::string& path, Waker waker) {
  STEER_CHECK(reader_->session->ensureTrust());
  auto line = std::make_shared<Line>();
  line->call.path = path;
  line->waker = std::move(waker);
  reader_->post(&Reader::opening, line);
  return std::unique_ptr<Watch>(std::make_unique<LineWatch<Reader>>(reader_, std::move(line)));
}

}  // namespace steer
