#pragma once
// Mount points, as few system calls as the volumes need. Thread rule: thread-safe.
#include <filesystem>
#include <string>

#include "core/result.h"

namespace steer {

bool isMountPoint(const std::filesystem::path& path);
/// Mounts below `path`, made here or in containers, are seen on both sides: the path becomes a shared mount.
Result<void> makeShared(const std::filesystem::path& path);
/// size 0 = unlimited.
Result<void> mountTmpfs(const std::filesystem::path& path, std::int64_t sizeBytes);
/// Mounts what the file descriptor refers to at `target` (which exists and has the same type).
Result<void> bindDescriptor(int fd, const std::filesystem::path& target);
/// Unmounts everything at or below `path`, the deepest first.
Result<void> unmountBelow(const std::filesystem::path& path);

}  // namespace steer
