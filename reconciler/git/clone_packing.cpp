#include "reconciler/git/clone_packing.h"

#include <git2.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <filesystem>
#include <fstream>

#include "core/folder.h"
#include "reconciler/git/git_handles.h"

namespace steer::git {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kManyLoose = 100;  ///< a loose object takes a block of the disk, however small it is
constexpr std::size_t kLargest = std::size_t{256} << 20;  ///< a pack of this size stays as it is
constexpr std::size_t kMostObjects = 200'000;             ///< at a time

struct Pack {
  fs::path index;
  std::size_t bytes = 0;
};

struct Loose {
  git_oid id;
  fs::path file;
};

std::string packFolder(const std::string& cloneDir) { return cloneDir + "/objects/pack"; }

bool isHex(const std::string& text, std::size_t size) {
  return text.size() == size && text.find_first_not_of("0123456789abcdef") == std::string::npos;
}

std::vector<Loose> looseIn(const std::string& cloneDir) {
  std::vector<Loose> out;
  for (const auto& folder : pathsIn(cloneDir + "/objects")) {
    const auto start = folder.filename().string();
    if (!isHex(start, 2)) continue;
    for (const auto& file : pathsIn(folder)) {
      const auto rest = file.filename().string();
      Loose one{{}, file};
      if (isHex(rest, GIT_OID_HEXSZ - 2) && git_oid_fromstr(&one.id, (start + rest).c_str()) == 0) out.push_back(one);
      if (out.size() >= kMostObjects) return out;
    }
  }
  return out;
}

/// Smallest first; those that are to be kept as they are (a file .keep) left out.
std::vector<Pack> packsIn(const std::string& cloneDir) {
  std::vector<Pack> out;
  for (const auto& path : pathsIn(packFolder(cloneDir))) {
    if (path.extension() != ".idx") continue;
    auto other = path;
    std::error_code ec;
    const auto bytes = fs::file_size(other.replace_extension(".pack"), ec);
    if (ec || fileExists(other.replace_extension(".keep"))) continue;
    out.push_back({path, static_cast<std::size_t>(bytes)});
  }
  std::sort(out.begin(), out.end(), [](const Pack& a, const Pack& b) { return a.bytes < b.bytes; });
  return out;
}

/// The ids in a pack's index (version 2: a head of 8 bytes, 256 running counts, and the ids in order).
Result<std::vector<git_oid>> idsIn(const fs::path& index) {
  const auto broken = [&] { return kindError(Errc::io, "Corrupted", "a pack's index is damaged: " + index.string()); };
  std::ifstream in(index, std::ios::binary);
  std::array<unsigned char, 8 + 256 * 4> head{};
  if (!in.read(reinterpret_cast<char*>(head.data()), head.size())) return broken();
  if (head[0] != 0xff || head[1] != 't' || head[2] != 'O' || head[3] != 'c' || head[7] != 2) return broken();
  const auto* last = &head[8 + 255 * 4];
  const std::uint32_t count = std::uint32_t{last[0]} << 24 | std::uint32_t{last[1]} << 16 |
                              std::uint32_t{last[2]} << 8 | std::uint32_t{last[3]};
  if (count > kMostObjects) return kindError(Errc::tooLarge, "TooLarge", "a pack has too many objects");
  std::vector<git_oid> out(count);
  for (auto& id : out)
    if (!in.read(reinterpret_cast<char*>(id.id), GIT_OID_RAWSZ)) return broken();
  return out;
}

/// Writes a pack of these objects; its index.
Result<fs::path> writePack(git_repository* repo, const std::string& folder, const std::vector<git_oid>& ids) {
  git_packbuilder* raw = nullptr;
  if (const int rc = git_packbuilder_new(&raw, repo); rc != 0) return gitError(rc, "cannot pack");
  const Handle<git_packbuilder> builder(raw);
  git_packbuilder_set_threads(raw, 1);
  for (const auto& id : ids)
    if (const int rc = git_packbuilder_insert(raw, &id, nullptr); rc != 0) return gitError(rc, "cannot pack");
  if (const int rc = git_packbuilder_write(raw, folder.c_str(), 0, nullptr, nullptr); rc != 0)
    return gitError(rc, "cannot write a pack");
  return fs::path(folder) / ("pack-" + std::string(git_packbuilder_name(raw)) + ".idx");
}

/// Every one of them is in the new pack: only then may it go from where it was.
bool holdsAll(const fs::path& index, std::vector<git_oid> ids) {
  const auto held = idsIn(index);
  if (!held.ok()) return false;
  const auto less = [](const git_oid& a, const git_oid& b) { return git_oid_cmp(&a, &b) < 0; };
  std::sort(ids.begin(), ids.end(), less);
  ids.erase(
      std::unique(ids.begin(), ids.end(), [](const auto& a, const auto& b) { return git_oid_equal(&a, &b) == 1; }),
      ids.end());
  return std::includes(held->begin(), held->end(), ids.begin(), ids.end(), less);
}

void dropPack(const fs::path& index) {
  std::error_code ec;
  auto path = index;
  fs::remove(index, ec);  // first: without it the pack is not looked at any more
  for (const auto* kind : {".rev", ".pack"}) fs::remove(path.replace_extension(kind), ec);
}

}  // namespace

std::size_t countLoose(const std::string& cloneDir, std::size_t most) {
  std::size_t out = 0;
  for (const auto& folder : pathsIn(cloneDir + "/objects")) {
    if (isHex(folder.filename().string(), 2)) out += pathsIn(folder).size();
    if (out >= most) return most;
  }
  return out;
}

bool wantsPacking(const std::string& cloneDir) { return countLoose(cloneDir, kManyLoose) >= kManyLoose; }

std::size_t packsToMerge(const std::vector<std::size_t>& sizes, std::size_t looseBytes) {
  std::size_t sum = looseBytes, merged = 0;
  // A pack stays when it is at least twice as large as all that is smaller, and so does what is larger than it.
  for (std::size_t i = 0; i < sizes.size() && sizes[i] < kLargest; ++i) {
    if (sizes[i] < 2 * sum) merged = i + 1;
    sum += sizes[i];
  }
  return merged;
}

Result<void> packClone(const std::string& cloneDir) {
  const auto loose = looseIn(cloneDir);
  if (loose.empty()) return {};
  std::size_t looseBytes = 0;
  std::vector<git_oid> ids;
  for (const auto& one : loose) {
    std::error_code ec;
    const auto bytes = fs::file_size(one.file, ec);
    looseBytes += ec ? 0 : static_cast<std::size_t>(bytes);
    ids.push_back(one.id);
  }
  auto packs = packsIn(cloneDir);
  std::vector<std::size_t> sizes;
  for (const auto& pack : packs) sizes.push_back(pack.bytes);
  packs.resize(packsToMerge(sizes, looseBytes));
  std::vector<fs::path> merged;
  for (const auto& pack : packs) {
    const auto more = idsIn(pack.index);
    if (!more.ok() && more.error().code == Errc::tooLarge) continue;
    if (!more.ok()) return more.error();
    if (ids.size() + more->size() > kMostObjects) continue;
    ids.insert(ids.end(), more->begin(), more->end());
    merged.push_back(pack.index);
  }
  STEER_TRY(const auto repo, openBare(cloneDir));
  STEER_TRY(const auto fresh, writePack(repo.get(), packFolder(cloneDir), ids));
  if (!holdsAll(fresh, ids)) return kindError(Errc::io, "PackFailed", "a pack does not hold what was put into it");
  for (const auto& index : merged)
    if (index != fresh) dropPack(index);
  std::error_code ec;
  for (const auto& one : loose) fs::remove(one.file, ec);
  // An empty folder takes a block of the disk, too; one that is not empty stays.
  for (const auto& folder : pathsIn(cloneDir + "/objects"))
    if (isHex(folder.filename().string(), 2)) ::rmdir(folder.c_str());
  return {};
}

}  // namespace steer::git
