#include "nodeagent/dns/dns_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <sstream>
#include <thread>

#include "core/barrier.h"
#include "core/executor.h"
#include "core/random.h"
#include "core/sync.h"
#include "nodeagent/dns/dns_message.h"

namespace steer {
namespace {

constexpr std::size_t maxPending = 512;  ///< questions waiting for an upstream, and TCP clients
constexpr std::size_t tcpLimit = 65535;
constexpr Duration tcpIdle = seconds{5};

class Socket {
 public:
  explicit Socket(int fd = -1) : fd_(fd) {}
  Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  Socket& operator=(Socket&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~Socket() {
    if (fd_ >= 0) ::close(fd_);
  }
  int fd() const { return fd_; }

 private:
  int fd_;
};

std::optional<sockaddr_in> addressOf(const std::string& text, std::uint16_t defaultPort) {
  sockaddr_in a{};
  a.sin_family = AF_INET;
  const auto colon = text.find(':');
  std::uint16_t port = defaultPort;
  if (colon != std::string::npos) std::from_chars(text.data() + colon + 1, text.data() + text.size(), port);
  a.sin_port = htons(port);
  if (::inet_pton(AF_INET, text.substr(0, colon).c_str(), &a.sin_addr) != 1) return std::nullopt;
  return a;
}

const sockaddr* generic(const sockaddr_in& a) { return reinterpret_cast<const sockaddr*>(&a); }

Result<Socket> bound(int type, const std::string& address, std::uint16_t port) {
  const auto where = addressOf(address, port);
  if (!where) return makeError(Errc::invalid, "not an IPv4 address: " + address);
  Socket s(::socket(AF_INET, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const int on = 1;
  // The pod bridge may come later than the server.
  ::setsockopt(s.fd(), IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
  ::setsockopt(s.fd(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(s.fd(), generic(*where), sizeof *where) != 0 || (type == SOCK_STREAM && ::listen(s.fd(), 128) != 0))
    return makeError(errno == EADDRINUSE ? Errc::alreadyExists : Errc::unavailable,
                     "DNS cannot listen on " + address + ":" + std::to_string(port) + ": " + std::strerror(errno));
  return s;
}

std::uint16_t portOf(const Socket& s) {
  sockaddr_in a{};
  socklen_t size = sizeof a;
  ::getsockname(s.fd(), reinterpret_cast<sockaddr*>(&a), &size);
  return ntohs(a.sin_port);
}

/// Waits for an event on fd; false when the time is over or the server stops.
bool ready(int fd, short events, int stopFd, const Deadline& end) {
  std::array<pollfd, 2> fds{{{fd, events, 0}, {stopFd, POLLIN, 0}}};
  return ::poll(fds.data(), fds.size(), end.pollMilliseconds()) > 0 && fds[1].revents == 0 && fds[0].revents != 0;
}

bool readExactly(int fd, char* to, std::size_t size, int stopFd, const Deadline& end) {
  while (size > 0) {
    const ssize_t n = ::recv(fd, to, size, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR)) return false;
    if (n < 0 && !ready(fd, POLLIN, stopFd, end)) return false;
    if (n > 0) to += n, size -= static_cast<std::size_t>(n);
  }
  return true;
}

bool writeAll(int fd, std::string_view bytes, int stopFd, const Deadline& end) {
  while (!bytes.empty()) {
    const ssize_t n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
    if (n < 0 && !ready(fd, POLLOUT, stopFd, end)) return false;
    if (n > 0) bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

/// TCP carries a message behind its length in two bytes.
bool readFrame(int fd, std::string& message, int stopFd, const Deadline& end) {
  std::array<unsigned char, 2> head{};
  if (!readExactly(fd, reinterpret_cast<char*>(head.data()), 2, stopFd, end)) return false;
  message.resize(static_cast<std::size_t>(head[0]) << 8 | head[1]);
  return readExactly(fd, message.data(), message.size(), stopFd, end);
}

bool writeFrame(int fd, const std::string& message, int stopFd, const Deadline& end) {
  const std::string head{static_cast<char>(message.size() >> 8 & 255), static_cast<char>(message.size() & 255)};
  return writeAll(fd, head + message, stopFd, end);
}

void setId(std::string& message, std::uint16_t id) {
  if (message.size() < 2) return;
  message[0] = static_cast<char>(id >> 8 & 255);
  message[1] = static_cast<char>(id & 255);
}

bool sameId(std::string_view message, std::uint16_t id) {
  return message.size() > 12 && static_cast<unsigned char>(message[0]) == (id >> 8) &&
         static_cast<unsigned char>(message[1]) == (id & 255);
}

}  // namespace

struct DnsServer::State {
  DnsServerOptions options;
  Socket udp, tcp, stop;
  Sync<std::shared_ptr<const DnsTable>> table{std::make_shared<const DnsTable>()};
  Random random;
  std::atomic<std::size_t> pending{0};
  ThreadPool workers{8};
  std::thread udpThread, tcpThread;

  void serveUdp();
  void serveTcp();
  void serveClient(int fd);
  void replyLater(DnsQuery query, sockaddr_in client);
  std::string answer(const DnsQuery& query, std::size_t limit, bool stream);
  std::optional<std::string> fromCluster(const DnsQuery& query, std::size_t limit, bool mayAskOthers, bool stream);
  std::string forwarded(const DnsQuery& query, bool stream);
  std::optional<std::string> askUpstream(const std::string& upstream, std::string message, bool stream);
  void send(const std::string& reply, const sockaddr_in& client) const {
    ::sendto(udp.fd(), reply.data(), reply.size(), MSG_NOSIGNAL, generic(client), sizeof client);
  }
};

std::optional<std::string> DnsServer::State::askUpstream(const std::string& upstream, std::string message,
                                                         bool stream) {
  const auto where = addressOf(upstream, 53);
  if (!where) return std::nullopt;
  const Socket s(::socket(AF_INET, (stream ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  const Deadline end{options.upstreamWait};
  if (::connect(s.fd(), generic(*where), sizeof *where) != 0 &&
      (errno != EINPROGRESS || !ready(s.fd(), POLLOUT, stop.fd(), end)))
    return std::nullopt;
  const auto id = static_cast<std::uint16_t>(random.below(65536));
  setId(message, id);
  std::string reply;
  if (stream) {
    if (!writeFrame(s.fd(), message, stop.fd(), end) || !readFrame(s.fd(), reply, stop.fd(), end)) return std::nullopt;
    return sameId(reply, id) ? std::optional(reply) : std::nullopt;
  }
  if (::send(s.fd(), message.data(), message.size(), MSG_NOSIGNAL) < 0) return std::nullopt;
  while (ready(s.fd(), POLLIN, stop.fd(), end)) {
    reply.resize(tcpLimit);
    const ssize_t n = ::recv(s.fd(), reply.data(), reply.size(), 0);
    if (n < 0) return std::nullopt;  // refused: nobody listens there
    reply.resize(static_cast<std::size_t>(n));
    if (sameId(reply, id)) return reply;
  }
  return std::nullopt;
}

std::string DnsServer::State::forwarded(const DnsQuery& query, bool stream) {
  for (const auto& upstream : options.upstreams)
    if (auto reply = askUpstream(upstream, query.raw, stream)) {
      setId(*reply, query.id);
      return std::move(*reply);
    }
  return encodeReply(query, {DnsRcode::serverFailure, false, {}, {}, ""}, tcpLimit);
}

/// Nothing when the name is not the cluster's, or (without mayAskOthers) when its alias leads outside.
std::optional<std::string> DnsServer::State::fromCluster(const DnsQuery& query, std::size_t limit, bool mayAskOthers,
                                                         bool stream) {
  if (!query.standard) return encodeReply(query, {DnsRcode::notImplemented, false, {}, {}, ""}, limit);
  const auto names = table.with([](const auto& t) { return t; });
  DnsAnswer found = resolve(*names, query.question);
  if (found.code == DnsAnswer::Code::notOurs) return std::nullopt;
  if (!found.continueAt.empty() && !mayAskOthers) return std::nullopt;
  DnsReply reply{DnsRcode::noError, true, std::move(found.records), std::move(found.additional), ""};
  if (found.code == DnsAnswer::Code::noSuchName) reply.rcode = DnsRcode::nameError;
  if (reply.records.empty()) reply.negativeZone = names->zone();
  if (!found.continueAt.empty()) {
    const auto question = encodeQuestion({found.continueAt, query.question.type}, 0);
    for (const auto& upstream : options.upstreams)
      if (const auto rest = askUpstream(upstream, question, stream)) {
        if (const auto records = parseRecords(*rest))
          reply.records.insert(reply.records.end(), records->begin(), records->end());
        break;
      }
  }
  // Clients take the first address: each gets another one. Aliases stay in front of what they lead to.
  const auto first =
      std::find_if(reply.records.begin(), reply.records.end(), [](const DnsRecord& r) { return r.type == DnsType::a; });
  if (const auto n = reply.records.end() - first; n > 1 && first == reply.records.begin())
    std::rotate(first, first + static_cast<std::ptrdiff_t>(random.below(static_cast<std::uint64_t>(n))),
                reply.records.end());
  return encodeReply(query, reply, limit);
}

std::string DnsServer::State::answer(const DnsQuery& query, std::size_t limit, bool stream) {
  if (auto reply = fromCluster(query, limit, true, stream)) return std::move(*reply);
  return forwarded(query, stream);
}

void DnsServer::State::replyLater(DnsQuery query, sockaddr_in client) {
  if (++pending > maxPending) {
    --pending;
    return send(encodeReply(query, {DnsRcode::serverFailure, false, {}, {}, ""}, query.udpSize), client);
  }
  workers.submit([this, query = std::move(query), client] {
    send(answer(query, query.udpSize, false), client);
    --pending;
  });
}

void DnsServer::State::serveUdp() {
  std::array<char, 4096> buffer{};
  for (;;) {
    std::array<pollfd, 2> fds{{{udp.fd(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    (void)::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) return;
    for (int i = 0; i < 64; ++i) {
      sockaddr_in client{};
      socklen_t size = sizeof client;
      const ssize_t n =
          ::recvfrom(udp.fd(), buffer.data(), buffer.size(), 0, reinterpret_cast<sockaddr*>(&client), &size);
      if (n < 0) break;
      auto query = parseQuery({buffer.data(), static_cast<std::size_t>(n)});
      if (!query) continue;
      if (const auto reply = fromCluster(*query, query->udpSize, false, false)) send(*reply, client);
      else replyLater(std::move(*query), client);
    }
  }
}

void DnsServer::State::serveClient(int fd) {
  const Socket client(fd);
  std::string message;
  while (readFrame(client.fd(), message, stop.fd(), Deadline{tcpIdle})) {
    const auto query = parseQuery(message);
    if (!query || !writeFrame(client.fd(), answer(*query, tcpLimit, true), stop.fd(), Deadline{tcpIdle})) return;
  }
}

void DnsServer::State::serveTcp() {
  for (;;) {
    std::array<pollfd, 2> fds{{{tcp.fd(), POLLIN, 0}, {stop.fd(), POLLIN, 0}}};
    (void)::poll(fds.data(), fds.size(), -1);
    if (fds[1].revents != 0) return;
    const int fd = ::accept4(tcp.fd(), nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd < 0) continue;
    if (++pending > maxPending) {
      --pending;
      ::close(fd);
      continue;
    }
    workers.submit([this, fd] {
      serveClient(fd);
      --pending;
    });
  }
}

DnsServer::DnsServer(std::unique_ptr<State> state) : state_(std::move(state)) {
  state_->udpThread = std::thread([s = state_.get()] { barrier::keepRunning("DNS over UDP", [s] { s->serveUdp(); }); });
  state_->tcpThread = std::thread([s = state_.get()] { barrier::keepRunning("DNS over TCP", [s] { s->serveTcp(); }); });
}

DnsServer::~DnsServer() {
  const std::uint64_t one = 1;
  (void)!::write(state_->stop.fd(), &one, sizeof one);  // stays readable: every wait sees it
  state_->udpThread.join();
  state_->tcpThread.join();
}

Result<std::unique_ptr<DnsServer>> DnsServer::start(DnsServerOptions options) {
  auto state = std::make_unique<State>();
  state->stop = Socket(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  // With port 0 the port that UDP got may be taken for TCP: then another one is tried.
  for (int attempt = 0;; ++attempt) {
    STEER_TRY(state->udp, bound(SOCK_DGRAM, options.address, options.port));
    auto tcp = bound(SOCK_STREAM, options.address, portOf(state->udp));
    if (tcp.ok()) {
      state->tcp = std::move(*tcp);
      break;
    }
    if (options.port != 0 || attempt == 16) return std::move(tcp).error();
  }
  state->options = std::move(options);
  return std::unique_ptr<DnsServer>(new DnsServer(std::move(state)));
}

void DnsServer::setTable(std::shared_ptr<const DnsTable> table) { *state_->table.lock() = std::move(table); }

std::uint16_t DnsServer::port() const { return portOf(state_->udp); }

std::vector<std::string> DnsServer::upstreamsOf(const std::string& resolvConf, const std::vector<std::string>& except) {
  std::vector<std::string> out;
  std::istringstream lines(resolvConf);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string key, value;
    words >> key >> value;
    if (key == "nameserver" && parseIpv4(value) && std::find(except.begin(), except.end(), value) == except.end())
      out.push_back(value);
  }
  return out;
}

}  // namespace steer
