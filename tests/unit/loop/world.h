#pragma once
// What the tests of the loop share: a cluster, a repository and a clock.
#include <catch2/catch.hpp>

#include "apply/cluster.h"
#include "core/rfc3339.h"
#include "core/yaml.h"
#include "git/temp_repository.h"
#include "reconciler/loop/applications_loop.h"
#include "schemas/schema.h"

namespace steer {

/// All YAML files of one directory; enough of rendering for these tests.
inline Rendered renderFlat(TreeReader& reader, const std::string& tree) {
  Rendered out;
  const auto entries = reader.list(tree);
  for (const auto& entry : *entries) {
    if (!entry.name.ends_with(".yaml")) continue;
    const auto text = reader.read(entry.id, 1 << 20);
    for (auto& doc : parseYaml(*text, entry.name, out.findings)) {
      const auto* body = doc.value.if_object();
      if (body == nullptr) continue;
      const auto* kind =
          SchemaRegistry::builtin().find(Gvk::from(stringAt(*body, {"apiVersion"}), stringAt(*body, {"kind"})));
      if (kind == nullptr) {
        out.findings.add({Severity::error, {entry.name, doc.line, 1}, "", "kind", "unknown kind", ""});
        continue;
      }
      out.objects.push_back({{kind->resource(), std::string(stringAt(*body, {"metadata", "namespace"})),
                              std::string(stringAt(*body, {"metadata", "name"}))},
                             *body,
                             {entry.name, doc.line, 1}});
    }
  }
  return out;
}

/// Like renderFlat, and like the real one: where this tree and the one before are without findings, what differs.
class StepwiseRenderer {
 public:
  Rendered operator()(TreeReader& reader, const std::string& tree) {
    Rendered now = renderFlat(reader, tree);
    std::map<ObjectRef, WantedObject> all;
    for (const auto& w : now.objects) all.emplace(w.ref, w);
    const bool clean = now.findings.items().empty();
    const auto before = std::exchange(before_, clean ? std::optional(all) : std::nullopt);
    if (!before || !clean) return now;
    Rendered out;
    out.complete = true;
    auto& delta = out.delta.emplace();
    for (const auto& [ref, w] : all) {
      const auto old = before->find(ref);
      if (old == before->end() || old->second.body != w.body) delta.changed.push_back(w);
    }
    for (const auto& [ref, w] : *before)
      if (!all.contains(ref)) delta.removed.push_back(ref);
    return out;
  }

 private:
  std::optional<std::map<ObjectRef, WantedObject>> before_;
};

/// One YAML document of a ConfigMap in namespace shop.
inline std::string configMap(const std::string& name, const std::string& value = "1") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: shop}\ndata: {k: '" + value +
         "'}\n";
}
inline std::string namespaceShop() { return "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"; }

/// The loop of all applications beside a real API server and a repository, in virtual time.
struct World {
  TempDir dir;
  TempRepository repo{dir};
  TestCluster cluster;
  InlineExecutor executor;
  std::unique_ptr<ApplicationsLoop> loop;

  World() : World(json::object{}) {}
  /// spec: of the root application, besides its source.
  explicit World(json::object spec) {
    cluster.clock.advanceTo(*parseTime("2026-03-02T10:00:00Z"));  // a Monday
    SourceOptions source;
    source.url = repo.url();
    source.revision = "main";
    source.interval = seconds(15);
    REQUIRE(applyRootApplication(*cluster.client, source).ok());
    spec.emplace("healthTimeout", "2m");
    patchSpec("root", std::move(spec));
    restart();
  }
  void restart() {
    loop.reset();
    ApplicationsOptions options;
    options.dataDir = dir.at("data");
    loop = std::make_unique<ApplicationsLoop>(
        options, [](const RenderTarget&) { return Renderer(StepwiseRenderer()); }, *cluster.client, executor);
  }
  void patch(const std::string& app, json::object body) const {
    const auto done = cluster.client->write(
        Write::patch({"applications.steersman.dev", kSystemNamespace, app}, PatchType::merge, std::move(body)));
    INFO((done.ok() ? "" : done.error().message));
    REQUIRE(done.ok());
  }
  void patchSpec(const std::string& app, json::object spec) const {
    patch(app, json::object{{"spec", std::move(spec)}});
  }
  void annotate(const std::string& app, const std::string& key, const std::string& value) const {
    patch(app, json::object{{"metadata", json::object{{"annotations", json::object{{key, value}}}}}});
  }
  /// Another application of the same repository.
  void makeApplication(const std::string& name, const std::string& path, json::object spec = {}) const {
    json::object source{{"url", repo.url()}, {"branch", "main"}, {"path", path}};
    if (!spec.contains("source")) spec["source"] = std::move(source);
    spec.emplace("healthTimeout", "2m");
    const auto made = cluster.client->write(
        Write::create("applications.steersman.dev", {{"apiVersion", "steersman.dev/v1"},
                                                     {"kind", "Application"},
                                                     {"metadata", {{"name", name}, {"namespace", kSystemNamespace}}},
                                                     {"spec", std::move(spec)}}));
    INFO((made.ok() ? "" : made.error().message));
    REQUIRE(made.ok());
  }
  /// Steps through virtual time.
  void run(Duration time = seconds(5)) {
    const Time until = cluster.clock.now() + time;
    const Duration least = time > minutes(1) ? milliseconds(500) : milliseconds(1);  // long waits need no detail
    while (cluster.clock.now() < until) {
      const auto next = loop->step(cluster.clock.now());
      const Time soon = cluster.clock.now() + milliseconds(200);
      cluster.clock.advanceTo(next.at ? std::max(cluster.clock.now() + least, std::min(*next.at, soon)) : soon);
    }
  }
  void settings(const std::string& value) const {
    repo.write("all.yaml",
               "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n---\napiVersion: v1\nkind: ConfigMap\n"
               "metadata: {name: settings, namespace: shop}\ndata: {k: '" +
                   value + "'}\n");
  }
  void deployment(int replicas) const {
    repo.write("web.yaml",
               "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: " +
                   std::to_string(replicas) +
                   "\n  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
                   "    spec: {containers: [{name: c, image: 'web:1'}]}\n");
  }
  std::string value(const std::string& name = "settings") const {
    const auto object = cluster.client->get({"configmaps", "shop", name});
    return object.ok() ? std::string(stringAt((*object)->json(), {"data", "k"})) : object.error().message;
  }
  bool exists(const ObjectRef& ref) const { return cluster.client->get(ref).ok(); }
  std::string phase(const std::string& name = "root") const {
    return std::string(stringAt(application(name), {"status", "phase"}));
  }
  std::string message(const std::string& name = "root") const {
    return std::string(stringAt(application(name), {"status", "message"}));
  }
  json::object application(const std::string& name = "root") const {
    const auto app = cluster.client->get({"applications.steersman.dev", kSystemNamespace, name});
    return app.ok() ? (*app)->json() : json::object{};
  }
  std::string condition(const std::string& type, const std::string& name = "root",
                        const std::string& field = "reason") const {
    const json::object app = application(name);
    for (const auto& c : arrayAt(app, {"status", "conditions"}))
      if (stringAt(c, {"type"}) == type) return std::string(stringAt(c, {field}));
    return "";
  }
  int statusCommits() const { return std::stoi(repo.remoteGit("rev-list --count steersman/status")); }
  std::string note(const std::string& commit) const { return repo.remoteGit("notes --ref=steersman show " + commit); }
  /// The newest record on the remote.
  ApplyRecord newest() const {
    const auto path = repo.remoteGit("ls-tree -r --name-only steersman/status records/ | tail -1");
    auto record = recordFromJson(repo.remoteGit("show steersman/status:" + path));
    REQUIRE(record.ok());
    return std::move(*record);
  }
};

}  // namespace steer
