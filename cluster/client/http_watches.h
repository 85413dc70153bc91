#pragma once
// HttpWatches: all watch streams of one client on one thread. Thread rule: thread-safe. Failure
// rule: a stream that breaks ends with an error event; the reader lists again.
#include <memory>
#include <string>

#include "cluster/client/client.h"
#include "cluster/client/http_session.h"

namespace steer {

class HttpWatches {
 public:
  /// The session must outlive it.
  explicit HttpWatches(HttpSession& session);
  ~HttpWatches();
  HttpWatches(const HttpWatches&) = delete;
  HttpWatches& operator=(const HttpWatches&) = delete;

  /// Does not wait for the server's answer. Errors: those of HttpSession::ensureTrust().
  Result<std::unique_ptr<Watch>> open(const std::string& path, Waker waker);

 private:
  struct Reader;
  std::shared_ptr<Reader> reader_;
};

}  // namespace steer
