#include <catch2/catch.hpp>

#include "render/desired_index.h"
#include "render/tree_renderer.h"
#include "tests/unit/render/memory_tree.h"

using namespace steer;

namespace {

using Files = std::map<std::string, std::string>;

/// One renderer and one index, from tree to tree.
struct World {
  MemoryTree memory;
  TreeRenderer renderer{&SchemaRegistry::builtin()};
  DesiredIndex index;
  DesiredOptions options;

  RenderedTree tree(const Files& files) {
    auto rendered = renderer.render(memory, memory.add(files));
    REQUIRE(rendered.ok());
    return *rendered;
  }
  void begin(const Files& files) { index.reset(makeDesiredSet(tree(files), options), options); }
  /// "+changed -removed", or "whole" when everything must be made anew.
  std::string advance(const Files& files) {
    const auto change = index.advance(tree(files), options);
    if (!change) return "whole";
    std::string out;
    for (const auto& object : change->changed) out += "+" + object.ref.text() + " ";
    for (const auto& ref : change->removed) out += "-" + ref.text() + " ";
    return out;
  }
  static std::string text(const std::string& name) { return ObjectRef{"configmaps", "default", name}.text(); }
};

}  // namespace

TEST_CASE("A commit yields what it changes, adds and removes, and nothing else") {
  World w;
  Files files{{"a.yaml", configMap("a")}, {"d/b.yaml", configMap("b") + "---\n" + configMap("c")}};
  w.begin(files);
  CHECK(w.advance(files).empty());
  files["a.yaml"] = configMap("a", "default", "2");
  CHECK(w.advance(files) == "+" + World::text("a") + " ");
  files["d/b.yaml"] = configMap("c");
  CHECK(w.advance(files) == "+" + World::text("c") + " -" + World::text("b") + " ");
  files["e.yaml"] = configMap("e");
  CHECK(w.advance(files) == "+" + World::text("e") + " ");
  CHECK(w.index.size() == 3);
}

TEST_CASE("An object that moves to another file is changed, not removed") {
  World w;
  w.begin({{"a.yaml", configMap("a")}, {"b.yaml", configMap("b")}});
  CHECK(w.advance({{"z.yaml", configMap("a")}, {"b.yaml", configMap("b")}}) == "+" + World::text("a") + " ");
}

TEST_CASE("What is not plainly a change of sound objects is made anew as a whole") {
  const Files sound{{"a.yaml", configMap("a")}, {"b.yaml", configMap("b")}};
  const auto after = [&](const std::string& file, const std::string& text) {
    World w;
    w.begin(sound);
    Files files = sound;
    files[file] = text;
    return w.advance(files);
  };
  CHECK(after("c.yaml", configMap("a")) == "whole");             // declared twice
  CHECK(after("c.yaml", configMap("c", "nowhere")) == "whole");  // an undeclared namespace
  CHECK(after("c.yaml", "kind: [\n") == "whole");                // cannot be read
  CHECK(after("c.yaml", "apiVersion: v1\nkind: Namespace\nmetadata:\n  name: n\n") == "whole");
  World w;
  w.begin({{"a.yaml", configMap("a") + "---\n" + configMap("a")}});  // begins with a finding
  CHECK(w.advance(sound) == "whole");
  w.begin(sound);
  w.options.defaultNamespace = "other";
  CHECK(w.advance(sound) == "whole");
}

TEST_CASE("A namespace that appears in the cluster may be used, and one that went may not") {
  World w;
  w.begin({{"a.yaml", configMap("a")}});
  w.options.existingNamespaces.insert("shop");
  CHECK(w.advance({{"a.yaml", configMap("a")}, {"b.yaml", configMap("b", "shop")}}) != "whole");
  w.options.existingNamespaces.clear();
  CHECK(w.advance({{"a.yaml", configMap("a")}, {"b.yaml", configMap("b", "shop")}}) == "whole");
}
