// A disk that is really full: a small tmpfs, where root may mount one.
#include <sys/mount.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>

#include "cluster/store/store.h"

using namespace steer;

namespace {

struct SmallDisk {
  SmallDisk() {
    path = (std::filesystem::temp_directory_path() / "steer-full-XXXXXX").string();
    if (::mkdtemp(path.data()) != nullptr)
      mounted = ::mount("tmpfs", path.c_str(), "tmpfs", 0, "size=1m,mode=0700") == 0;
  }
  ~SmallDisk() {
    if (mounted) ::umount2(path.c_str(), MNT_DETACH);
    std::filesystem::remove_all(path);
  }
  std::string path;
  bool mounted = false;
};

Mutation put(const std::string& name, std::size_t size) {
  return {Mutation::Kind::put,
          {"configmaps", "a", name},
          {{"metadata", {{"namespace", "a"}, {"name", name}}}, {"data", {{"x", std::string(size, 'x')}}}},
          {}};
}

}  // namespace

TEST_CASE("a full disk is said in words, keeps what was acknowledged, and is over when there is space") {
  SmallDisk disk;
  if (!disk.mounted) {
    WARN("only root can mount a small file system: skipped");
    return;
  }
  const std::string path = disk.path + "/state.db", ballast = disk.path + "/ballast";
  std::ofstream(ballast) << std::string(300'000, 'b');
  std::size_t kept = 0;
  {
    auto log = openSqliteLog(path);
    REQUIRE(log.ok());
    auto opened = Store::open(std::move(*log), StoreOptions{});
    REQUIRE(opened.ok());
    auto& store = **opened;
    std::optional<Error> error;
    while (!error && kept < 2000) {
      auto done = store.commit({put("c" + std::to_string(kept), 3000)});
      if (done.ok()) ++kept;
      else error = done.error();
    }
    REQUIRE(error);
    CHECK(error->code == Errc::io);
    CHECK(error->message.find("free space on " + disk.path) != std::string::npos);
    CHECK(error->message.find("nothing was acknowledged") != std::string::npos);
    CHECK(store.revision() == kept);
    CHECK(store.snapshot().count("configmaps") == kept);
    CHECK(!store.commit({put("still", 3000)}).ok());
    std::filesystem::remove(ballast);
    auto later = store.commit({put("later", 3000)});
    REQUIRE(later.ok());
    CHECK(later->front().revision == kept + 1);
  }
  auto log = openSqliteLog(path);
  REQUIRE(log.ok());
  auto again = Store::open(std::move(*log), StoreOptions{});
  REQUIRE(again.ok());
  CHECK((*again)->snapshot().count("configmaps") == kept + 1);
}
