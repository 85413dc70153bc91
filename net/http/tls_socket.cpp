#include "net/http/tls_socket.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace steer {
namespace {

constexpr auto kAwait = asio::as_tuple(asio::use_awaitable);
constexpr std::size_t kReadPiece = 16 * 1024;
constexpr std::size_t kDrained = std::size_t{1024} * 1024;  ///< bytes that are read and forgotten at most

std::string entryText(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return out;
}

int clamped(std::size_t size) { return static_cast<int>(std::min<std::size_t>(size, std::size_t{1} << 20)); }

}  // namespace

TlsSocket::TlsSocket(asio::ip::tcp::socket socket, std::shared_ptr<SSL_CTX> context)
    : socket_(std::move(socket)), context_(std::move(context)), ssl_(SSL_new(context_.get())) {
  boost::system::error_code failed;
  socket_.non_blocking(true, failed);
  if (failed || ssl_ == nullptr || SSL_set_fd(ssl_, socket_.native_handle()) != 1) failed_ = true;
}

TlsSocket::~TlsSocket() {
  if (ssl_ != nullptr) {
    if (!failed_) SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
  ERR_clear_error();
  ::shutdown(socket_.native_handle(), SHUT_RDWR);
}

asio::awaitable<bool> TlsSocket::awaitReady(int sslError) {
  if (sslError != SSL_ERROR_WANT_READ && sslError != SSL_ERROR_WANT_WRITE) co_return false;
  const auto what =
      sslError == SSL_ERROR_WANT_READ ? asio::ip::tcp::socket::wait_read : asio::ip::tcp::socket::wait_write;
  const auto [error] = co_await socket_.async_wait(what, kAwait);
  co_return !error;
}

asio::awaitable<bool> TlsSocket::handshake() {
  // One who never says anything costs no buffers of OpenSSL.
  const bool came = co_await awaitReady(SSL_ERROR_WANT_READ);
  if (!came) failed_ = true;
  while (!failed_) {
    ERR_clear_error();
    const int done = SSL_accept(ssl_);
    if (done == 1) co_return true;
    const bool ready = co_await awaitReady(SSL_get_error(ssl_, done));
    if (!ready) failed_ = true;
  }
  co_return false;
}

int TlsSocket::readNow(std::string& into) {
  thread_local std::array<char, kReadPiece> piece;
  ERR_clear_error();
  const int got = SSL_read(ssl_, piece.data(), static_cast<int>(piece.size()));
  if (got > 0) into.append(piece.data(), static_cast<std::size_t>(got));
  return got > 0 ? SSL_ERROR_NONE : SSL_get_error(ssl_, got);
}

asio::awaitable<bool> TlsSocket::read(std::string& into) {
  while (!failed_) {
    const int why = readNow(into);
    if (why == SSL_ERROR_NONE) co_return true;
    if (why == SSL_ERROR_ZERO_RETURN) co_return false;
    const bool ready = co_await awaitReady(why);
    if (!ready) failed_ = true;
  }
  co_return false;
}

asio::awaitable<std::size_t> TlsSocket::writeSome(std::string_view data) {
  while (!failed_) {
    ERR_clear_error();
    const int sent = SSL_write(ssl_, data.data(), clamped(data.size()));
    if (sent > 0) co_return static_cast<std::size_t>(sent);
    const bool ready = co_await awaitReady(SSL_get_error(ssl_, sent));
    if (!ready) failed_ = true;
  }
  co_return 0;
}

asio::awaitable<void> TlsSocket::drain() {
  if (failed_) co_return;
  SSL_shutdown(ssl_);
  ::shutdown(socket_.native_handle(), SHUT_WR);
  std::array<char, 4096> waste{};
  for (std::size_t left = kDrained; left > waste.size();) {
    const auto got = ::recv(socket_.native_handle(), waste.data(), waste.size(), 0);
    if (got > 0) {
      left -= static_cast<std::size_t>(got);
      continue;
    }
    if (got == 0 || (errno != EAGAIN && errno != EINTR)) break;
    const bool ready = co_await awaitReady(SSL_ERROR_WANT_READ);
    if (!ready) break;
  }
  failed_ = true;
}

TlsSocket::Peek TlsSocket::peek() {
  if (failed_) return Peek::gone;
  ERR_clear_error();
  char byte = 0;
  const int got = SSL_peek(ssl_, &byte, 1);
  if (got > 0) return Peek::bytes;
  return SSL_get_error(ssl_, got) == SSL_ERROR_WANT_READ ? Peek::nothing : Peek::gone;
}

std::optional<Identity> TlsSocket::peer() const {
  X509* raw = SSL_get1_peer_certificate(ssl_);
  const std::unique_ptr<X509, void (*)(X509*)> certificate(raw, [](X509* p) { X509_free(p); });
  if (!certificate || SSL_get_verify_result(ssl_) != X509_V_OK) return std::nullopt;
  Identity who;
  const auto* subject = X509_get_subject_name(certificate.get());
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const auto* entry = X509_NAME_get_entry(subject, i);
    const int kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (kind == NID_commonName) who.user = entryText(entry);
    if (kind == NID_organizationName) who.groups.push_back(entryText(entry));
  }
  if (who.user.empty()) return std::nullopt;
  return who;
}

}  // namespace steer
