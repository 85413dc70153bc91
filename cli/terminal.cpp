#include "cli/terminal.h"

#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <iostream>

#include "core/barrier.h"

namespace steer::cli {
namespace {

bool plainWanted() {
  const char* term = std::getenv("TERM");
  return std::getenv("NO_COLOR") != nullptr || (term != nullptr && std::string_view(term) == "dumb");
}

const char* codeOf(Colour colour) {
  switch (colour) {
    case Colour::red:
      return "31";
    case Colour::green:
      return "32";
    case Colour::yellow:
      return "33";
    case Colour::blue:
      return "34";
    case Colour::cyan:
      return "36";
    case Colour::bold:
      return "1";
    case Colour::dim:
      return "2";
  }
  return "0";
}

std::string coloured(Colour colour, std::string_view text) {
  return std::string("\x1b[") + codeOf(colour) + "m" + std::string(text) + "\x1b[0m";
}

}  // namespace

bool colourWanted() { return isatty(STDOUT_FILENO) == 1 && !plainWanted(); }
bool stdinIsTerminal() { return isatty(STDIN_FILENO) == 1; }

bool confirm(const std::string& question) {
  if (!stdinIsTerminal()) return false;
  std::cerr << question << " Only 'yes' is accepted: " << std::flush;
  std::string answer;
  std::getline(std::cin, answer);
  return answer == "yes" || answer == "y";
}

std::string paint(Colour colour, std::string_view text) {
  return colourWanted() ? coloured(colour, text) : std::string(text);
}

void printError(std::string_view message) {
  const bool colour = isatty(STDERR_FILENO) == 1 && !plainWanted();
  std::cerr << (colour ? coloured(Colour::red, "error:") : "error:") << " " << message << "\n";
}

Progress::Progress(std::string what) : what_(std::move(what)) {
  if (isatty(STDERR_FILENO) == 1 && !plainWanted())
    thread_ = std::thread([this] { (void)barrier::run("the progress line", [this] { run(); }); });
}

Progress::~Progress() {
  {
    std::lock_guard lock(mutex_);
    done_ = true;
  }
  cv_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void Progress::say(std::string what) {
  std::lock_guard lock(mutex_);
  what_ = std::move(what);
}

void Progress::run() {
  static constexpr std::string_view frames = "|/-\\";
  std::unique_lock lock(mutex_);
  if (cv_.wait_for(lock, std::chrono::seconds(1), [this] { return done_; })) return;
  for (std::size_t i = 0; !done_; ++i) {
    std::cerr << "\r\x1b[K" << frames[i % frames.size()] << " " << what_ << std::flush;
    cv_.wait_for(lock, std::chrono::milliseconds(120), [this] { return done_; });
  }
  std::cerr << "\r\x1b[K" << std::flush;
}

}  // namespace steer::cli
