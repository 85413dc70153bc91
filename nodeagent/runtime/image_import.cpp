#include <string.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>

#include "core/child.h"
#include "core/folder.h"
#include "core/json.h"
#include "nodeagent/runtime/containerd_process.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

struct ArchivedImage {
  std::string name;
  std::string digest;
};

/// The text of one file of a tar archive (ustar headers of 512 bytes, sizes in octal).
Result<std::string> fileInTar(const std::string& archive, std::string_view wanted) {
  std::ifstream in(archive, std::ios::binary);
  std::array<char, 512> head{};
  while (in.read(head.data(), head.size()) && head[0] != 0) {
    std::string name(head.data(), ::strnlen(head.data(), 100));
    if (name.starts_with("./")) name.erase(0, 2);
    std::uint64_t size = 0;
    const char* at = head.data() + 124;
    std::from_chars(at, at + 11, size, 8);
    if (name == wanted && size < 1 << 20) {
      std::string text(size, '\0');
      if (in.read(text.data(), static_cast<std::streamsize>(size))) return text;
      break;
    }
    in.seekg(static_cast<std::streamoff>((size + 511) / 512 * 512), std::ios::cur);
  }
  return makeError(Errc::invalid, archive + " is no image archive: it has no " + std::string(wanted));
}

Result<std::vector<ArchivedImage>> imagesIn(const std::string& archive) {
  STEER_TRY(const std::string text, fileInTar(archive, "index.json"));
  STEER_TRY(const json::value index, parseJson(text));
  std::vector<ArchivedImage> out;
  for (const auto& m : arrayAt(index, {"manifests"}))
    out.push_back(
        {std::string(stringAt(m, {"annotations", "io.containerd.image.name"})), std::string(stringAt(m, {"digest"}))});
  return out;
}

}  // namespace

Result<void> ContainerdProcess::importImages(const std::string& folder) {
  const auto ctr = [&socket = socket()](std::vector<std::string> arguments) {
    std::vector<std::string> argv{"ctr", "-a", socket, "-n", "k8s.io", "images"};
    argv.insert(argv.end(), arguments.begin(), arguments.end());
    return runChecked({argv}, "", minutes{2});
  };
  STEER_TRY(const std::string listed, ctr({"ls"}));
  std::set<std::pair<std::string, std::string>> present;
  std::istringstream lines(listed);
  for (std::string line; std::getline(lines, line);) {
    std::istringstream words(line);
    std::string name, type, digest;
    words >> name >> type >> digest;
    present.emplace(name, digest);
  }
  std::vector<std::string> archives;
  std::error_code ec;
  if (!std::filesystem::is_directory(folder, ec) || ec)
    return makeError(Errc::notFound, "images folder " + folder + ": " + (ec ? ec.message() : "is no folder"));
  for (const auto& path : pathsIn(folder))
    if (path.extension() == ".tar") archives.push_back(path);
  std::sort(archives.begin(), archives.end());
  for (const auto& archive : archives) {
    STEER_TRY(const auto images, imagesIn(archive));
    const auto missing = [&present](const ArchivedImage& i) { return present.count({i.name, i.digest}) == 0; };
    if (std::none_of(images.begin(), images.end(), missing)) continue;
    auto done = ctr({"import", archive});
    if (!done.ok()) return std::move(done).error();
  }
  return {};
}

}  // namespace steer
