#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <mutex>
#include <thread>

#include "core/barrier.h"
#include "core/utf8.h"
#include "reconciler/git/fetch_commit.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/ledger_remote.h"
#include "reconciler/git/network_stream.h"
#include "reconciler/git/ref_push.h"
#include "reconciler/git/revert_commit.h"
#include "reconciler/git/ssh_program.h"
#include "reconciler/git/ssh_transport.h"
#include "reconciler/git/transfer.h"

namespace steer {
namespace {

constexpr rlim_t kMaxFile = rlim_t{4} << 30;    ///< one pack; a server that never stops sending meets it
constexpr rlim_t kMaxMemory = rlim_t{6} << 30;  ///< addresses, which includes the mapped packs

std::string readAll(int fd) {
  std::string out;
  std::array<char, 65536> buffer{};
  for (ssize_t n = 0; (n = ::read(fd, buffer.data(), buffer.size())) > 0;)
    out.append(buffer.data(), static_cast<std::size_t>(n));
  return out;
}

void writeAll(int fd, std::string_view text) {
  while (!text.empty()) {
    const ssize_t n = ::write(fd, text.data(), text.size());
    if (n <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(n));
  }
}

void limitMyself() {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);  // writing too much is an error of the write instead
  ::signal(SIGINT, SIG_IGN);   // Ctrl-C at the terminal is the parent's business
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  const rlimit file{kMaxFile, kMaxFile};
  ::setrlimit(RLIMIT_FSIZE, &file);
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  const rlimit memory{kMaxMemory, kMaxMemory};
  ::setrlimit(RLIMIT_AS, &memory);
#endif
}

/// Ends the process when nothing moved for the timeout, or when all of it takes too long.
class Watchdog {
 public:
  explicit Watchdog(const RemoteAccess& access)
      : access_(access), thread_([this] { barrier::keepRunning("the watch over a transfer", [this] { watch(); }); }) {}
  ~Watchdog() {
    {
      const std::lock_guard guard(mutex_);
      done_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }

 private:
  void watch() {
    using std::chrono::steady_clock;
    const auto start = steady_clock::now();
    auto moved = start;
    auto beats = git::transferBeats().load();
    std::unique_lock lock(mutex_);
    while (!changed_.wait_for(lock, milliseconds(100), [this] { return done_; })) {
      const auto now = steady_clock::now();
      if (const auto b = git::transferBeats().load(); b != beats) {
        beats = b;
        moved = now;
      }
      if (now - moved > access_.timeout()) end(" does not answer");
      if (now - start > access_.longest()) end(": the transfer took too long");
    }
  }
  [[noreturn]] void end(const std::string& why) {
    const Error e = git::kindError(Errc::timeout, "Timeout", access_.url().url + why);
    writeAll(STDOUT_FILENO, jsonText(json::object{{"error", git::toJson(e)}}));
    ::_exit(3);
  }

  const RemoteAccess& access_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool done_ = false;
  std::thread thread_;  ///< last: it uses the others
};

Result<json::object> serve(const std::string& request) {
  STEER_TRY(const json::value asked, parseJson(request));
  STEER_TRY(const RemoteAccess access, RemoteAccess::fromJson(objectAt(asked, {"access"})));
  const auto& arguments = objectAt(asked, {"arguments"});
  git::startLibrary();
  STEER_CHECK(git::useOpenSsh());
  STEER_CHECK(git::trustAuthorities(access.credentials().caFile));
  if (access.credentials().reach == Reach::network) {
    if (access.url().kind == RemoteUrl::Kind::local)
      return git::kindError(Errc::forbidden, "AddressRefused", access.url().url + " is a directory of this machine");
    STEER_CHECK(git::keepToNetwork());
  }
  const Watchdog watchdog(access);
  return git::operate(access, stringAt(asked, {"operation"}), arguments);
}

}  // namespace

int serveTransfer() {
  limitMyself();
  const auto answer = serve(readAll(STDIN_FILENO));
  writeAll(STDOUT_FILENO, jsonText(answer.ok() ? json::object{{"done", *answer}}
                                               : json::object{{"error", git::toJson(answer.error())}}));
  return answer.ok() ? 0 : 2;
}

std::optional<int> answerPassphrase() {
  const char* file = std::getenv(git::kPassphraseFile);
  if (file == nullptr) return std::nullopt;
  const int fd = ::open(file, O_RDONLY | O_CLOEXEC);
  if (fd < 0) return 1;
  writeAll(STDOUT_FILENO, readAll(fd));
  ::close(fd);
  return 0;
}

namespace git {

namespace {

Result<json::object> perform(const RemoteAccess& access, std::string_view operation, const json::object& arguments) {
  if (operation == "fetch") return fetchOperation(access, arguments);
  if (operation == "look") return lookOperation(access, arguments);
  if (operation == "push") return pushOperation(access, arguments);
  if (operation == "branch") return branchOperation(access, arguments);
  return makeError(Errc::badRequest, "an unknown operation was asked for");
}

}  // namespace

Result<json::object> operate(const RemoteAccess& access, std::string_view operation, const json::object& arguments) {
  auto done = perform(access, operation, arguments);
  if (done.ok()) makeUtf8(*done);  // names of references, too, are any bytes
  return done;
}

}  // namespace git
}  // namespace steer
