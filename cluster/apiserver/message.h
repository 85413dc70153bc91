#pragma once
// The transport-neutral interface of the API server: request in, response or stream out. HTTP
// transports, the in-process client and the simulator share the handlers behind it.
// Thread rule: handlers are thread-safe; a Stream has one reader.
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/loop.h"
#include "core/result.h"

namespace steer {

struct Identity {
  std::string user;  ///< "system:anonymous" when nobody said who they are
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

class Handler {
 public:
  virtual ~Handler() = default;
  virtual Response handle(const Request& request) = 0;
};

}  // namespace steer
