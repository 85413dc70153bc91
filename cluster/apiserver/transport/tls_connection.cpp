#include "cluster/apiserver/transport/tls_connection.h"

#include <fcntl.h>
#include <openssl/pem.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "cluster/apiserver/transport/openssl.h"

namespace steer {
namespace {

constexpr std::size_t kReadSize = 4096;

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return text;
}

std::string entryText(const X509_NAME_ENTRY* entry) {
  unsigned char* text = nullptr;
  const int size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(entry));
  std::string out;
  if (size > 0) out.assign(reinterpret_cast<char*>(text), static_cast<std::size_t>(size));
  OPENSSL_free(text);
  return out;
}

}  // namespace

Result<TlsContext> TlsContext::make(const std::string& certificatePem, const std::string& keyPem,
                                    const std::string& caPem) {
  TlsContext out;
  out.context_ = std::shared_ptr<SSL_CTX>(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  SSL_CTX* context = out.context_.get();
  const auto certBio = ssl::readBio(certificatePem), keyBio = ssl::readBio(keyPem), caBio = ssl::readBio(caPem);
  const ssl::Cert cert(PEM_read_bio_X509(certBio.get(), nullptr, nullptr, nullptr));
  const ssl::Key key(PEM_read_bio_PrivateKey(keyBio.get(), nullptr, nullptr, nullptr));
  const ssl::Cert ca(PEM_read_bio_X509(caBio.get(), nullptr, nullptr, nullptr));
  if (context == nullptr || !cert || !key || !ca || SSL_CTX_use_certificate(context, cert.get()) != 1 ||
      SSL_CTX_use_PrivateKey(context, key.get()) != 1 || SSL_CTX_check_private_key(context) != 1 ||
      X509_STORE_add_cert(SSL_CTX_get_cert_store(context), ca.get()) != 1 ||
      SSL_CTX_add_client_CA(context, ca.get()) != 1 || SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION) != 1)
    return makeError(Errc::internal, "cannot use the server's certificate: " + ssl::lastError());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  // Idle watchers by the thousand: no buffers while nothing flows, and nothing kept for resumption.
  SSL_CTX_set_mode(context,
                   SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
  SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  return out;
}

TlsConnection::TlsConnection(int fd, SSL_CTX* context, const ConnectionLimits& limits)
    : fd_(fd), ssl_(SSL_new(context)), limits_(limits) {
  ::fcntl(fd_, F_SETFL, ::fcntl(fd_, F_GETFL) | O_NONBLOCK);
  if (ssl_ == nullptr || SSL_set_fd(ssl_, fd_) != 1) failed_ = true;
}

TlsConnection::~TlsConnection() {
  if (ssl_ != nullptr) {
    if (!failed_) SSL_shutdown(ssl_);
    SSL_free(ssl_);
  }
  ERR_clear_error();
  ::shutdown(fd_, SHUT_RDWR);
  ::close(fd_);
}

void TlsConnection::shut() { ::shutdown(fd_, SHUT_RDWR); }

TlsConnection::Outcome TlsConnection::await(short events, Clock::time_point until) {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - Clock::now()).count();
    if (left <= 0) return Outcome::late;
    pollfd poll{fd_, events, 0};
    const int n = ::poll(&poll, 1, static_cast<int>(std::min<long long>(left, 3'600'000)));
    if (n > 0) return Outcome::ready;
    if (n < 0 && errno != EINTR) return Outcome::broken;
  }
}

bool TlsConnection::handshake() {
  if (failed_) return false;
  const auto until = Clock::now() + limits_.handshake;
  for (;;) {
    ERR_clear_error();
    const int rc = SSL_accept(ssl_);
    if (rc == 1) break;
    const int why = SSL_get_error(ssl_, rc);
    const short events = why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    if (events == 0 || await(events, until) != Outcome::ready) {
      failed_ = true;
      return false;
    }
  }
  readPeer();
  return true;
}

void TlsConnection::readPeer() {
  const ssl::Cert cert(SSL_get1_peer_certificate(ssl_));
  if (!cert || SSL_get_verify_result(ssl_) != X509_V_OK) return;
  Identity who;
  const auto* subject = X509_get_subject_name(cert.get());
  for (int i = 0; i < X509_NAME_entry_count(subject); ++i) {
    const auto* entry = X509_NAME_get_entry(subject, i);
    const int kind = OBJ_obj2nid(X509_NAME_ENTRY_get_object(entry));
    if (kind == NID_commonName) who.user = entryText(entry);
    if (kind == NID_organizationName) who.groups.push_back(entryText(entry));
  }
  if (!who.user.empty()) peer_ = std::move(who);
}

ssize_t TlsConnection::readSome(char* data, std::size_t size, Clock::time_point until) {
  while (!failed_) {
    ERR_clear_error();
    const int n = SSL_read(ssl_, data, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    if (n > 0) return n;
    const int why = SSL_get_error(ssl_, n);
    const short events = why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    if (events == 0) {
      if (why != SSL_ERROR_ZERO_RETURN) failed_ = true;
      return 0;
    }
    if (await(events, until) != Outcome::ready) return -1;
  }
  return -1;
}

bool TlsConnection::nextHead() {
  if (failed_) return false;
  buffer_.erase(0, consumed_);
  consumed_ = headLeft_ = bodyRead_ = 0;
  tooLarge_ = late_ = encoded_ = false;
  auto until = Clock::now() + (buffer_.empty() ? limits_.keepAlive : limits_.head);
  for (;;) {
    // Empty lines before a request line are to be ignored (RFC 9112, 2.2).
    const auto start = buffer_.find_first_not_of("\r\n");
    if (start != 0) buffer_.erase(0, start);
    const auto end = buffer_.find("\r\n\r\n");
    if (end != std::string::npos) {
      clean(end + 4);
      bodyUntil_ = Clock::now() + limits_.body;
      return true;
    }
    if (buffer_.size() > limits_.headBytes) {
      headTooLarge_ = true;
      return false;
    }
    const bool first = buffer_.empty();
    const auto old = buffer_.size();
    buffer_.resize(old + kReadSize);
    const auto n = readSome(buffer_.data() + old, kReadSize, until);
    buffer_.resize(old + static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
    if (n <= 0) return false;
    if (first) until = Clock::now() + limits_.head;
  }
}

void TlsConnection::clean(std::size_t headSize) {
  std::string head;
  bool length = false;
  for (std::size_t at = 0; at < headSize;) {
    const auto end = buffer_.find("\r\n", at);
    const std::string line = buffer_.substr(at, end - at);
    at = end + 2;
    if (line.empty()) break;
    const auto colon = line.find(':');
    const std::string name = head.empty() || colon == std::string::npos ? "" : lower(line.substr(0, colon));
    if (name == "content-encoding" && lower(line).find("identity") == std::string::npos) encoded_ = true;
    if (name == "range" || name == "accept-encoding" || name == "content-encoding") continue;
    length = length || name == "content-length" || name == "transfer-encoding";
    head += line + "\r\n";
  }
  if (!length) head += "Content-Length: 0\r\n";
  head += "\r\n";
  buffer_.replace(0, headSize, head);
  headLeft_ = head.size();
}

ssize_t TlsConnection::read(char* data, std::size_t size) {
  if (consumed_ < buffer_.size()) {
    std::size_t n = std::min(size, buffer_.size() - consumed_);
    if (headLeft_ > 0) n = std::min(n, headLeft_);
    std::copy_n(buffer_.data() + consumed_, n, data);
    consumed_ += n;
    if (headLeft_ > 0) headLeft_ -= n;
    else bodyRead_ += n;
    return static_cast<ssize_t>(n);
  }
  // A chunked body carries its own framing; allow for it, and for the line after the last chunk.
  if (bodyRead_ > limits_.bodyBytes + limits_.bodyBytes / 8) {
    tooLarge_ = true;
    return -1;
  }
  if (consumed_ > 0) {
    buffer_.clear();
    buffer_.shrink_to_fit();
    consumed_ = 0;
  }
  const auto n = readSome(data, size, bodyUntil_);
  late_ = n < 0 && !failed_;
  if (n > 0) bodyRead_ += static_cast<std::size_t>(n);
  return n;
}

ssize_t TlsConnection::write(const char* data, std::size_t size) {
  const auto until = Clock::now() + limits_.write;
  while (!failed_) {
    ERR_clear_error();
    const int n = SSL_write(ssl_, data, static_cast<int>(std::min<std::size_t>(size, 1 << 20)));
    if (n > 0) return n;
    const int why = SSL_get_error(ssl_, n);
    const short events = why == SSL_ERROR_WANT_READ ? POLLIN : why == SSL_ERROR_WANT_WRITE ? POLLOUT : 0;
    if (events == 0 || await(events, until) != Outcome::ready) failed_ = true;
  }
  return -1;
}

void TlsConnection::drain() {
  SSL_shutdown(ssl_);
  ::shutdown(fd_, SHUT_WR);
  const auto until = Clock::now() + std::chrono::seconds(1);
  char waste[kReadSize];
  std::size_t left = 1 << 20;
  while (left > sizeof waste && !failed_) {
    const auto n = ::recv(fd_, waste, sizeof waste, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return;
    if (n > 0) left -= static_cast<std::size_t>(n);
    else if (await(POLLIN, until) != Outcome::ready) return;
  }
}

bool TlsConnection::waitFor(int wakeFd, std::chrono::milliseconds atMost) {
  if (failed_) return false;
  pollfd polls[2] = {{fd_, POLLRDHUP, 0}, {wakeFd, POLLIN, 0}};
  const int n = ::poll(polls, 2, static_cast<int>(atMost.count()));
  if (n < 0) return errno == EINTR;
  return (polls[0].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL)) == 0;
}

}  // namespace steer
