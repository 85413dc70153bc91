#include "reconciler/git/ssh_program.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>

#include "reconciler/git/git_handles.h"

extern char** environ;

namespace steer::git {
namespace {

constexpr int kGrace = 1000;  ///< ms
constexpr std::size_t kMostComplaints = 16 * 1024;

std::string findProgram(const std::string& name) {
  const char* path = std::getenv("PATH");
  const std::string all = path != nullptr ? path : "/usr/bin:/bin";
  for (std::size_t at = 0; at <= all.size();) {
    const std::size_t end = std::min(all.find(':', at), all.size());
    std::string candidate = all.substr(at, end - at) + "/" + name;
    if (candidate.front() == '/' && ::access(candidate.c_str(), X_OK) == 0) return candidate;
    at = end + 1;
  }
  return "";
}

std::vector<char*> pointersTo(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

void closeFd(int& fd) {
  if (fd >= 0) ::close(fd);
  fd = -1;
}

void awaitReadable(int fd, int timeoutMs) {
  pollfd p{fd, POLLIN, 0};
  (void)::poll(&p, 1, timeoutMs);
}

/// Between fork and exec: calls that are safe there only.
[[noreturn]] void become(const char* program, char** argv, char** env, const std::array<int, 3>& streams,
                         pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);  // it died before we could ask to die with it
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  for (const int number : {SIGPIPE, SIGINT, SIGXFSZ}) ::signal(number, SIG_DFL);
  for (int i = 0; i < 3; ++i)
    if (::dup2(streams[static_cast<std::size_t>(i)], i) < 0) ::_exit(127);
  ::execve(program, argv, env);
  ::_exit(127);
}

}  // namespace

Result<SshProgram> SshProgram::start(std::vector<std::string> argv,
                                     const std::vector<std::pair<std::string, std::string>>& environment) {
  const std::string program = findProgram(argv.front());
  if (program.empty())
    return kindError(Errc::unsupported, "InvalidAddress",
                     "addresses of ssh need the program ssh (Debian package openssh-client), which is not here");
  std::vector<std::string> env;
  for (char** e = environ; *e != nullptr; ++e) {
    const std::string_view entry = *e;
    bool replaced = entry.starts_with("SSH_") || entry.starts_with("DISPLAY=");
    for (const auto& [key, value] : environment) replaced = replaced || entry.starts_with(key + "=");
    if (!replaced) env.emplace_back(entry);
  }
  for (const auto& [key, value] : environment)
    if (!value.empty()) env.push_back(key + "=" + value);
  auto args = pointersTo(argv);
  auto envp = pointersTo(env);
  std::array<std::array<int, 2>, 3> pipes{{{-1, -1}, {-1, -1}, {-1, -1}}};
  for (auto& p : pipes)
    if (::pipe2(p.data(), O_CLOEXEC) != 0) {
      for (auto& made : pipes)
        for (int& fd : made) closeFd(fd);
      return makeError(Errc::unavailable, std::string("pipe: ") + std::strerror(errno));
    }
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) become(program.c_str(), args.data(), envp.data(), {pipes[0][0], pipes[1][1], pipes[2][1]}, parent);
  closeFd(pipes[0][0]);
  closeFd(pipes[1][1]);
  closeFd(pipes[2][1]);
  SshProgram out;
  out.in_ = pipes[0][1];
  out.out_ = pipes[1][0];
  out.err_ = pipes[2][0];
  ::fcntl(out.in_, F_SETFL, O_NONBLOCK);
  ::fcntl(out.err_, F_SETFL, O_NONBLOCK);
  if (pid < 0) {
    out.code_ = 127;
    return makeError(Errc::unavailable, "ssh cannot be started");
  }
  out.pid_ = pid;
  return out;
}

SshProgram::SshProgram(SshProgram&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      in_(std::exchange(other.in_, -1)),
      out_(std::exchange(other.out_, -1)),
      err_(std::exchange(other.err_, -1)),
      complaints_(std::move(other.complaints_)),
      code_(std::exchange(other.code_, 0)) {}

SshProgram::~SshProgram() {
  closeFd(in_);
  if (pid_ > 0) (void)awaitEnd();
  closeFd(out_);
  closeFd(err_);
}

void SshProgram::takeComplaints() {
  std::array<char, 4096> buffer{};
  for (ssize_t n = 0; err_ >= 0 && (n = ::read(err_, buffer.data(), buffer.size())) != -1 && n > 0;)
    if (complaints_.size() < kMostComplaints) complaints_.append(buffer.data(), static_cast<std::size_t>(n));
}

ssize_t SshProgram::read(char* buffer, std::size_t size) {
  while (true) {
    std::array<pollfd, 2> fds{{{out_, POLLIN, 0}, {err_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    if (fds[1].revents != 0) {
      takeComplaints();
      if ((fds[1].revents & (POLLHUP | POLLERR)) != 0) closeFd(err_);
    }
    if (fds[0].revents == 0) continue;
    const ssize_t n = ::read(out_, buffer, size);
    if (n >= 0 || errno != EINTR) return n;
  }
}

bool SshProgram::write(std::string_view text) {
  while (!text.empty()) {
    std::array<pollfd, 2> fds{{{in_, POLLOUT, 0}, {err_, POLLIN, 0}}};
    if (::poll(fds.data(), fds.size(), -1) < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    if (fds[1].revents != 0) {
      takeComplaints();
      if ((fds[1].revents & (POLLHUP | POLLERR)) != 0) closeFd(err_);
    }
    if (fds[0].revents == 0) continue;
    const ssize_t n = ::write(in_, text.data(), text.size());
    if (n > 0) text.remove_prefix(static_cast<std::size_t>(n));
    else if (n < 0 && errno != EAGAIN && errno != EINTR) return false;
  }
  return true;
}

std::string SshProgram::complaints() {
  (void)awaitEnd();
  takeComplaints();
  return complaints_;
}

int SshProgram::awaitEnd() {
  if (pid_ <= 0 || code_ >= 0) return code_;
  closeFd(in_);
  if (const int fd = static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0)); fd >= 0) {
    awaitReadable(fd, kGrace);
    ::close(fd);
  }
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) == 0) {
    ::kill(-pid_, SIGKILL);
    ::waitpid(pid_, &status, 0);
  }
  pid_ = -1;
  code_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  return code_;
}

}  // namespace steer::git
