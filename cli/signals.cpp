#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <atomic>
#include <csignal>
#include <cstdint>

#include "cli/command.h"

namespace steer::cli {
namespace {

std::atomic<bool> seen{false};
std::atomic<int> last{0};

int wakeFd() {
  static const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  return fd;
}

void onSignal(int number) {
  last = number;
  seen = true;
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto n = write(wakeFd(), &one, sizeof one);
}

struct Install {
  Install() {
    wakeFd();
    struct sigaction action {};
    action.sa_handler = onSignal;
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, nullptr);
    sigaction(SIGTERM, &action, nullptr);
    std::signal(SIGPIPE, SIG_IGN);
  }
};

void install() { static const Install once; }

}  // namespace

bool interrupted() {
  install();
  return seen;
}

int interruptSignal() { return last; }

void waitForInterrupt() {
  install();
  while (!seen) {
    pollfd p{wakeFd(), POLLIN, 0};
    poll(&p, 1, -1);
  }
}

void interrupt() {
  install();
  onSignal(SIGTERM);
}

}  // namespace steer::cli
