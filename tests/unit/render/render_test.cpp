#include <catch2/catch.hpp>

#include "render/blob_parser.h"
#include "render/desired_set.h"
#include "render/steerignore.h"
#include "render/tree_renderer.h"
#include "tests/unit/render/memory_tree.h"

using namespace steer;

namespace {

const SchemaRegistry& registry() { return SchemaRegistry::builtin(); }

std::string names(const RenderedTree& tree) {
  std::string out;
  tree.forEach([&](const Manifest& m) { out += m.pos().text() + " " + m.object()->text() + "\n"; });
  return out;
}

std::string namesOf(const std::map<std::string, std::string>& files, const std::string& path = "") {
  MemoryTree memory;
  TreeRenderer renderer(&registry());
  auto tree = renderer.render(memory, memory.add(files), path);
  REQUIRE(tree.ok());
  return names(*tree) + tree->findings().text();
}

std::string findingsOf(const std::map<std::string, std::string>& files, const DesiredOptions& options = {}) {
  MemoryTree memory;
  TreeRenderer renderer(&registry());
  auto tree = renderer.render(memory, memory.add(files));
  REQUIRE(tree.ok());
  return makeDesiredSet(*tree, options).findings.text();
}

bool has(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

}  // namespace

TEST_CASE("Manifests of all files are found with their places") {
  CHECK(namesOf({{"b/two.yml", configMap("x") + "---\n# nothing\n---\n" + configMap("z")},
                 {"a.yaml", configMap("a")},
                 {"c.json", R"({"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"j"}})"},
                 {"README.md", "not: [yaml"}}) ==
        "a.yaml:1:1 ConfigMap default/a\nb/two.yml:1:1 ConfigMap default/x\nb/two.yml:11:1 ConfigMap default/z\n"
        "c.json:1:1 ConfigMap j\n");
}

TEST_CASE("Lists are flattened and each item keeps its place") {
  const auto parsed = parseBlob(
      "apiVersion: v1\nkind: List\nitems:\n  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: a\n"
      "  - apiVersion: v1\n    kind: ConfigMap\n    metadata:\n      name: b\n",
      nullptr);
  REQUIRE(parsed->manifests.size() == 2);
  CHECK(parsed->findings.empty());
  CHECK(parsed->manifests[1].object->name() == "b");
  CHECK(parsed->manifests[1].placeOf("/metadata/name", "f").text() == "f:11:7");
}

TEST_CASE("What is no manifest is a finding with its line") {
  CHECK(has(namesOf({{"a.yaml", "\nmetadata:\n  name: x\n"}}),
            "a.yaml:2:1: error: apiVersion: required field is missing"));
  CHECK(has(namesOf({{"a.yaml", "- {kind: Pod}\n"}}), "a manifest is a mapping"));
  CHECK(has(namesOf({{"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  generateName: x-\n"}}),
            "a.yaml:3:1: error: ConfigMap: metadata.name: required field is missing; generateName"));
}

TEST_CASE("Unknown kinds and fields name the nearest valid one") {
  const auto kinds = findingsOf({{"a.yaml", "apiVersion: apps/v1\nkind: Deploymnet\nmetadata: {name: x}\n"}});
  CHECK(has(kinds, "a.yaml:2:1: error"));
  CHECK(has(kinds, "apps/v1 Deployment"));
  const auto fields = findingsOf({{"a.yaml",
                                   "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  containers:\n  - name: c\n"
                                   "    iamge: nginx\n"}});
  CHECK(has(fields, "a.yaml:7:5: error: Pod"));
  CHECK(has(fields, "\"image\""));
}

TEST_CASE("Findings of all files are reported at once") {
  const auto text =
      findingsOf({{"a.yaml", "a: b: c\n"}, {"b/c.yaml", "kind: Pod\n"}, {"d.yaml", configMap("x", "shop")}});
  CHECK(has(text, "a.yaml:1:5"));
  CHECK(has(text, "b/c.yaml:1:1"));
  CHECK(has(text, "d.yaml:5:3"));
}

TEST_CASE("An object declared twice names both places") {
  const auto text = findingsOf({{"a.yaml", configMap("x")}, {"b.yaml", "---\n" + configMap("x")}});
  CHECK(has(text, "b.yaml:2:1: error: ConfigMap default/x: is declared twice, first at a.yaml:1:1"));
}

TEST_CASE("A namespace must be declared, exist, or be one that every cluster has") {
  const auto text = findingsOf({{"a.yaml", configMap("x", "shop")}});
  CHECK(has(text, "a.yaml:5:3: error: ConfigMap shop/x: metadata.namespace: namespace \"shop\" is declared nowhere"));
  CHECK(has(text, "kind: Namespace, metadata.name: shop"));
  CHECK(findingsOf({{"a.yaml", configMap("x", "shop")}}, {"default", {"shop"}}).empty());
  CHECK(findingsOf({{"a.yaml", configMap("x", "kube-system")}}).empty());
  CHECK(findingsOf(
            {{"a.yaml", configMap("x", "shop") + "---\napiVersion: v1\nkind: Namespace\nmetadata:\n  name: shop\n"}})
            .empty());
  CHECK(has(findingsOf({{"a.yaml", configMap("x", "shopp")}}, {"default", {"shop"}}), "did you mean \"shop\""));
}

TEST_CASE("Objects without a namespace get the default one, cluster-wide ones none") {
  MemoryTree memory;
  TreeRenderer renderer(&registry());
  auto tree = renderer.render(memory, memory.add({{"a.yaml",
                                                   "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n---\n"
                                                   "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"}}));
  REQUIRE(tree.ok());
  const auto set = makeDesiredSet(*tree, {"team", {"team"}});
  CHECK(set.findings.empty());
  REQUIRE(set.objects.size() == 2);
  CHECK(set.objects[0].ref == ObjectRef{"configmaps", "team", "x"});
  CHECK(set.objects[0].object->ns() == "team");
  CHECK(set.objects[1].ref == ObjectRef{"namespaces", "", "shop"});
  CHECK_FALSE(has(findingsOf({{"a.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: n, namespace: x}\n"}}),
                  "namespace"));  // as the server, which drops it
}

TEST_CASE("Links and submodules are findings and never followed") {
  const auto text =
      namesOf({{"apps/web.yaml", "-> /etc/passwd"}, {"module", "submodule"}, {"ok.yaml", configMap("a")}});
  CHECK(has(text, "apps/web.yaml: error: symbolic link is not followed; commit the file itself"));
  CHECK(has(text, "module: error: submodule is not fetched"));
  CHECK(has(text, "ok.yaml:1:1 ConfigMap"));
}

TEST_CASE("Dot-directories and what .steerignore names are left out") {
  CHECK(namesOf({{".git/a.yaml", "a: ["},
                 {".steerignore", "charts/\n*.tmp.yaml\n/top.yaml\n!keep.tmp.yaml\n"},
                 {"charts/x.yaml", "{{ x }}"},
                 {"a.tmp.yaml", "["},
                 {"top.yaml", "["},
                 {"keep.tmp.yaml", configMap("k")},
                 {"sub/top.yaml", configMap("t")},
                 {"sub/.steerignore", "no.yaml"},
                 {"sub/no.yaml", "["}}) ==
        "keep.tmp.yaml:1:1 ConfigMap default/k\nsub/top.yaml:1:1 ConfigMap default/t\n");
}

TEST_CASE("Only the asked directory is rendered, under the rules of those above it") {
  const std::map<std::string, std::string> files{{".steerignore", "apps/prod/no.yaml"},
                                                 {"apps/prod/a.yaml", configMap("a")},
                                                 {"apps/prod/no.yaml", "["},
                                                 {"other.yaml", configMap("o")}};
  CHECK(namesOf(files, "./apps/prod/") == "apps/prod/a.yaml:1:1 ConfigMap default/a\n");
  MemoryTree memory;
  TreeRenderer renderer(nullptr);
  auto missing = renderer.render(memory, memory.add(files), "apps/test");
  REQUIRE_FALSE(missing.ok());
  CHECK(missing.error().code == Errc::notFound);
}

TEST_CASE("One changed file costs one parse and the directories above it") {
  std::map<std::string, std::string> files;
  for (int d = 0; d < 20; ++d)
    for (int f = 0; f < 20; ++f)
      files["d" + std::to_string(d) + "/f" + std::to_string(f) + ".yaml"] =
          configMap("c" + std::to_string(d) + "-" + std::to_string(f));
  MemoryTree memory;
  TreeRenderer renderer(&registry());
  auto before = renderer.render(memory, memory.add(files));
  REQUIRE(before.ok());
  CHECK(before->size() == 400);
  files["d7/f3.yaml"] = configMap("c7-3", "default", "2");
  const auto id = memory.add(files);
  memory.lists = memory.reads = 0;
  auto after = renderer.render(memory, id);
  REQUIRE(after.ok());
  CHECK(memory.reads == 1);
  CHECK(memory.lists == 2);
  const auto changes = RenderedTree::changes(*before, *after);
  REQUIRE(changes.size() == 1);
  CHECK(changes[0].file == "d7/f3.yaml");
  CHECK(changes[0].before->manifests.size() == 1);
  files.erase("d7/f3.yaml");
  files["e/new.yaml"] = configMap("n");
  auto third = renderer.render(memory, memory.add(files));
  REQUIRE(third.ok());
  const auto moved = RenderedTree::changes(*after, *third);
  REQUIRE(moved.size() == 2);
  CHECK(moved[0].after == nullptr);
  CHECK(moved[1].before == nullptr);
}

TEST_CASE("A source that cannot be read fails the whole rendering") {
  MemoryTree memory;
  const auto id = memory.add({{"a.yaml", configMap("a")}});
  memory.failReads = true;
  TreeRenderer renderer(nullptr);
  auto tree = renderer.render(memory, id);
  REQUIRE_FALSE(tree.ok());
  CHECK(tree.error().code == Errc::io);
  CHECK(has(tree.error().message, "a.yaml"));
}

TEST_CASE("A file over the limit is a finding and the others are rendered") {
  const auto text = namesOf({{"big.yaml", std::string(kMaxManifestBytes + 1, ' ')}, {"a.yaml", configMap("a")}});
  CHECK(has(text, "big.yaml: error: the file has more than 32 MB and is not read"));
  CHECK(has(text, "a.yaml:1:1 ConfigMap"));
}

TEST_CASE("A tree that repeats itself billions of times is refused or costs nothing") {
  for (const auto* leaf : {"apiVersion: v1\nkind: ConfigMap\nmetadata: {name: x}\n", ""}) {
    MemoryTree memory;
    auto id = memory.add({{"a.yaml", leaf}});
    for (int level = 0; level < 12; ++level) {
      std::vector<TreeEntry> entries;
      for (int i = 0; i < 10; ++i) entries.push_back({"d" + std::to_string(i), TreeEntry::Kind::tree, id});
      id = memory.addEntries(std::move(entries));
    }
    TreeRenderer renderer(nullptr);
    auto tree = renderer.render(memory, id);
    CHECK(tree.ok() == (std::string(leaf).empty()));
    CHECK(memory.lists < 20);
  }
}

TEST_CASE("Ignore patterns follow gitignore") {
  auto ignores = [](const char* rules, const char* path, IgnoreRules::Entry entry = IgnoreRules::Entry::file) {
    return IgnoreRules().with("", rules).ignores(path, entry);
  };
  CHECK(ignores("*.yaml", "a/b.yaml"));
  CHECK_FALSE(ignores("/*.yaml", "a/b.yaml"));
  CHECK(ignores("a/*.yaml", "a/b.yaml"));
  CHECK_FALSE(ignores("a/*.yaml", "x/a/b.yaml"));
  CHECK(ignores("**/a/*.yaml", "x/a/b.yaml"));
  CHECK(ignores("a/**/b", "a/b"));
  CHECK(ignores("a/**/b", "a/x/y/b"));
  CHECK(ignores("a/**", "a/x"));
  CHECK_FALSE(ignores("a/**", "a", IgnoreRules::Entry::directory));
  CHECK_FALSE(ignores("build/", "build"));
  CHECK(ignores("build/", "x/build", IgnoreRules::Entry::directory));
  CHECK_FALSE(ignores("# a", "# a"));
  CHECK(ignores("\\#a", "#a"));
  CHECK(ignores("f[0-9]?.yaml\r\n", "f12.yaml"));
  CHECK_FALSE(ignores("f[!0-9].yaml", "f1.yaml"));
  CHECK(ignores("a  ", "a"));
  CHECK_FALSE(ignores("*.yaml\n!b.yaml", "b.yaml"));
  CHECK(ignores("!b.yaml\n*.yaml", "b.yaml"));
  CHECK(ignores("[a", "[a"));
  const auto nested = IgnoreRules().with("sub", "/x.yaml");
  CHECK(nested.ignores("sub/x.yaml", IgnoreRules::Entry::file));
  CHECK_FALSE(nested.ignores("x.yaml", IgnoreRules::Entry::file));
}

TEST_CASE("Files that are no manifests are listed and hold back nothing") {
  MemoryTree memory;
  TreeRenderer renderer(&SchemaRegistry::builtin());
  const auto tree =
      renderer.render(memory, memory.add({{"values.yaml", "image: {tag: 1}\nreplicas: 2\n"},
                                          {"package.json", "{\"name\": \"web\", \"version\": \"1.0.0\"}\n"},
                                          {"list.json", "[1, 2]\n"},
                                          {"a.yaml", "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"}}));
  REQUIRE(tree.ok());
  const auto set = makeDesiredSet(*tree);
  CHECK(set.findings.errorCount() == 0);
  CHECK(set.findings.items().size() == 3);
  CHECK(set.complete);
  CHECK(set.objects.size() == 1);
}

TEST_CASE("What only looks like no manifest is an error, and nothing is deleted for it") {
  for (const auto& [name, text, says] : std::vector<std::array<std::string, 3>>{
           {"a.yaml", "metadata: {name: a}\ndata: {k: v}\n", "required field is missing"},
           {"a.yaml", "version https://git-lfs.github.com/spec/v1\noid sha256:ab\nsize 12\n", "a pointer of Git LFS"},
           {"a.yaml", "kind: Pod\n<<<<<<< HEAD\na: 1\n=======\na: 2\n>>>>>>> other\n", "a conflict of a merge"},
           {"kustomization.yaml", "resources: [a.yaml]\n", "is a kustomization"},
           {"Chart.yaml", "apiVersion: v2\nname: web\nversion: 1.0.0\n", "is a Helm chart"}}) {
    INFO(text);
    MemoryTree memory;
    TreeRenderer renderer(&SchemaRegistry::builtin());
    const auto tree = renderer.render(memory, memory.add({{name, text}, {"templates/x.yaml", "a: {{ .Values.a }}\n"}}));
    REQUIRE(tree.ok());
    const auto set = makeDesiredSet(*tree);
    CHECK_FALSE(set.complete);
    REQUIRE(set.findings.errorCount() >= 1);
    CHECK(set.findings.items().front().text().find(says) != std::string::npos);
  }
}
