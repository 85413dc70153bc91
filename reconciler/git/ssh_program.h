#pragma once
// SshProgram: an ssh that runs as a child in a process group of its own, spoken to by pipes. It dies with the thread
// that started it. Internal to this room. Thread rule: one user, on the thread that started it.
// Failure rule: a program that ended is the end of what can be read; complaints() then says why.
#include <sys/types.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/result.h"

namespace steer::git {

/// Names the file with the passphrase to the program that ssh asks for it (answerPassphrase in transfer.h).
inline constexpr const char* kPassphraseFile = "STEERSMAN_PASSPHRASE_FILE";

class SshProgram {
 public:
  /// argv[0] is looked up in PATH; environment is added to ours. Errors: unsupported where there is no such program.
  static Result<SshProgram> start(std::vector<std::string> argv,
                                  const std::vector<std::pair<std::string, std::string>>& environment);
  SshProgram(SshProgram&& other) noexcept;
  SshProgram& operator=(SshProgram&&) = delete;
  /// Lets it end by itself for a moment, then kills its group.
  ~SshProgram();

  /// Waits for output; 0 at its end, below 0 on failure.
  ssize_t read(char* buffer, std::size_t size);
  bool write(std::string_view text);
  /// What it wrote to stderr, also that which is still on its way when it ended; at most 16 kB.
  std::string complaints();
  /// Its exit code, 128 + signal when killed; waits a moment.
  int awaitEnd();

 private:
  SshProgram() = default;
  void takeComplaints();

  pid_t pid_ = -1;
  int in_ = -1, out_ = -1, err_ = -1;
  std::string complaints_;
  int code_ = -1;  ///< -1 = it runs
};

}  // namespace steer::git
