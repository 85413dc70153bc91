// Many applications: they are objects, follow their specs, wait for each other and do not hold each
// other up.
#include "loop/world.h"

using namespace steer;

namespace {

constexpr const char* kApps = "applications.steersman.dev";

std::string applicationYaml(const std::string& name, const std::string& url, const std::string& path,
                            const std::string& more = "") {
  return "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: " + name +
         ", namespace: steersman-system}\nspec:\n  source: {url: " + url + ", branch: main, path: " + path + "}\n" +
         more;
}

}  // namespace

TEST_CASE("a repository holds further applications, and they are followed") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("web.yaml", applicationYaml("web", w.repo.url(), "web"));
  w.repo.write("web/map.yaml", configMap("web"));
  w.repo.push("First");
  w.run();
  CHECK(w.value("web") == "1");
  CHECK(w.phase("web") == "Synced");
  CHECK(w.phase() == "Synced");
  w.repo.write("web/map.yaml", configMap("web", "2"));
  w.repo.push("Second");
  w.run();
  CHECK(w.value("web") == "2");
  CHECK(w.loop->settled());
}

TEST_CASE("an application follows another repository by a GitRepository, whose status tells the commit") {
  World w;
  TempRepository other(w.dir, "other");
  other.write("map.yaml", configMap("elsewhere"));
  const auto id = other.push("Other");
  w.settings("1");
  w.repo.push("First");
  REQUIRE(w.cluster.client
              ->write(Write::create("gitrepositories.steersman.dev",
                                    {{"apiVersion", "steersman.dev/v1"},
                                     {"kind", "GitRepository"},
                                     {"metadata", {{"name", "other"}, {"namespace", "steersman-system"}}},
                                     {"spec", {{"url", other.url()}, {"branch", "main"}}}}))
              .ok());
  w.makeApplication("web", "", {{"source", {{"repositoryRef", {{"name", "other"}}}}}});
  w.run();
  CHECK(w.value("elsewhere") == "1");
  const auto repository = w.cluster.client->get({"gitrepositories.steersman.dev", "steersman-system", "other"});
  REQUIRE(repository.ok());
  CHECK(stringAt((*repository)->status(), {"commit"}) == id);

  // A suspended repository is not read; what was read stays.
  REQUIRE(w.cluster.client
              ->write(Write::patch({"gitrepositories.steersman.dev", "steersman-system", "other"}, PatchType::merge,
                                   json::object{{"spec", json::object{{"suspend", true}}}}))
              .ok());
  w.run();
  other.write("map.yaml", configMap("elsewhere", "2"));
  other.push("Second");
  w.run(minutes(2));
  CHECK(w.value("elsewhere") == "1");
  CHECK(w.exists({"configmaps", "shop", "elsewhere"}));
}

TEST_CASE("editing the spec points a running application elsewhere") {
  World w;
  w.repo.write("a/map.yaml", namespaceShop() + "---\n" + configMap("a"));
  w.repo.write("b/map.yaml", namespaceShop() + "---\n" + configMap("b"));
  w.repo.push("First");
  w.patchSpec("root", {{"source", {{"path", "a"}}}});
  w.run();
  CHECK(w.exists({"configmaps", "shop", "a"}));
  w.patchSpec("root", {{"source", {{"path", "b"}}}});
  w.run();
  CHECK(w.exists({"configmaps", "shop", "b"}));
  CHECK_FALSE(w.exists({"configmaps", "shop", "a"}));
}

TEST_CASE("an include that cannot be read deletes nothing, until it is written rightly") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("a.yaml", configMap("a"));
  w.repo.write("b.yaml", configMap("b"));
  w.repo.push("First");
  w.patchSpec("root", {{"source", {{"include", json::array{"ns.yaml", "a.yaml"}}}}});
  w.run();
  REQUIRE(w.exists({"configmaps", "shop", "a"}));
  for (const char* wrong : {"a.yam[l]", "../**", "/a.yaml"}) {
    INFO(wrong);
    w.patchSpec("root", {{"source", {{"include", json::array{"ns.yaml", wrong}}}}});
    w.run(minutes(2));
    CHECK(w.exists({"configmaps", "shop", "a"}));
    CHECK(w.condition("SourceKnown", "root", "message").find("cannot be read") != std::string::npos);
    CHECK(w.message().find("cannot be read") != std::string::npos);
  }
  w.patchSpec("root", {{"source", {{"include", json::array{"*.yaml"}}}}});
  w.run();
  CHECK(w.message().empty());
  CHECK(w.exists({"configmaps", "shop", "a"}));
  CHECK(w.exists({"configmaps", "shop", "b"}));
}

TEST_CASE("a spec that cannot be read is a condition, and its neighbours go on") {
  World w;
  w.settings("1");
  w.repo.write("web/map.yaml", configMap("web"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("lost", "", {{"source", {{"repositoryRef", {{"name", "nowhere"}}}}}});
  w.makeApplication("strange", "web",
                    {{"syncWindows", json::array{{{"kind", "allow"}, {"schedule", "now"}, {"duration", "1h"}}}}});
  w.makeApplication("badsecret", "web", {{"source", {{"url", w.repo.url()}, {"secretRef", {{"name", "missing"}}}}}});
  w.run();
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Synced");
  CHECK(w.phase("lost") == "Failed");
  CHECK(w.message("lost") == "there is no GitRepository steersman-system/nowhere");
  CHECK(w.condition("SpecValid", "strange") == "Findings");
  CHECK(w.phase("badsecret") == "Failed");
}

TEST_CASE("a deleted application takes its objects along, or leaves them") {
  World w;
  w.settings("1");
  w.repo.write("kept/map.yaml", configMap("kept"));
  w.repo.write("pruned/map.yaml", configMap("pruned"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("kept", "kept", {{"prune", false}});
  w.makeApplication("pruned", "pruned");
  w.run();
  REQUIRE(w.exists({"configmaps", "shop", "kept"}));
  REQUIRE(w.exists({"configmaps", "shop", "pruned"}));
  for (const char* name : {"kept", "pruned"})
    REQUIRE(w.cluster.client->write(Write::remove({kApps, kSystemNamespace, name})).ok());
  w.run();
  CHECK(w.exists({"configmaps", "shop", "kept"}));
  CHECK_FALSE(w.exists({"configmaps", "shop", "pruned"}));
  CHECK_FALSE(w.exists({kApps, kSystemNamespace, "kept"}));
  CHECK_FALSE(w.exists({kApps, kSystemNamespace, "pruned"}));
  CHECK(w.value() == "1");
}

TEST_CASE("a suspended application changes and heals nothing until it goes on") {
  World w;
  w.settings("1");
  w.repo.push("First");
  w.run();
  w.patchSpec("root", {{"suspend", true}});
  w.run(seconds(1));
  CHECK(w.phase() == "Suspended");
  w.settings("2");
  w.repo.push("Second");
  REQUIRE(w.cluster.client->write(Write::remove({"configmaps", "shop", "settings"})).ok());
  w.run(minutes(7));
  CHECK_FALSE(w.exists({"configmaps", "shop", "settings"}));
  w.patchSpec("root", {{"suspend", false}});
  w.run();
  CHECK(w.value() == "2");
  CHECK(w.phase() == "Synced");
}

TEST_CASE("an application waits until those it depends on are healthy at their newest commit") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("first/web.yaml",
               "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web, namespace: shop}\nspec:\n  replicas: 2\n"
               "  selector: {matchLabels: {app: web}}\n  template:\n    metadata: {labels: {app: web}}\n"
               "    spec: {containers: [{name: c, image: 'web:1'}]}\n");
  w.repo.write("second/map.yaml", configMap("second"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("first", "first");
  w.makeApplication("second", "second", {{"dependsOn", json::array{{{"name", "first"}}}}});
  w.run();
  CHECK(w.phase("second") == "Waiting");
  CHECK(w.message("second") == "waiting for application first, which is Progressing");
  CHECK_FALSE(w.exists({"configmaps", "shop", "second"}));

  // The newer commit ends both waits: the health wait of the first and the dependency wait of the second.
  w.repo.write("first/web.yaml", configMap("first"));
  w.repo.write("second/map.yaml", configMap("second", "2"));
  w.repo.push("Second");
  w.run();
  CHECK(w.value("second") == "2");
  CHECK(w.phase("second") == "Synced");
}

TEST_CASE("a missing dependency is named, and is waited for") {
  World w;
  w.settings("1");
  w.repo.write("web/map.yaml", configMap("web"));
  w.repo.write("base/map.yaml", configMap("base"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("web", "web", {{"dependsOn", json::array{{{"name", "base"}}}}});
  w.run();
  CHECK(w.message("web") == "waiting for application base, which does not exist");
  CHECK(w.phase() == "Synced");
  w.makeApplication("base", "base");
  w.run();
  CHECK(w.phase("web") == "Synced");
}

TEST_CASE("a circle of dependencies is told on each member, and holds up nobody else") {
  World w;
  w.settings("1");
  for (const std::string name : {"a", "b", "alone"}) w.repo.write(name + "/map.yaml", configMap(name));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("a", "a", {{"dependsOn", json::array{{{"name", "b"}}}}});
  w.makeApplication("b", "b", {{"dependsOn", json::array{{{"name", "a"}}}}});
  w.makeApplication("alone", "alone");
  w.run();
  for (const char* name : {"a", "b"}) {
    CHECK(w.condition("DependenciesReady", name) == "Cycle");
    CHECK(w.condition("DependenciesReady", name, "message") == "a -> b -> a");
    CHECK(w.phase(name) == "Waiting");
  }
  CHECK(w.phase() == "Synced");
  CHECK(w.phase("alone") == "Synced");
  w.patchSpec("b", {{"dependsOn", nullptr}});
  w.run();
  CHECK(w.phase("a") == "Synced");
  CHECK(w.condition("DependenciesReady", "a").empty());
}

TEST_CASE("a dependency that fails holds up only those that depend on it") {
  World w;
  w.settings("1");
  w.repo.write("bad/map.yaml", "apiVersion: v1\nkind: ConfigMap\ndata: [\n");
  w.repo.write("after/map.yaml", configMap("after"));
  w.repo.write("free/map.yaml", configMap("free"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("bad", "bad");
  w.makeApplication("after", "after", {{"dependsOn", json::array{{{"name", "bad"}}}}});
  w.makeApplication("free", "free");
  w.run();
  CHECK(w.phase("bad") == "Degraded");
  CHECK(w.phase("free") == "Synced");
  CHECK(w.phase("after") == "Waiting");
  CHECK(w.message("after") == "waiting for application bad, which is Degraded");
}

TEST_CASE("applications of one repository report each for itself, also after a restart") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.write("a/map.yaml", configMap("a"));
  w.repo.write("b/map.yaml", configMap("b"));
  w.repo.push("First");
  w.run(seconds(2));
  w.makeApplication("a", "a");
  w.makeApplication("b", "b");
  w.run();
  w.repo.write("a/map.yaml", configMap("a", "2"));
  const auto id = w.repo.push("Second");
  w.run();
  const auto notes = w.note(id);
  CHECK(notes.find("a: healthy: 1 updated") != std::string::npos);
  CHECK(notes.find("b: healthy: no changes") != std::string::npos);
  const int before = w.statusCommits();
  w.restart();
  w.run();
  CHECK(w.statusCommits() == before);
  CHECK(w.phase("a") == "Synced");
  CHECK(arrayAt(w.application("a"), {"status", "history"}).size() == 2);
}

TEST_CASE("findings that depend on the cluster are looked at again") {
  World w;
  bool found = true;
  w.loop = std::make_unique<ApplicationsLoop>(
      ApplicationsOptions{w.dir.at("data")},
      [&](const RenderTarget&) {
        return Renderer([&](TreeReader& reader, const std::string& tree) {
          auto out = renderFlat(reader, tree);
          if (!found) return out;
          out.findings.add({Severity::error, {"all.yaml", 1, 1}, "", "", "a namespace is missing", ""});
          out.objects.clear();
          return out;
        });
      },
      *w.cluster.client, w.executor);
  w.settings("1");
  const auto id = w.repo.push("First");
  w.run(seconds(30));
  CHECK_FALSE(w.exists({"configmaps", "shop", "settings"}));
  CHECK(w.phase() == "Degraded");
  CHECK(w.statusCommits() == 1);
  found = false;
  w.run(minutes(2));
  CHECK(w.value() == "1");
  CHECK(w.phase() == "Synced");
  CHECK(w.note(id).find("healthy: 2 created") != std::string::npos);
  CHECK(w.statusCommits() == 2);
}

TEST_CASE("an application that names no repository is read from the one that declares it, and so are those below") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  const auto nested = [](const std::string& name) {
    return "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: " + name +
           ", namespace: steersman-system}\nspec: {source: {path: " + name + "}}\n";
  };
  w.repo.write("web.yaml", nested("web"));
  w.repo.write("web/map.yaml", configMap("web"));
  w.repo.write("web/deeper.yaml", nested("deeper"));
  w.repo.write("deeper/map.yaml", configMap("deeper"));
  w.repo.push("First");
  w.run();
  CHECK(w.value("web") == "1");
  CHECK(w.value("deeper") == "1");
  for (const char* app : {"root", "web", "deeper"}) CHECK(w.phase(app) == "Synced");
  w.repo.write("deeper/map.yaml", configMap("deeper", "2"));
  w.repo.push("Second");
  w.run();
  CHECK(w.value("deeper") == "2");
  CHECK(w.loop->settled());
}

TEST_CASE("an application that names no repository and that nobody declares says so") {
  World w;
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.push("First");
  w.run();
  w.makeApplication("stray", "stray", {{"source", {{"path", "stray"}}}});
  w.run();
  CHECK(w.phase("stray") == "Failed");
  CHECK(w.message("stray").find("no application declares it") != std::string::npos);
  // A label alone is no declaration: anybody may write one.
  w.patch("stray", {{"metadata", {{"labels", {{kApplicationLabel, "root"}}}}}});
  w.run();
  CHECK(w.phase("stray") == "Failed");
}

TEST_CASE("a GitRepository follows the highest version of a range, and a Secret's authority is trusted for it") {
  World w;
  TempRepository other(w.dir, "other");
  const auto release = [&](const std::string& value, const std::string& tag) {
    other.write("map.yaml", configMap("released", value));
    other.push("Release " + tag);
    other.git("tag " + tag);
    other.git("push -q origin " + tag);
  };
  release("1.2", "v1.2.0");
  release("2.0", "v2.0.0");
  w.repo.write("ns.yaml", namespaceShop());
  w.repo.push("First");
  w.run();
  REQUIRE(sh("openssl req -x509 -newkey rsa:2048 -nodes -days 1 -subj /CN=ours -keyout " + w.dir.at("key") + " -out " +
             w.dir.at("crt") + " && echo made")
              .ends_with("made"));
  const auto certificate = sh("cat " + w.dir.at("crt"));
  const auto create = [&](const std::string& resource, json::object body) {
    const auto made = w.cluster.client->write(Write::create(resource, std::move(body)));
    INFO((made.ok() ? "" : made.error().message));
    REQUIRE(made.ok());
  };
  create("secrets", {{"apiVersion", "v1"},
                     {"kind", "Secret"},
                     {"metadata", {{"name", "other"}, {"namespace", kSystemNamespace}}},
                     {"stringData", {{"ca.crt", certificate}, {"username", "robot"}}}});
  create("gitrepositories.steersman.dev",
         {{"apiVersion", "steersman.dev/v1"},
          {"kind", "GitRepository"},
          {"metadata", {{"name", "other"}, {"namespace", kSystemNamespace}}},
          {"spec", {{"url", other.url()}, {"semver", "1.x"}, {"secretRef", {{"name", "other"}}}}}});
  w.makeApplication("released", "", {{"source", {{"repositoryRef", {{"name", "other"}}}}}});
  w.run();
  INFO(w.message("released"));
  CHECK(w.value("released") == "1.2");
  const auto authority = sh("ls " + w.dir.at("data/credentials") + "/*/ca.crt");
  REQUIRE(std::filesystem::exists(authority));
  CHECK(sh("cat " + authority) == certificate);
  CHECK((std::filesystem::status(authority).permissions() & std::filesystem::perms::group_all) ==
        std::filesystem::perms::none);
  release("1.3", "v1.3.0");
  w.run(seconds(30));
  CHECK(w.value("released") == "1.3");
}

namespace {

std::string deletionHook(const std::string& name, const std::string& annotations, const std::string& ns = "default") {
  return "apiVersion: batch/v1\nkind: Job\nmetadata:\n  name: " + name + "\n  namespace: " + ns + "\n  annotations: {" +
         annotations +
         "}\nspec:\n  template:\n    spec: {restartPolicy: Never, containers: " + "[{name: c, image: x}]}\n";
}

void endJob(const World& w, const std::string& name, const char* condition) {
  const auto done = w.cluster.client->write(Write::patch(
      {"jobs.batch", "default", name}, PatchType::merge,
      json::object{
          {"status", json::object{{"conditions", json::array{json::object{{"type", condition}, {"status", "True"}}}}}}},
      "status"));
  REQUIRE(done.ok());
}

}  // namespace

TEST_CASE("hooks of a deletion run before and after the objects of an application, also after a restart") {
  World w;
  w.settings("1");
  w.repo.write("app/map.yaml", configMap("mine"));
  w.repo.write("app/before.yaml", deletionHook("before", "argocd.argoproj.io/hook: PreDelete"));
  w.repo.write("app/after.yaml", deletionHook("after", "helm.sh/hook: post-delete"));
  w.repo.write("app/lost.yaml", deletionHook("lost", "steersman.dev/hook: post-delete", "nowhere"));
  w.repo.push("First");
  w.makeApplication("app", "app");
  w.run(seconds(40));
  REQUIRE(w.exists({"configmaps", "shop", "mine"}));
  CHECK_FALSE(w.exists({"jobs.batch", "default", "before"}));
  CHECK_FALSE(w.exists({"jobs.batch", "default", "after"}));
  w.restart();
  w.run(seconds(30));
  REQUIRE(w.cluster.client->write(Write::remove({kApps, kSystemNamespace, "app"})).ok());
  w.run(seconds(10));
  REQUIRE(w.exists({"jobs.batch", "default", "before"}));
  CHECK(w.exists({"configmaps", "shop", "mine"}));
  CHECK(w.message("app").starts_with("pre-delete hook Job default/before"));
  SECTION("the hook fails: nothing is deleted until it went well") {
    endJob(w, "before", "Failed");
    w.run(minutes(3));
    CHECK(w.exists({"configmaps", "shop", "mine"}));
    CHECK(w.phase("app") == "Deleting");
  }
  SECTION("it ends well: the objects go, then the other one runs, then the application goes") {
    endJob(w, "before", "Complete");
    w.run(seconds(20));
    CHECK_FALSE(w.exists({"configmaps", "shop", "mine"}));
    REQUIRE(w.exists({"jobs.batch", "default", "after"}));
    CHECK(w.exists({kApps, kSystemNamespace, "app"}));
    endJob(w, "after", "Complete");
    w.run(seconds(20));
    CHECK_FALSE(w.exists({kApps, kSystemNamespace, "app"}));
    CHECK(std::filesystem::is_empty(w.dir.at("data/deletion-hooks")));
  }
}
