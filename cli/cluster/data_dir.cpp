#include "cli/cluster/data_dir.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include "core/folder.h"
#include "core/private_file.h"

namespace steer::cli {
namespace fs = std::filesystem;

namespace {

Error ioError(const std::string& doing, const fs::path& path, int code) {
  return makeError(Errc::io, doing + " " + path.string() + ": " + std::strerror(code));
}

}  // namespace

DataDir DataDir::choose(const std::string& flag) {
  if (!flag.empty()) return {absolutePath(flag)};
  if (const char* env = std::getenv("STEER_DATA_DIR"); env != nullptr && *env != '\0') return {absolutePath(env)};
  if (geteuid() == 0) return {"/var/lib/steersman"};
  const char* home = std::getenv("HOME");
  return {fs::path(home == nullptr ? "." : home) / ".local/share/steersman"};
}

Result<void> DataDir::ensure() const {
  for (const auto& dir : {root, pki(), nodes(), source()}) {
    std::error_code ec;
    fs::create_directories(dir, ec);
    if (ec)
      return makeError(Errc::io,
                       "cannot make " + dir.string() + ": " + ec.message() + "; choose another place with --data-dir");
    fs::permissions(dir, fs::perms::owner_all, ec);
  }
  return {};
}

Result<void> writeFileAtomically(const fs::path& path, const std::string& text, unsigned mode) {
  return writePrivateFile(path.string(), text, mode);
}

Result<std::string> readFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return ioError("cannot read", path, errno);
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return ioError("cannot read", path, errno);
  return text.str();
}

}  // namespace steer::cli
