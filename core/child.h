#pragma once
// Child: a program started as a process of its own, by an argument vector (never through a shell),
// optionally inside another network namespace. Destroying a Child does not end the process; a child
// that ended is reaped by poll(), wait() or a later start(). Thread rule: one owner.
// Failure rule: start fails when the program or the namespace cannot be opened.
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/clock.h"
#include "core/result.h"

namespace steer {

struct ChildSpec {
  std::vector<std::string> argv;                           ///< argv[0] is looked up in PATH
  std::vector<std::pair<std::string, std::string>> env{};  ///< added to the environment of this process
  std::string netns{};                                     ///< path such as /run/netns/x; empty = the caller's
  std::string outFile{};                                   ///< stdout and stderr are appended here; empty = inherited
  bool newSession = false;                                 ///< setsid: signals of the terminal do not reach it
  int stopFd = -1;                                         ///< runCommand: once readable, the command is killed
};

class Child {
 public:
  static Result<Child> start(const ChildSpec& spec);

  pid_t pid() const { return pid_; }
  /// The exit code (128 + signal when killed) once it ended; never blocks.
  std::optional<int> poll();
  /// Like poll, but waits at most so long.
  std::optional<int> wait(Duration atMost);
  /// Nothing happens when it has ended.
  void signal(int number);

 private:
  explicit Child(pid_t pid) : pid_(pid) {}
  pid_t pid_;
  std::optional<int> ended_;
};

struct CommandOutput {
  int code = 0;  ///< 128 + signal when killed
  std::string out;
  std::string err;
};

/// Runs a command to its end, with `input` as stdin. Errc::timeout (and the command is killed) after atMost,
/// Errc::cancelled when the spec's stopFd becomes readable.
/// outFile and newSession of the spec are not used.
Result<CommandOutput> runCommand(const ChildSpec& spec, std::string_view input = "", Duration atMost = seconds{10});
/// The same, and an exit code other than 0 is an error whose message holds the end of stderr.
Result<std::string> runChecked(const ChildSpec& spec, std::string_view input = "", Duration atMost = seconds{10});

}  // namespace steer
