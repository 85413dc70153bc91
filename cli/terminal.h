#pragma once
// What a person sees: colour only on a terminal, progress only when it takes longer than a second.
// Thread rule: one printer at a time; Progress has a thread of its own that only draws.
#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>

namespace steer::cli {

/// Standard output is a terminal, NO_COLOR is unset and TERM is not dumb.
bool colourWanted();
bool stdinIsTerminal();
/// Asks on the terminal; only "yes" or "y" is yes. False without a terminal.
bool confirm(const std::string& question);

enum class Colour { red, green, yellow, blue, cyan, bold, dim };
/// The text in colour, or as it is when colour is not wanted.
std::string paint(Colour colour, std::string_view text);
/// "error: …" on standard error, red on a terminal.
void printError(std::string_view message);

/// A line on standard error that appears after one second and goes away at the end; nothing
/// without a terminal.
class Progress {
 public:
  explicit Progress(std::string what);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;
  void say(std::string what);

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable cv_;
  std::string what_;
  bool done_ = false;
  std::thread thread_;
};

}  // namespace steer::cli
