#include "reconciler/git/network_stream.h"

#include <git2.h>
#include <git2/sys/stream.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <memory>
#include <vector>

#include "core/ip_address.h"
#include "reconciler/git/git_handles.h"

namespace steer::git {
namespace {

struct Address {
  sockaddr_storage where{};
  socklen_t size = 0;
  int family = AF_UNSPEC;
  std::string text;
};

Result<std::vector<Address>> networkAddresses(const std::string& host, const std::string& port) {
  addrinfo hints{};
  hints.ai_family = AF_UNSPEC;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (const int rc = getaddrinfo(host.c_str(), port.c_str(), &hints, &found); rc != 0)
    return makeError(Errc::unavailable, "the name " + host + " cannot be resolved: " + gai_strerror(rc));
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> held(found, freeaddrinfo);
  std::vector<Address> out;
  for (const auto* at = found; at != nullptr; at = at->ai_next) {
    char text[NI_MAXHOST] = "";
    if (getnameinfo(at->ai_addr, at->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) continue;
    if (isLocalAddress(text)) continue;
    Address address;
    std::memcpy(&address.where, at->ai_addr, at->ai_addrlen);
    address.size = at->ai_addrlen;
    address.family = at->ai_family;
    address.text = text;
    out.push_back(std::move(address));
  }
  if (out.empty())
    return kindError(Errc::forbidden, "AddressRefused",
                     host +
                         " leads to the server's own machine, which is open to the administrator's own applications "
                         "alone (--allow-source)");
  return out;
}

struct NetworkStream {
  git_stream base{};  ///< first: libgit2 knows this part
  std::string host;
  std::string port;
  int fd = -1;
};

int fail(const std::string& why) {
  git_error_set_str(GIT_ERROR_NET, why.c_str());
  return -1;
}

int onConnect(git_stream* stream) {
  auto* self = reinterpret_cast<NetworkStream*>(stream);
  const auto addresses = networkAddresses(self->host, self->port);
  if (!addresses.ok()) return fail(addresses.error().message);
  int code = 0;
  for (const auto& address : *addresses) {
    const int fd = ::socket(address.family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 && ::connect(fd, reinterpret_cast<const sockaddr*>(&address.where), address.size) == 0) {
      self->fd = fd;
      return 0;
    }
    code = errno;
    if (fd >= 0) ::close(fd);
  }
  return fail("failed to connect to " + self->host + ": " + std::strerror(code));
}

ssize_t onRead(git_stream* stream, void* data, size_t size) {
  const ssize_t n = ::recv(reinterpret_cast<NetworkStream*>(stream)->fd, data, size, 0);
  return n < 0 ? fail(std::string("the connection broke: ") + std::strerror(errno)) : n;
}

ssize_t onWrite(git_stream* stream, const char* data, size_t size, int) {
  const ssize_t n = ::send(reinterpret_cast<NetworkStream*>(stream)->fd, data, size, MSG_NOSIGNAL);
  return n < 0 ? fail(std::string("the connection broke: ") + std::strerror(errno)) : n;
}

int onClose(git_stream* stream) {
  auto* self = reinterpret_cast<NetworkStream*>(stream);
  if (self->fd >= 0) ::close(self->fd);
  self->fd = -1;
  return 0;
}

void onFree(git_stream* stream) {
  onClose(stream);
  delete reinterpret_cast<NetworkStream*>(stream);
}

int makeStream(git_stream** out, const char* host, const char* port) {
  auto self = std::make_unique<NetworkStream>();
  self->base.version = GIT_STREAM_VERSION;
  self->base.connect = onConnect;
  self->base.read = onRead;
  self->base.write = onWrite;
  self->base.close = onClose;
  self->base.free = onFree;
  self->host = host;
  self->port = port;
  *out = &self.release()->base;
  return 0;
}

}  // namespace

Result<void> keepToNetwork() {
  startLibrary();
  git_stream_registration registration{};
  registration.version = GIT_STREAM_VERSION;
  registration.init = makeStream;
  if (const int rc = git_stream_register(GIT_STREAM_STANDARD, &registration); rc != 0)
    return gitError(rc, "connections cannot be kept to the network");
  return {};
}

Result<std::string> networkAddressOf(const std::string& host, const std::string& port) {
  STEER_TRY(const auto addresses, networkAddresses(host, port));
  return addresses.front().text;
}

}  // namespace steer::git
