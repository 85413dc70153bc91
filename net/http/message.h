#pragma once
// What a server's handlers speak: request in, response or stream out. The HTTP transport, the in-process client and
// the simulator share the handlers behind it. Thread rule: handlers are thread-safe; a Stream has one reader.
#include <chrono>
#include <cstddef>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/loop.h"
#include "core/result.h"

namespace steer {

/// The user of requests whose sender did not say who they are.
inline constexpr std::string_view kAnonymousUser = "system:anonymous";

struct Identity {
  std::string user;
  std::vector<std::string> groups;
  std::string uid{};
  std::map<std::string, std::vector<std::string>> extra{};  ///< what else was learned, by key
};

struct Request {
  std::string method;                               ///< upper case
  std::string path;                                 ///< decoded, without query
  std::multimap<std::string, std::string> query;    ///< decoded
  std::multimap<std::string, std::string> headers;  ///< lower-case names
  std::string body;
  Identity identity;

  std::string queryValue(const std::string& key, std::string fallback = "") const;
  bool hasQuery(const std::string& key) const { return query.contains(key); }
  /// Go's booleans: 1 t T TRUE true True; anything else is false.
  bool queryBool(const std::string& key) const;
  std::string header(const std::string& lowerCaseName) const;
};

/// A body that is produced over time (watch, logs).
class Stream {
 public:
  virtual ~Stream() = default;
  struct Chunk {
    std::string data;  ///< may be empty: nothing yet
    bool end = false;  ///< no more after this
    /// Comes after data. Text that many streams send is held in memory once.
    std::shared_ptr<const std::string> shared{};
    /// When to poll again although nobody called the waker.
    std::chrono::milliseconds again{30'000};
  };
  /// What is there now; never blocks.
  virtual Chunk poll() = 0;
  /// Called once before the first poll; the waker says "poll again". May be called from any thread.
  virtual void setWaker(Waker waker) = 0;
};

struct Response {
  int status = 200;
  std::string contentType = "application/json";
  std::multimap<std::string, std::string> headers{};
  std::string body{};
  std::unique_ptr<Stream> stream{};  ///< when set, body is ignored
};

/// What is decided of a request when only its head has come.
struct HeadVerdict {
  std::optional<Response> refusal{};                     ///< the answer; the body is not read
  std::size_t bodyBytes = 3 * std::size_t{1024} * 1024;  ///< how long the body may be
};

class Handler {
 public:
  virtual ~Handler() = default;
  /// May block; called on a working thread.
  virtual Response handle(const Request& request) = 0;
  /// Judges identity and rights by the head alone, before anything of the body is read. Must not block.
  virtual HeadVerdict judge(const Request&) { return {}; }
  /// An error in the handler's own words: for requests that the transport refuses.
  virtual Response refuse(const Error& error);
};

}  // namespace steer
