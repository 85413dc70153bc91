#pragma once
// A machine of its own for a test: the process moves into a fresh network namespace, so nothing of
// the real machine is seen or touched. Without root the test program reports "skipped".
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "core/child.h"
#include "nodeagent/network/ip_tool.h"

namespace steer::test {

/// Enters a fresh network namespace with loopback up.
inline void ownMachine() {
  if (::geteuid() != 0 || ::unshare(CLONE_NEWNET) != 0) {
    std::puts("skipped: network namespaces need root");
    std::fflush(stdout);
    std::_Exit(77);
  }
  if (!IpTool().batch({"link set lo up"}).ok()) std::abort();
}

/// Runs f on a thread inside the namespace; sockets made there stay there.
inline void inside(const std::string& netns, const std::function<void()>& f) {
  std::thread([&] {
    if (!netns.empty()) {
      const int fd = ::open(netns.c_str(), O_RDONLY | O_CLOEXEC);
      if (fd < 0 || ::setns(fd, CLONE_NEWNET) != 0) std::abort();
      ::close(fd);
    }
    f();
  }).join();
}

class TempDir {
 public:
  TempDir() {
    std::string pattern = "/tmp/steer-test-XXXXXX";
    path_ = ::mkdtemp(pattern.data());
  }
  ~TempDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

inline sockaddr_in socketAddress(const std::string& ip, std::uint16_t port) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  a.sin_port = htons(port);
  ::inet_pton(AF_INET, ip.c_str(), &a.sin_addr);
  return a;
}

/// Answers every TCP connection and UDP packet with "<name> <client address>".
class EchoServer {
 public:
  EchoServer(const std::string& netns, std::string name, std::uint16_t port) : name_(std::move(name)) {
    inside(netns, [&] {
      const auto a = socketAddress("0.0.0.0", port);
      tcp_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
      udp_ = ::socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
      if (::bind(tcp_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0 || ::listen(tcp_, 64) != 0 ||
          ::bind(udp_, reinterpret_cast<const sockaddr*>(&a), sizeof a) != 0)
        std::abort();
    });
    thread_ = std::thread([this] { run(); });
  }
  ~EchoServer() {
    stopping_ = true;
    thread_.join();
    ::close(tcp_);
    ::close(udp_);
  }

 private:
  std::string text(const sockaddr_in& from) const {
    char ip[INET_ADDRSTRLEN] = "";
    ::inet_ntop(AF_INET, &from.sin_addr, ip, sizeof ip);
    return name_ + " " + ip;
  }
  void run() {
    while (!stopping_) {
      pollfd fds[2] = {{tcp_, POLLIN, 0}, {udp_, POLLIN, 0}};
      if (::poll(fds, 2, 20) <= 0) continue;
      sockaddr_in from{};
      socklen_t size = sizeof from;
      if (fds[0].revents != 0) {
        const int client = ::accept(tcp_, reinterpret_cast<sockaddr*>(&from), &size);
        const auto said = text(from);
        (void)!::write(client, said.data(), said.size());
        ::close(client);
      }
      if (fds[1].revents != 0) {
        char buffer[64];
        (void)!::recvfrom(udp_, buffer, sizeof buffer, 0, reinterpret_cast<sockaddr*>(&from), &size);
        const auto said = text(from);
        ::sendto(udp_, said.data(), said.size(), 0, reinterpret_cast<sockaddr*>(&from), size);
      }
    }
  }
  std::string name_;
  int tcp_ = -1, udp_ = -1;
  std::atomic<bool> stopping_{false};
  std::thread thread_;
};

/// "<name> <client as seen>" of who answers at ip:port for a client in netns; "refused", "unreachable"
/// or "timeout" otherwise. sourcePort 0 = any.
inline std::string call(const std::string& netns, const std::string& ip, std::uint16_t port, int type = SOCK_STREAM,
                        std::uint16_t sourcePort = 0) {
  std::string result;
  inside(netns, [&] {
    const int fd = ::socket(AF_INET, type | SOCK_CLOEXEC, 0);
    const int on = 1;
    ::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    const timeval wait{1, 500'000};
    ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait);
    ::setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &wait, sizeof wait);
    const auto self = socketAddress("0.0.0.0", sourcePort);
    if (sourcePort != 0) (void)!::bind(fd, reinterpret_cast<const sockaddr*>(&self), sizeof self);
    const auto a = socketAddress(ip, port);
    char buffer[128];
    ssize_t n = -1;
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&a), sizeof a) == 0) {
      if (type == SOCK_DGRAM) (void)!::send(fd, "?", 1, MSG_NOSIGNAL);
      n = ::recv(fd, buffer, sizeof buffer, 0);
    }
    if (n >= 0) result.assign(buffer, static_cast<std::size_t>(n));
    else if (errno == ECONNREFUSED) result = "refused";
    else if (errno == EHOSTUNREACH || errno == ENETUNREACH) result = "unreachable";
    else result = "timeout";
    ::close(fd);
  });
  return result;
}

}  // namespace steer::test
