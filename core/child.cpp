#include "core/child.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <string_view>

extern char** environ;

namespace steer {
namespace {

/// A file descriptor that closes itself.
struct Fd {
  int fd = -1;
  Fd() = default;
  explicit Fd(int f) : fd(f) {}
  Fd(Fd&& other) noexcept : fd(std::exchange(other.fd, -1)) {}
  Fd& operator=(Fd&& other) noexcept {
    std::swap(fd, other.fd);
    return *this;
  }
  ~Fd() { reset(); }
  void reset() {
    if (fd >= 0) ::close(fd);
    fd = -1;
  }
};

struct Pipe {
  Fd read, write;
  static Result<Pipe> make() {
    int fds[2];
    if (::pipe2(fds, O_CLOEXEC) != 0) return makeError(Errc::internal, std::string("pipe: ") + std::strerror(errno));
    return Pipe{Fd{fds[0]}, Fd{fds[1]}};
  }
};

std::string findInPath(const std::string& name) {
  if (name.find('/') != std::string::npos) return name;
  const char* path = ::getenv("PATH");
  // Packages put ip, nft and runc where the PATH of an ordinary login does not look.
  std::string all = std::string(path != nullptr ? path : "/usr/bin:/bin") + ":/usr/sbin:/sbin:/usr/local/sbin";
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find(':', at), all.size());
    const std::string candidate = all.substr(at, end - at) + "/" + name;
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return "";
}

std::vector<std::string> mergedEnv(const ChildSpec& spec) {
  std::vector<std::string> env;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry = *e;
    bool replaced = false;
    for (const auto& [key, value] : spec.env) replaced |= entry.starts_with(key + "=");
    if (!replaced) env.emplace_back(entry);
  }
  for (const auto& [key, value] : spec.env) env.push_back(key + "=" + value);
  return env;
}

std::vector<char*> pointers(std::vector<std::string>& strings) {
  std::vector<char*> out;
  for (auto& s : strings) out.push_back(s.data());
  out.push_back(nullptr);
  return out;
}

int exitCode(int status) { return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status); }

struct Streams {
  int in = -1, out = -1, err = -1;  ///< -1 = inherited
};

/// What the forked child needs, prepared before the fork: between fork and exec only
/// async-signal-safe calls are allowed.
struct Launch {
  std::string program;
  char** argv;
  char** env;
  int netns;
  Streams streams;
  bool newSession;
  int report;  ///< errno goes here when exec fails
};

[[noreturn]] void launch(const Launch& l) {
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::signal(SIGPIPE, SIG_DFL);
  bool ok = !l.newSession || ::setsid() >= 0;
  ok = ok && (l.netns < 0 || ::setns(l.netns, CLONE_NEWNET) == 0);
  ok = ok && (l.streams.in < 0 || ::dup2(l.streams.in, 0) >= 0);
  ok = ok && (l.streams.out < 0 || ::dup2(l.streams.out, 1) >= 0);
  ok = ok && (l.streams.err < 0 || ::dup2(l.streams.err, 2) >= 0);
  if (ok) ::execve(l.program.c_str(), l.argv, l.env);
  const int code = errno;
  (void)!::write(l.report, &code, sizeof code);
  ::_exit(127);
}

Result<pid_t> spawn(const ChildSpec& spec, const Streams& streams) {
  if (spec.argv.empty()) return makeError(Errc::internal, "no command");
  const std::string program = findInPath(spec.argv[0]);
  if (program.empty()) return makeError(Errc::notFound, "command not found: " + spec.argv[0]);
  Fd netns;
  if (!spec.netns.empty()) {
    netns = Fd{::open(spec.netns.c_str(), O_RDONLY | O_CLOEXEC)};
    if (netns.fd < 0) return makeError(Errc::notFound, "network namespace " + spec.netns + ": " + std::strerror(errno));
  }
  auto args = spec.argv;
  auto env = mergedEnv(spec);
  auto argv = pointers(args);
  auto envp = pointers(env);
  STEER_TRY(Pipe report, Pipe::make());
  const Launch l{program, argv.data(), envp.data(), netns.fd, streams, spec.newSession, report.write.fd};
  const pid_t pid = ::fork();
  if (pid == 0) launch(l);
  if (pid < 0) return makeError(Errc::unavailable, std::string("fork: ") + std::strerror(errno));
  report.write.reset();
  int code = 0;
  if (::read(report.read.fd, &code, sizeof code) == sizeof code) {
    ::waitpid(pid, nullptr, 0);
    return makeError(Errc::internal, "start " + spec.argv[0] + ": " + std::strerror(code));
  }
  return pid;
}

/// Waits on a pidfd, so that the end of the process is seen at once.
void waitForEnd(pid_t pid, const Deadline& end) {
  const Fd fd{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))};
  if (fd.fd < 0) return;
  pollfd p{fd.fd, POLLIN, 0};
  (void)::poll(&p, 1, end.pollMilliseconds());
}

enum class Exchange { closed, late, stopped };

/// Feeds stdin and collects both outputs until all are closed.
Exchange exchange(Pipe& in, Pipe& out, Pipe& err, std::string_view input, CommandOutput& result, const Deadline& end,
                  int stopFd) {
  ::fcntl(in.write.fd, F_SETFL, O_NONBLOCK);
  if (input.empty()) in.write.reset();
  std::array<char, 16384> buffer{};
  while (out.read.fd >= 0 || err.read.fd >= 0) {
    std::array<pollfd, 4> fds{
        {{in.write.fd, POLLOUT, 0}, {out.read.fd, POLLIN, 0}, {err.read.fd, POLLIN, 0}, {stopFd, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), end.pollMilliseconds()) <= 0) {
      if (end.passed()) return Exchange::late;
      continue;
    }
    if (fds[3].revents != 0) return Exchange::stopped;
    if (fds[0].revents != 0) {
      const ssize_t n = ::write(in.write.fd, input.data(), input.size());
      if (n > 0) input.remove_prefix(static_cast<std::size_t>(n));
      if (input.empty() || (n < 0 && errno != EAGAIN)) in.write.reset();
    }
    const auto take = [&](const pollfd& p, Fd& fd, std::string& into) {
      if (p.revents == 0) return;
      const ssize_t n = ::read(fd.fd, buffer.data(), buffer.size());
      if (n > 0) into.append(buffer.data(), static_cast<std::size_t>(n));
      else if (n == 0 || errno != EINTR) fd.reset();
    };
    take(fds[1], out.read, result.out);
    take(fds[2], err.read, result.err);
  }
  return Exchange::closed;
}

}  // namespace

Result<Child> Child::start(const ChildSpec& spec) {
  const Fd null{::open("/dev/null", O_RDONLY | O_CLOEXEC)};
  Fd out;
  if (!spec.outFile.empty()) {
    out = Fd{::open(spec.outFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)};
    if (out.fd < 0) return makeError(Errc::io, spec.outFile + ": " + std::strerror(errno));
  }
  STEER_TRY(const pid_t pid, spawn(spec, {null.fd, out.fd, out.fd}));
  return Child{pid};
}

std::optional<int> Child::poll() {
  if (ended_) return ended_;
  int status = 0;
  const pid_t got = ::waitpid(pid_, &status, WNOHANG);
  if (got == pid_) ended_ = exitCode(status);
  if (got < 0 && errno == ECHILD) ended_ = 0;
  return ended_;
}

std::optional<int> Child::wait(Duration atMost) {
  const Deadline end{atMost};
  while (!poll() && !end.passed()) waitForEnd(pid_, end);
  return poll();
}

void Child::signal(int number) {
  if (!poll()) ::kill(pid_, number);
}

Result<CommandOutput> runCommand(const ChildSpec& spec, std::string_view input, Duration atMost) {
  const Deadline end{atMost};
  STEER_TRY(Pipe in, Pipe::make());
  STEER_TRY(Pipe out, Pipe::make());
  STEER_TRY(Pipe err, Pipe::make());
  ChildSpec plain = spec;
  plain.newSession = false;
  STEER_TRY(const pid_t pid, spawn(plain, {in.read.fd, out.write.fd, err.write.fd}));
  in.read.reset();
  out.write.reset();
  err.write.reset();
  CommandOutput result;
  const Exchange exchanged = exchange(in, out, err, input, result, end, spec.stopFd);
  int status = 0;
  pid_t got = 0;
  while (exchanged == Exchange::closed && (got = ::waitpid(pid, &status, WNOHANG)) == 0 && !end.passed())
    waitForEnd(pid, end);
  if (got == 0) {
    ::kill(pid, SIGKILL);
    ::waitpid(pid, &status, 0);
    if (exchanged == Exchange::stopped) return makeError(Errc::cancelled, spec.argv[0] + " was stopped");
    return makeError(Errc::timeout, spec.argv[0] + " did not end in time");
  }
  result.code = exitCode(status);
  return result;
}

Result<std::string> runChecked(const ChildSpec& spec, std::string_view input, Duration atMost) {
  STEER_TRY(CommandOutput result, runCommand(spec, input, atMost));
  if (result.code == 0) return std::move(result.out);
  std::string said = result.err.empty() ? result.out : result.err;
  while (!said.empty() && said.back() == '\n') said.pop_back();
  if (said.size() > 600) said = "…" + said.substr(said.size() - 600);
  std::string command;
  for (const auto& a : spec.argv) command += (command.empty() ? "" : " ") + a;
  return makeError(Errc::internal, command + ": exit code " + std::to_string(result.code) + ": " + said);
}

}  // namespace steer
