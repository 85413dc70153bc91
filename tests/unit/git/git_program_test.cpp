#include "reconciler/git/git_program.h"

#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct Work {
  fs::path path;
  Work() {
    std::string name = (fs::temp_directory_path() / "steer-git-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Work() { fs::remove_all(path); }
  bool run(const std::string& command) const {
    return std::system(
               ("cd '" + path.string() + "' && export GIT_CONFIG_GLOBAL=/dev/null && " + command + " >/dev/null 2>&1")
                   .c_str()) == 0;
  }
  void commit(const std::string& init) const {
    REQUIRE(run(init + " -b main fleet"));
    fs::create_directories(path / "fleet/m/deep");
    std::ofstream(path / "fleet/m/a.yaml") << "one\n";
    std::ofstream(path / "fleet/m/deep/b.yaml") << "two\n\n";
    std::ofstream(path / "fleet/m/picture.png") << "no manifest\n";
    REQUIRE(
        run("cd fleet && git add -A && git -c user.name=Ada -c user.email=ada@example.org commit -qm 'A "
            "subject\n\nBody: x'"));
    std::ofstream(path / "fleet/m/a.yaml") << "three\n";
    REQUIRE(run("cd fleet && git -c user.name=Ada -c user.email=ada@example.org commit -qam second"));
  }
};

std::string contentOf(GitProgram& program, const std::string& path) {
  std::string id = program.commit().tree;
  std::string rest = path;
  for (;;) {
    const auto slash = rest.find('/');
    const auto part = rest.substr(0, slash);
    const auto entries = program.list(id);
    REQUIRE(entries.ok());
    std::string next;
    for (const auto& entry : *entries)
      if (entry.name == part) next = entry.id;
    REQUIRE_FALSE(next.empty());
    id = next;
    if (slash == std::string::npos) break;
    rest = rest.substr(slash + 1);
  }
  const auto text = program.read(id, 1000);
  REQUIRE(text.ok());
  return *text;
}

}  // namespace

TEST_CASE("a shallow clone is read where it is, from any of its directories") {
  Work w;
  w.commit("git init -q");
  REQUIRE(w.run("git clone -q --depth 1 file://$PWD/fleet sh"));
  for (const char* directory : {"sh", "sh/m/deep"}) {
    auto program = GitProgram::open((w.path / directory).string(), "HEAD");
    REQUIRE(program.ok());
    CHECK((*program)->commit().summary == "second");
    CHECK((*program)->commit().author == "Ada");
    CHECK(contentOf(**program, "m/a.yaml") == "three\n");
    CHECK(contentOf(**program, "m/deep/b.yaml") == "two\n\n");
  }
}

TEST_CASE("a clone without its files gets what it needs from where it came, and says so when that is gone") {
  Work w;
  w.commit("git init -q");
  REQUIRE(w.run("git -C fleet config uploadpack.allowFilter true"));
  for (const char* filter : {"blob:none", "tree:0"}) {
    INFO(filter);
    REQUIRE(w.run("rm -rf part && git clone -q --no-checkout --filter=" + std::string(filter) +
                  " file://$PWD/fleet part && git -C part rev-list --objects --missing=print HEAD | grep -q '^?'"));
    auto program = GitProgram::open((w.path / "part").string(), "HEAD");
    REQUIRE(program.ok());
    CHECK(contentOf(**program, "m/a.yaml") == "three\n");
    CHECK(contentOf(**program, "m/deep/b.yaml") == "two\n\n");
  }
  REQUIRE(w.run("git clone -q --no-checkout --filter=blob:none file://$PWD/fleet lost && mv fleet gone"));
  auto lost = GitProgram::open((w.path / "lost").string(), "HEAD");
  REQUIRE(lost.ok());
  const auto top = (*lost)->list((*lost)->commit().tree);
  REQUIRE(top.ok());
  const auto inside = (*lost)->list(top->front().id);
  REQUIRE(inside.ok());
  for (const auto& entry : *inside)
    if (entry.name == "a.yaml") CHECK_FALSE((*lost)->read(entry.id, 1000).ok());
}

TEST_CASE("a branch of the remote, an older commit and a message of many lines are found") {
  Work w;
  w.commit("git init -q");
  REQUIRE(w.run("git clone -q file://$PWD/fleet all && cd all && git checkout -q --detach && git branch -qD main"));
  auto main = GitProgram::open((w.path / "all").string(), "main");
  REQUIRE(main.ok());
  auto older = GitProgram::open((w.path / "all").string(), (*main)->commit().id + "~1");
  REQUIRE(older.ok());
  CHECK((*older)->commit().summary == "A subject");
  CHECK((*older)->commit().message.starts_with("A subject\n\nBody: x"));
  CHECK(contentOf(**older, "m/a.yaml") == "one\n");
  CHECK_FALSE(GitProgram::open((w.path / "all").string(), "nowhere").ok());
  CHECK_FALSE(GitProgram::open((w.path / "all").string(), "--help").ok());
  CHECK_FALSE(GitProgram::open(w.path.string(), "HEAD").ok());
}

TEST_CASE("a repository of SHA-256 names is read, and a file that is too large is refused") {
  Work w;
  if (!w.run("git init -q --object-format=sha256 probe")) return;  // an older Git
  w.commit("git init -q --object-format=sha256");
  auto program = GitProgram::open((w.path / "fleet").string(), "");
  REQUIRE(program.ok());
  CHECK((*program)->commit().id.size() == 64);
  CHECK(contentOf(**program, "m/a.yaml") == "three\n");
  auto again = GitProgram::open((w.path / "fleet").string(), "");
  const auto tree = (*again)->list((*again)->commit().tree);
  const auto inside = (*again)->list(tree->front().id);
  for (const auto& entry : *inside)
    if (entry.name == "a.yaml") CHECK((*again)->read(entry.id, 2).error().code == Errc::tooLarge);
}
