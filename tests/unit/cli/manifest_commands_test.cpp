#include <catch2/catch.hpp>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <sstream>

#include "cli/commands/diff.h"
#include "cli/commands/render.h"
#include "cli/commands/validate.h"
#include "core/json.h"

using namespace steer;
namespace fs = std::filesystem;

namespace {

struct Folder {
  fs::path path;
  Folder() {
    std::string name = (fs::temp_directory_path() / "steer-cli-XXXXXX").string();
    REQUIRE(::mkdtemp(name.data()) != nullptr);
    path = name;
  }
  ~Folder() { fs::remove_all(path); }
  std::string write(const std::string& file, const std::string& text) const {
    fs::create_directories((path / file).parent_path());
    std::ofstream(path / file) << text;
    return (path / file).string();
  }
};

struct Outcome {
  int exit = 0;
  std::string out;
  std::string err;
};

Outcome run(const std::vector<std::string>& words) {
  const cli::CommandParser parser("steer", "");
  cli::ExitCode exit;
  cli::addDiffCommand(parser.program(), exit);
  cli::addRenderCommand(parser.program(), exit);
  cli::addValidateCommand(parser.program(), exit);
  std::ostringstream out;
  std::ostringstream err;
  auto* oldOut = std::cout.rdbuf(out.rdbuf());
  auto* oldErr = std::cerr.rdbuf(err.rdbuf());
  const int wrong = parser.parse(words);
  if (wrong != 0) exit.value = wrong;
  std::cout.rdbuf(oldOut);
  std::cerr.rdbuf(oldErr);
  return {exit.value, out.str(), err.str()};
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string configMap(const std::string& name, const std::string& value) {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: " + name + "\ndata:\n  key: \"" + value + "\"\n";
}

void git(const fs::path& dir, const std::string& arguments) {
  const auto command =
      "git -C '" + dir.string() + "' -c user.name=t -c user.email=t@example.com " + arguments + " >/dev/null 2>&1";
  REQUIRE(std::system(command.c_str()) == 0);
}

}  // namespace

TEST_CASE("validate prints every finding of every file with its place and exits with 1") {
  Folder f;
  f.write("a.yaml", "apiVersion: v1\nkind: Pod\nmetadata:\n  name: p\nspec:\n  containrs: []\n");
  f.write("sub/b.yaml", "a: b: c\n");
  const auto result = run({"validate", f.path.string()});
  CHECK(result.exit == 1);
  CHECK(has(result.out, f.path.string() + "/a.yaml:6:3: error: Pod"));
  CHECK(has(result.out, "\"containers\""));
  CHECK(has(result.out, f.path.string() + "/sub/b.yaml:1:5: error"));
  const auto document = parseJson(run({"validate", f.path.string(), "-o", "json"}).out);
  REQUIRE(document.ok());
  CHECK(intAt(*document, {"errors"}) >= 2);
  CHECK(stringAt(arrayAt(*document, {"findings"}).at(0), {"file"}) == f.path.string() + "/a.yaml");
}

TEST_CASE("validate of correct files exits with 0 and counts the objects") {
  Folder f;
  const auto a = f.write("a.yaml", configMap("a", "1"));
  const auto b = f.write("b.yaml", configMap("b", "1"));
  const auto result = run({"validate", a, b});
  CHECK(result.exit == 0);
  CHECK(result.out == "2 objects, 0 errors, 0 warnings\n");
  CHECK(run({"validate", a, a + ".none"}).exit == 1);
  const auto c = f.write("c.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c, namespace: shop}\n");
  CHECK(run({"validate", c}).exit == 1);
  CHECK(run({"validate", "--existing-namespace", "shop", c}).exit == 0);
}

TEST_CASE("render prints objects with their namespace and place, and nothing when there are errors") {
  Folder f;
  f.write("a.yaml", configMap("a", "1"));
  const auto result = run({"render", f.path.string(), "-n", "default"});
  CHECK(result.exit == 0);
  CHECK(result.out == "---\n# " + f.path.string() +
                          "/a.yaml:1:1\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: a\n  namespace: default\n"
                          "data:\n  key: \"1\"\n");
  const auto document = parseJson(run({"render", f.path.string(), "-o", "json"}).out);
  REQUIRE(document.ok());
  CHECK(arrayAt(*document, {"items"}).size() == 1);
  f.write("b.yaml", configMap("a", "2"));
  const auto twice = run({"render", f.path.string()});
  CHECK(twice.exit == 1);
  CHECK(twice.out.empty());
  CHECK(has(twice.err, "is declared twice"));
}

TEST_CASE("diff tells equal, different and failed apart and never shows a secret") {
  Folder a;
  Folder b;
  a.write("x.yaml", configMap("same", "1") + "---\n" + configMap("changed", "1") + "---\n" + configMap("gone", "1"));
  b.write("moved/y.yaml",
          configMap("changed", "2") + "---\n" + configMap("same", "1") + "---\n" + configMap("new", "1"));
  const char* secret = "---\napiVersion: v1\nkind: Secret\nmetadata: {name: s}\nstringData: {password: ";
  a.write("s.yaml", std::string(secret) + "hunter2}\n");
  b.write("s.yaml", std::string(secret) + "swordfish}\n");
  const auto result = run({"diff", a.path.string(), b.path.string()});
  CHECK(result.exit == 2);
  CHECK(has(result.out, "- ConfigMap default/gone"));
  CHECK(has(result.out, "+ ConfigMap default/new"));
  CHECK(has(result.out, "~ ConfigMap default/changed"));
  CHECK(has(result.out, "data.key: \"1\" → \"2\""));
  CHECK(has(result.out, "~ Secret default/s"));
  CHECK(has(result.out, "(sensitive)"));
  CHECK_FALSE(has(result.out, "default/same"));
  CHECK(has(result.out, "1 added, 2 changed, 1 removed"));
  const auto document = run({"diff", a.path.string(), b.path.string(), "-o", "json"});
  CHECK(parseJson(document.out).ok());
  for (const auto& text : {result.out + result.err, document.out})
    CHECK_FALSE((has(text, "hunter2") || has(text, "swordfish")));
  CHECK(run({"diff", a.path.string(), a.path.string()}).exit == 0);
  CHECK(run({"diff", a.path.string(), (a.path / "none").string()}).exit == 1);
}

TEST_CASE("diff does not take a default that one side writes out for a difference") {
  Folder a;
  Folder b;
  const std::string head = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec:\n  selector: {app: web}\n";
  a.write("web.yaml", head + "  ports: [{port: 80}]\n");
  b.write("web.yaml", head + "  type: ClusterIP\n  ports: [{port: 80, targetPort: 80, protocol: TCP}]\n");
  CHECK(run({"diff", a.path.string(), b.path.string()}).exit == 0);
  b.write("web.yaml", head + "  type: ClusterIP\n  ports: [{port: 80, targetPort: 81, protocol: TCP}]\n");
  const auto result = run({"diff", a.path.string(), b.path.string()});
  CHECK(result.exit == 2);
  CHECK(has(result.out, "targetPort: 80 → 81"));
  CHECK_FALSE(has(result.out, "protocol:"));
}

TEST_CASE("Revisions of a repository are rendered and compared without a work tree") {
  Folder f;
  git(f.path, "init -b main");
  f.write("apps/a.yaml", configMap("a", "1"));
  git(f.path, "add -A");
  git(f.path, "commit -m one");
  git(f.path, "tag v1");
  f.write("apps/a.yaml", configMap("a", "2"));
  git(f.path, "commit -am two");
  const auto rendered = run({"render", "--repo", f.path.string(), "--rev", "v1", "--path", "apps"});
  CHECK(rendered.exit == 0);
  CHECK(has(rendered.out, "# apps/a.yaml:1:1"));
  CHECK(has(rendered.out, "key: \"1\""));
  const auto diff = run({"diff", "--repo", f.path.string(), "v1", "main"});
  CHECK(diff.exit == 2);
  CHECK(has(diff.out, "data.key: \"1\" → \"2\""));
  CHECK(run({"diff", "--repo", f.path.string(), "main", "HEAD"}).exit == 0);
  CHECK(run({"diff", "--repo", f.path.string(), "v1", "v1"}).exit == 0);
  CHECK(run({"diff", "--repo", f.path.string(), "v1", "nowhere"}).exit == 1);
}

TEST_CASE("Every manifest command explains itself with an example") {
  for (const auto* command : {"render", "validate", "diff"}) {
    const auto result = run({command, "--help"});
    CHECK(result.exit == 0);
    CHECK(has(result.out, "Example: steer " + std::string(command)));
  }
}
