#include <sys/stat.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <fstream>
#include <iterator>

#include "nodeagent/volumes/atomic_files.h"
#include "nodeagent/volumes/host_path.h"
#include "nodeagent/volumes/path_shield.h"
#include "nodeagent/volumes/pod_volumes.h"
#include "nodeagent/volumes/sub_path.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    char name[] = "/tmp/steer-volumes-XXXXXX";
    path = mkdtemp(name);
  }
  ~Folder() {
    std::error_code ec;
    fs::remove_all(path, ec);
  }
};

std::string textOf(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(in), {});
}

}  // namespace

TEST_CASE("files change all at once: a reader of ..data sees one version, and old names go") {
  const Folder f;
  REQUIRE(replaceFiles(f.path, {{"a", "1"}, {"d/b", "2"}}, {}).ok());
  CHECK(textOf(f.path / "a") == "1");
  CHECK(textOf(f.path / "d/b") == "2");
  CHECK(fs::is_symlink(f.path / "a"));
  const auto version = fs::read_symlink(f.path / "..data");
  REQUIRE(replaceFiles(f.path, {{"a", "new"}}, {}).ok());
  CHECK(textOf(f.path / "a") == "new");
  CHECK_FALSE(fs::exists(fs::symlink_status(f.path / "d")));
  CHECK(fs::read_symlink(f.path / "..data") != version);
  CHECK_FALSE(fs::exists(f.path / version));
}

TEST_CASE("files that did not change are left alone") {
  const Folder f;
  REQUIRE(replaceFiles(f.path, {{"a", "1", 0600}}, {}).ok());
  const auto version = fs::read_symlink(f.path / "..data");
  const auto again = replaceFiles(f.path, {{"a", "1", 0600}}, {});
  REQUIRE(again.ok());
  CHECK(*again == Changed::no);
  CHECK(fs::read_symlink(f.path / "..data") == version);
}

TEST_CASE("a sub path cannot leave its volume through links") {
  const Folder f;
  fs::create_directory(f.path / "vol");
  fs::create_symlink("/etc", f.path / "vol/out");
  fs::create_symlink("../..", f.path / "vol/up");
  fs::create_directory(f.path / "vol/in");
  fs::create_symlink("in", f.path / "vol/link");
  for (const char* bad : {"out/passwd", "out", "up", "../x", "/etc"}) {
    CAPTURE(bad);
    CHECK(openInside(f.path / "vol", bad).error().code == Errc::forbidden);
  }
  for (const char* good : {"in", "link", "made/here"}) {
    CAPTURE(good);
    const auto fd = openInside(f.path / "vol", good);
    REQUIRE(fd.ok());
    close(*fd);
  }
  CHECK(fs::is_directory(f.path / "vol/made/here"));
}

TEST_CASE("hostPath checks its type and makes what it may make") {
  const Folder f;
  const auto check = [&](const char* name, const char* type) {
    return prepareHostPath(json::object{{"path", (f.path / name).string()}, {"type", type}}).ok();
  };
  CHECK_FALSE(check("dir", "Directory"));
  CHECK(check("dir", "DirectoryOrCreate"));
  CHECK(check("dir", "Directory"));
  CHECK_FALSE(check("dir", "File"));
  CHECK(check("file", "FileOrCreate"));
  CHECK_FALSE(check("file", "Socket"));
  CHECK(check("absent", ""));
}

TEST_CASE("a pod's directories are made, and removed with their mounts") {
  if (geteuid() != 0) return;
  const Folder f;
  PodVolumes volumes(f.path);
  const auto pod = Object::make(json::parse(R"({"metadata":{"name":"p","uid":"u1"},"spec":{
      "securityContext":{"fsGroup":2000},
      "volumes":[{"name":"disk","emptyDir":{}},{"name":"mem","emptyDir":{"medium":"Memory","sizeLimit":"64Ki"}}]}})")
                                    .as_object());
  const auto made = volumes.setUp(*pod, {});
  if (!made.ok()) FAIL(made.error().message);
  struct stat st {};
  REQUIRE(stat(made->at("disk").c_str(), &st) == 0);
  CHECK(st.st_gid == 2000);
  CHECK((st.st_mode & 07777U) == 02777U);
  std::ofstream(made->at("mem") + "/big") << std::string(1 << 20, 'x');
  CHECK(fs::file_size(made->at("mem") + "/big") <= 64 * 1024);
  CHECK(volumes.podUids() == std::vector<std::string>{"u1"});
  REQUIRE(volumes.setUp(*pod, {}).ok());
  REQUIRE(volumes.remove("u1").ok());
  CHECK_FALSE(fs::exists(f.path / "pods/u1"));
}

TEST_CASE("no pod sees the directories of the cluster: a path into one is refused, one above shows it empty") {
  namespace fs = std::filesystem;
  std::string name = (fs::temp_directory_path() / "steer-shield-XXXXXX").string();
  const fs::path top = fs::canonical(::mkdtemp(name.data()));
  const auto data = top / "data";
  fs::create_directories(data / "pki");
  fs::create_directories(top / "other");
  fs::create_symlink(data, top / "link");
  fs::create_symlink("../data/pki", top / "other" / "deep");
  const PathShield shield({data.string() + "/"}, top / "empty");
  for (const std::string& inside :
       {data.string(), data.string() + "/", (data / "pki").string(), (top / "link").string(),
        (top / "link" / "new").string(), (top / "other/deep").string(), (top / "other/../data").string(),
        "/proc/self/root" + data.string()}) {
    INFO(inside);
    CHECK(shield.resolve(inside).error().code == Errc::forbidden);
  }
  for (const std::string& beside : {top.string(), (top / "other").string(), data.string() + "base", std::string("/")}) {
    INFO(beside);
    CHECK(shield.resolve(beside).ok());
  }
  const auto covers = shield.covers(top, {"/h", top.string()});
  REQUIRE(covers.ok());
  CHECK(*covers == std::vector<ContainerMount>{{"/h/data", (top / "empty").string(), true}});
  CHECK(fs::is_empty(top / "empty"));
  const auto all = shield.covers("/", {"/host", "/"});
  REQUIRE(all.ok());
  CHECK(all->front().containerPath == "/host" + data.string());
  CHECK(shield.covers(top / "other", {"/h", (top / "other").string()})->empty());
  CHECK(shield.covers(top, {"/h", top.string(), false, MountPropagation::bidirectional}).error().code ==
        Errc::forbidden);
  fs::remove_all(top);
}
