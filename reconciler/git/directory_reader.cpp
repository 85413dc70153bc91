#include "reconciler/git/directory_reader.h"

#include <dirent.h>
#include <fcntl.h>
#include <openssl/sha.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "core/utf8.h"

namespace steer {
namespace {

constexpr std::size_t kMaxDepth = 120;  // more than a rendering accepts; it reports the finding

class Fd {
 public:
  explicit Fd(int fd) : fd_(fd) {}
  ~Fd() {
    if (fd_ >= 0) ::close(fd_);
  }
  Fd(const Fd&) = delete;
  Fd& operator=(const Fd&) = delete;
  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }

 private:
  int fd_;
};

using Dir = std::unique_ptr<DIR, decltype([](DIR* d) { ::closedir(d); })>;

Error errorOf(const std::string& path) {
  const int code = errno;
  return makeError(code == ENOENT || code == ENOTDIR ? Errc::notFound : Errc::io, path + ": " + std::strerror(code));
}

std::string sha256(const std::string& text) {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data());
  static constexpr std::string_view kHex = "0123456789abcdef";
  std::string out;
  for (const auto b : digest) (out += kHex[b >> 4]) += kHex[b & 15];
  return out;
}

std::string stateOf(const struct stat& s) {
  std::string out = "file";
  for (const auto n :
       {static_cast<long long>(s.st_dev), static_cast<long long>(s.st_ino), static_cast<long long>(s.st_size),
        static_cast<long long>(s.st_mtim.tv_sec), static_cast<long long>(s.st_mtim.tv_nsec),
        static_cast<long long>(s.st_ctim.tv_sec), static_cast<long long>(s.st_ctim.tv_nsec)})
    out += "." + std::to_string(n);
  return out;
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// Sorted, so that a directory's id does not depend on the order on disk. A `.steerignore` is the only
// dot-entry that a rendering asks for.
Result<std::vector<std::string>> namesIn(int fd, const std::string& path) {
  const Dir dir(::fdopendir(::dup(fd)));
  if (dir == nullptr) return errorOf(path);
  std::vector<std::string> names;
  for (errno = 0; const auto* entry = ::readdir(dir.get()); errno = 0) {
    const std::string name = entry->d_name;
    if (!name.starts_with('.') || name == ".steerignore") names.push_back(name);
  }
  if (errno != 0) return errorOf(path);
  std::sort(names.begin(), names.end());
  return names;
}

// Opens a path component by component, never through a link.
Result<int> openBelow(int root, std::string_view path) {
  int current = ::dup(root);
  while (current >= 0) {
    const Fd parent(current);
    const auto slash = path.find('/');
    const std::string step(path.substr(0, slash));
    const int flags =
        O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | (slash == std::string_view::npos ? 0 : O_DIRECTORY);
    current = ::openat(parent.get(), step.c_str(), flags);
    if (slash == std::string_view::npos) break;
    path.remove_prefix(slash + 1);
  }
  if (current < 0) return errorOf(std::string(path));
  return current;
}

}  // namespace

DirectoryReader::~DirectoryReader() { ::close(fd_); }

Result<std::unique_ptr<DirectoryReader>> DirectoryReader::open(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return errorOf(directory);
  std::unique_ptr<DirectoryReader> out(new DirectoryReader(fd));
  STEER_TRY(out->rootId_, out->scan(fd, "", 0));
  return out;
}

Result<std::string> DirectoryReader::scan(int fd, const std::string& path, std::size_t depth) {
  std::vector<TreeEntry> entries;
  std::string text = "tree";
  if (depth < kMaxDepth) {
    STEER_TRY(const auto names, namesIn(fd, path));
    for (const auto& name : names) {
      STEER_TRY(auto entry, scanEntry(fd, path, name, depth));
      if (entry.name.empty()) continue;
      text += '\0' + name + '\0' + std::to_string(static_cast<int>(entry.kind)) + '\0' + entry.id;
      entries.push_back(std::move(entry));
    }
  }
  std::string id = sha256(text);
  trees_[id] = std::move(entries);
  return id;
}

Result<TreeEntry> DirectoryReader::scanEntry(int fd, const std::string& path, const std::string& name,
                                             std::size_t depth) {
  const auto file = joined(path, name);
  struct stat s {};
  if (::fstatat(fd, name.c_str(), &s, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return TreeEntry{};  // gone since the directory was listed
    return errorOf(file);
  }
  if (S_ISLNK(s.st_mode)) return TreeEntry{toUtf8(name), TreeEntry::Kind::link, stateOf(s)};
  if (S_ISREG(s.st_mode)) {
    TreeEntry entry{toUtf8(name), TreeEntry::Kind::blob, stateOf(s)};
    paths_[entry.id] = file;
    return entry;
  }
  if (!S_ISDIR(s.st_mode)) return TreeEntry{};  // sockets, pipes, devices
  const Fd below(::openat(fd, name.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (below.get() < 0) return errorOf(file);
  STEER_TRY(auto id, scan(below.get(), file, depth + 1));
  return TreeEntry{toUtf8(name), TreeEntry::Kind::tree, std::move(id)};
}

Result<std::vector<TreeEntry>> DirectoryReader::list(const std::string& treeId) {
  const auto found = trees_.find(treeId);
  if (found == trees_.end()) return makeError(Errc::notFound, "the directory is not known");
  return found->second;
}

Result<std::string> DirectoryReader::read(const std::string& blobId, std::size_t maxBytes) {
  const auto found = paths_.find(blobId);
  if (found == paths_.end()) return makeError(Errc::notFound, "the file is not known");
  STEER_TRY(const int fd, openBelow(fd_, found->second));
  const Fd file(fd);
  struct stat s {};
  if (::fstat(file.get(), &s) != 0) return errorOf(found->second);
  if (!S_ISREG(s.st_mode)) return makeError(Errc::io, found->second + ": is not a file any more");
  std::string out;
  std::array<char, 65536> buffer{};
  while (static_cast<std::size_t>(s.st_size) <= maxBytes && out.size() <= maxBytes) {
    const auto n = ::read(file.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return errorOf(found->second);
    if (n == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(n));
  }
  return makeError(Errc::tooLarge, found->second + ": more than " + std::to_string(maxBytes) + " bytes");
}

}  // namespace steer
