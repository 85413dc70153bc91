#pragma once
// TlsConnection: one accepted connection: TLS handshake, one request head at a time read whole and
// cleaned before anyone parses it, body bytes with limits, writes with a time limit.
// Thread rule: one thread; shut() may be called from any. Failure rule: a connection that failed once
// stays failed.
#include <openssl/types.h>
#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "cluster/apiserver/message.h"
#include "core/result.h"

namespace steer {

struct ConnectionLimits {
  std::size_t headBytes = 64 * 1024;
  std::size_t bodyBytes = 32 * 1024 * 1024;
  std::chrono::seconds handshake{10};
  std::chrono::seconds head{10};       ///< from its first byte to its last
  std::chrono::seconds body{120};      ///< the whole of it
  std::chrono::seconds write{30};      ///< without progress
  std::chrono::seconds keepAlive{90};  ///< between two requests
};

/// TLS 1.2 or newer, client certificates of `caPem` asked for but not demanded, no session cache.
class TlsContext {
 public:
  static Result<TlsContext> make(const std::string& certificatePem, const std::string& keyPem,
                                 const std::string& caPem);
  SSL_CTX* get() const { return context_.get(); }

 private:
  std::shared_ptr<SSL_CTX> context_;
};

class TlsConnection {
 public:
  /// Takes the socket. `context` must outlive it.
  TlsConnection(int fd, SSL_CTX* context, const ConnectionLimits& limits);
  ~TlsConnection();
  TlsConnection(const TlsConnection&) = delete;
  TlsConnection& operator=(const TlsConnection&) = delete;

  bool handshake();
  /// Waits for the next request head and cleans it: Range, Accept-Encoding and Content-Encoding are
  /// dropped, a missing body length becomes 0. False: no further request.
  bool nextHead();
  /// Head, then body. 0 = the end, negative = failed or above a limit.
  ssize_t read(char* data, std::size_t size);
  ssize_t write(const char* data, std::size_t size);

  /// Reads what still comes, for a short while, and forgets it: an answer written before a close is
  /// lost when the other side's bytes are left unread.
  void drain();

  bool headTooLarge() const { return headTooLarge_; }
  bool bodyTooLarge() const { return tooLarge_; }
  bool bodyLate() const { return late_; }
  bool bodyEncoded() const { return encoded_; }
  bool failed() const { return failed_; }
  /// CN and O of the verified client certificate.
  const std::optional<Identity>& peer() const { return peer_; }
  int fd() const { return fd_; }
  /// Waits until `wakeFd` is readable or the other side is gone. False: gone.
  bool waitFor(int wakeFd, std::chrono::milliseconds atMost);
  /// Ends whatever the connection waits for, now. From any thread, while the object lives.
  void shut();

 private:
  using Clock = std::chrono::steady_clock;
  enum class Outcome { ready, late, broken };
  Outcome await(short events, Clock::time_point until);
  ssize_t readSome(char* data, std::size_t size, Clock::time_point until);
  void clean(std::size_t headSize);
  void readPeer();

  int fd_;
  SSL* ssl_;
  const ConnectionLimits& limits_;
  std::optional<Identity> peer_;
  std::string buffer_;        ///< what was read and is not consumed yet
  std::size_t consumed_ = 0;  ///< of buffer_
  std::size_t headLeft_ = 0;  ///< bytes of the head not consumed yet
  std::size_t bodyRead_ = 0;
  Clock::time_point bodyUntil_{};
  bool headTooLarge_ = false;
  bool tooLarge_ = false;
  bool late_ = false;
  bool encoded_ = false;
  bool failed_ = false;
};

}  // namespace steer
