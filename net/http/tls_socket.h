#pragma once
// TlsSocket: one accepted connection under TLS, read and written by a coroutine. OpenSSL works on the socket itself and
// Asio only tells when it is ready, so that an idle connection holds no buffers.
// Thread rule: one thread, that of the socket's context. Failure rule: a socket that failed stays failed; whoever wants
// to end a wait shuts the descriptor down. For .cpp files of this room only: the header brings Asio.
#include <openssl/types.h>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "net/http/message.h"

namespace steer {

namespace asio = boost::asio;

class TlsSocket {
 public:
  TlsSocket(asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context);
  ~TlsSocket();
  TlsSocket(const TlsSocket&) = delete;
  TlsSocket& operator=(const TlsSocket&) = delete;

  asio::awaitable<bool> handshake();
  /// Appends what came. False: no more will. While it waits no buffer is held.
  asio::awaitable<bool> read(std::string& into);
  /// How many of the bytes went, at least one; 0 = failed.
  asio::awaitable<std::size_t> writeSome(std::string_view data);
  /// Says that nothing more is written, then reads what still comes for a short while and forgets it: an answer before
  /// a close is lost when the other side's bytes are left unread.
  asio::awaitable<void> drain();

  enum class Peek { nothing, bytes, gone };
  /// What there is to read now, without taking it.
  Peek peek();
  /// CN and O of the verified client certificate.
  std::optional<Identity> peer() const;
  asio::ip::tcp::socket& socket() { return socket_; }
  bool failed() const { return failed_; }

 private:
  asio::awaitable<bool> awaitReady(int sslError);
  int readNow(std::string& into);

  asio::ip::tcp::socket socket_;
  std::shared_ptr<SSL_CTX> context_;
  SSL* ssl_;
  bool failed_ = false;
};

}  // namespace steer
