#pragma once
// Where container logs lie on a node and how they rotate. The runtime writes
// <root>/<ns>_<name>_<uid>/<container>/<attempt>.log; rotation renames it to <attempt>.log.1 (the
// newest) … .N and asks the runtime to reopen. Thread rule: stateless functions.
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/result.h"

namespace steer {

struct LogRotation {
  std::uint64_t maxBytes = 10 * 1024 * 1024;
  int keep = 4;  ///< rotated files beside the current one
};

std::filesystem::path podLogDirectory(const std::filesystem::path& root, const std::string& ns, const std::string& name,
                                      const std::string& uid);
/// Attempts that have a log, ascending.
std::vector<std::uint32_t> logAttempts(const std::filesystem::path& containerDirectory);
/// The files of one attempt, oldest first; the last one is being written.
std::vector<std::filesystem::path> logFilesOf(const std::filesystem::path& containerDirectory, std::uint32_t attempt);
bool rotationDue(const std::filesystem::path& file, const LogRotation& rotation);
/// Renames the current file away, dropping the oldest. The caller asks the runtime to reopen.
Result<void> rotateLog(const std::filesystem::path& file, const LogRotation& rotation);

}  // namespace steer
