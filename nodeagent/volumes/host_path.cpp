#include "nodeagent/volumes/host_path.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

namespace steer {

namespace {

bool hasType(const struct stat& st, std::string_view type) {
  if (type == "Directory" || type == "DirectoryOrCreate") return S_ISDIR(st.st_mode);
  if (type == "File" || type == "FileOrCreate") return S_ISREG(st.st_mode);
  if (type == "Socket") return S_ISSOCK(st.st_mode);
  if (type == "CharDevice") return S_ISCHR(st.st_mode);
  if (type == "BlockDevice") return S_ISBLK(st.st_mode);
  return false;
}

}  // namespace

Result<void> prepareHostPath(const json::value& source) {
  const auto path = std::string(stringAt(source, {"path"}));
  const auto type = stringAt(source, {"type"});
  if (type.empty()) return {};
  struct stat st {};
  if (stat(path.c_str(), &st) == 0) {
    if (hasType(st, type)) return {};
    return makeError(Errc::invalid, "hostPath type check failed: " + path + " is not a " + std::string(type));
  }
  std::error_code ec;
  if (type == "DirectoryOrCreate") {
    std::filesystem::create_directories(path, ec);
    if (!ec) return {};
    return makeError(Errc::io, path + ": " + ec.message());
  }
  if (type == "FileOrCreate") {
    const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) {
      close(fd);
      return {};
    }
  }
  return makeError(Errc::invalid, "hostPath type check failed: " + path + " is not a " + std::string(type));
}

}  // namespace steer
