#include "nodeagent/agent/termination_message.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <deque>

#include "core/utf8.h"
#include "nodeagent/agent/log_reader.h"

namespace steer {

namespace {

constexpr std::size_t kMostFile = 4096;
constexpr std::size_t kMostLog = 2048;
constexpr std::int64_t kMostLines = 80;

/// The container can write this file, and could replace it by something else: only a plain file is read.
std::string readPlainFile(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) return "";
  struct stat st {};
  std::string out;
  if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
    out.resize(kMostFile);
    const auto n = read(fd, out.data(), out.size());
    out.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  }
  close(fd);
  return out;
}

/// What the container left, as bytes.
std::string messageOf(const ContainerState& container) {
  std::string message;
  const auto path = container.annotations.find(kTerminationPathAnnotation);
  if (path != container.annotations.end() && !path->second.empty()) message = readPlainFile(path->second);
  const auto policy = container.annotations.find(kTerminationPolicyAnnotation);
  const bool fallBack = policy != container.annotations.end() && policy->second == "FallbackToLogsOnError";
  if (!message.empty() || !fallBack || container.exitCode == 0) return message;
  LogReadOptions tail;
  tail.tailLines = kMostLines;
  LogReader reader({container.logPath}, tail, nullptr);
  for (;;) {
    auto chunk = reader.poll();
    message += chunk.data;
    if (chunk.end || chunk.data.empty()) break;
  }
  if (message.size() > kMostLog) message.erase(0, message.size() - kMostLog);
  return message;
}

}  // namespace

void addTerminationMessage(ContainerState& container) {
  // A program writes any bytes, and a limit cuts through characters.
  container.message = toUtf8(container.message.empty() ? messageOf(container) : container.message);
}

}  // namespace steer
