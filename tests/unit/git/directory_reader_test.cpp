#include "reconciler/git/directory_reader.h"

#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "render/tree_renderer.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct TempDirectory {
  fs::path path;
  TempDirectory() {
    std::string name = (fs::temp_directory_path() / "steer-directory-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~TempDirectory() { fs::remove_all(path); }
  void write(const std::string& file, const std::string& text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
  }
};

constexpr const char* kConfigMap = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n";

std::string rendered(const fs::path& path) {
  auto reader = DirectoryReader::open(path.string());
  REQUIRE(reader.ok());
  TreeRenderer renderer(nullptr);
  auto tree = renderer.render(**reader, (*reader)->rootId());
  REQUIRE(tree.ok());
  std::string out;
  tree->forEach([&](const Manifest& m) { out += m.pos().text() + "\n"; });
  return out + tree->findings().text();
}

}  // namespace

TEST_CASE("A plain directory renders like a tree of Git") {
  TempDirectory dir;
  dir.write("apps/a.yaml", kConfigMap);
  dir.write(".git/b.yaml", "[");
  dir.write("no.yaml", "[");
  dir.write(".steerignore", "no.yaml\n");
  CHECK(rendered(dir.path) == "apps/a.yaml:1:1\n");
}

TEST_CASE("Links in a directory are findings and nothing is read through them") {
  TempDirectory outside;
  outside.write("secret.yaml", kConfigMap);
  TempDirectory dir;
  fs::create_symlink(outside.path / "secret.yaml", dir.path / "file.yaml");
  fs::create_directory_symlink(outside.path, dir.path / "folder");
  const auto text = rendered(dir.path);
  CHECK(text.find("file.yaml: error: symbolic link is not followed") != std::string::npos);
  CHECK(text.find("folder: error: symbolic link is not followed") != std::string::npos);
  CHECK(text.find(":1:1") == std::string::npos);
}

TEST_CASE("A directory that becomes a link after the listing is not read through") {
  TempDirectory outside;
  outside.write("a.yaml", "outside");
  TempDirectory dir;
  dir.write("sub/a.yaml", "inside");
  auto reader = DirectoryReader::open(dir.path.string());
  REQUIRE(reader.ok());
  const auto root = (*reader)->list((*reader)->rootId());
  REQUIRE(root->size() == 1);
  const auto sub = (*reader)->list(root->at(0).id);
  fs::remove_all(dir.path / "sub");
  fs::create_directory_symlink(outside.path, dir.path / "sub");
  CHECK_FALSE((*reader)->read(sub->at(0).id, 100).ok());
}

TEST_CASE("Pipes are left out, large files refused, a missing directory is not found") {
  TempDirectory dir;
  dir.write("a.yaml", "12345");
  REQUIRE(::mkfifo((dir.path / "pipe.yaml").c_str(), 0600) == 0);
  auto reader = DirectoryReader::open(dir.path.string());
  REQUIRE(reader.ok());
  const auto entries = (*reader)->list((*reader)->rootId());
  REQUIRE(entries->size() == 1);
  CHECK((*reader)->read(entries->at(0).id, 5).valueOr("") == "12345");
  CHECK((*reader)->read(entries->at(0).id, 4).error().code == Errc::tooLarge);
  CHECK(DirectoryReader::open((dir.path / "none").string()).error().code == Errc::notFound);
}

TEST_CASE("A directory's id changes with its contents and only then") {
  TempDirectory dir;
  dir.write("sub/a.yaml", "1");
  const auto idNow = [&] { return (*DirectoryReader::open(dir.path.string()))->rootId(); };
  const auto before = idNow();
  CHECK(idNow() == before);
  dir.write("sub/a.yaml", "12");
  CHECK(idNow() != before);
}
