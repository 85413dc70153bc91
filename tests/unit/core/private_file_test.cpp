// Base64, and files that are written whole or not at all.
#include "core/private_file.h"

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "core/base64.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path = fs::temp_directory_path() / ("steer-private-file-" + std::to_string(::getpid()));
  Folder() { fs::create_directories(path); }
  ~Folder() { fs::remove_all(path); }
  std::string file(const char* name) const { return (path / name).string(); }
};

std::string textOf(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

}  // namespace

TEST_CASE("Base64 goes there and back, and what is none is told") {
  for (std::size_t n = 0; n < 70; ++n) {
    std::string bytes;
    for (std::size_t i = 0; i < n; ++i) bytes += static_cast<char>(i * 37 + n);
    CHECK(fromBase64(toBase64(bytes)) == bytes);
  }
  CHECK(toBase64("hello") == "aGVsbG8=");
  CHECK(fromBase64("aGVs\n bG8=") == "hello");
  CHECK(fromBase64("") == "");
  for (const auto* text : {"a", "aGVsbG8", "aGVsbG8==", "aGVs=bG8", "====", "a-_b", "%%%%"})
    CHECK_FALSE(fromBase64(text).has_value());
}

TEST_CASE("A private file is its owner's alone, whatever stood there") {
  const Folder folder;
  const auto file = folder.file("key");
  std::ofstream(file) << "old";
  fs::permissions(file, fs::perms::all);
  REQUIRE(writePrivateFile(file, "new").ok());
  CHECK(textOf(file) == "new");
  CHECK(fs::status(file).permissions() == (fs::perms::owner_read | fs::perms::owner_write));
  REQUIRE(writePrivateFile(file, "new", 0644).ok());
  CHECK((fs::status(file).permissions() & fs::perms::others_read) != fs::perms::none);
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}

TEST_CASE("A file that holds the same already is left alone, a link is replaced and not followed") {
  const Folder folder;
  const auto file = folder.file("key"), target = folder.file("target");
  REQUIRE(writePrivateFile(file, "text").ok());
  const auto before = fs::last_write_time(file);
  fs::last_write_time(file, before - std::chrono::hours(1));
  REQUIRE(writePrivateFile(file, "text").ok());
  CHECK(fs::last_write_time(file) == before - std::chrono::hours(1));
  std::ofstream(target) << "other";
  fs::remove(file);
  fs::create_symlink(target, file);
  REQUIRE(writePrivateFile(file, "text").ok());
  CHECK(textOf(target) == "other");
  CHECK(fs::is_regular_file(fs::symlink_status(file)));
}

TEST_CASE("What cannot be written leaves nothing behind and names the file") {
  const Folder folder;
  const auto missing = writePrivateFile(folder.file("no/such/folder"), "secret");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::io);
  CHECK(missing.error().message.find("no/such/folder") != std::string::npos);
  CHECK(missing.error().message.find("secret") == std::string::npos);
  fs::create_directory(folder.path / "taken");
  CHECK_FALSE(writePrivateFile(folder.file("taken"), "x").ok());
  CHECK(std::distance(fs::directory_iterator(folder.path), {}) == 1);
}
