// What a plan reads of a repository is what the reconciler applies: the same files of the same revision.
#include <catch2/catch.hpp>

#include "cli/nested_applications.h"
#include "tests/scenario/repository.h"

using namespace steer;
using namespace steer::scenario;

namespace {

std::string configMap(const std::string& name, const std::string& ns = "default") {
  return "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: " + name + ", namespace: " + ns + "}\ndata: {k: v}\n";
}
std::string repository(const std::string& name, const std::string& url, const std::string& more) {
  return "apiVersion: steersman.dev/v1\nkind: GitRepository\nmetadata: {name: " + name +
         ", namespace: steersman-system}\nspec:\n  url: " + url + "\n" + more;
}
std::string application(const std::string& name, const std::string& source) {
  return "apiVersion: steersman.dev/v1\nkind: Application\nmetadata: {name: " + name +
         ", namespace: steersman-system}\nspec:\n  source: " + source + "\n";
}

/// Names of the ConfigMaps that carry the label of each application.
using Owned = std::map<std::string, std::set<std::string>>;

Owned livingIn(const Simulator& cluster) {
  Owned out;
  for (const auto& object : cluster.state().list("configmaps"))
    if (const std::string label(object->label(kApplicationLabel)); !label.empty()) out[label].insert(object->name());
  return out;
}

Owned plannedFrom(cli::SourceRequest request, const cli::NestedRequest& nested, std::vector<std::string>& notes) {
  auto source = cli::SourceReader::open(std::move(request));
  REQUIRE(source.ok());
  const auto read = cli::readApplications(**source, nested);
  REQUIRE(read.ok());
  for (const auto& finding : read->findings.items()) UNSCOPED_INFO(finding.text());
  CHECK_FALSE(read->findings.hasErrors());
  Owned out;
  for (const auto& app : read->all)
    for (const auto& w : app.wanted)
      if (w.ref.resource == "configmaps") out[app.label].insert(w.ref.name);
  notes = read->notes;
  return out;
}

}  // namespace

TEST_CASE("a plan and the reconciler read the same of a GitRepository: include, branch, and pins") {
  Followed f(91);
  const auto url = f.dir.at("remote.git");
  f.push({{"ns.yaml", "apiVersion: v1\nkind: Namespace\nmetadata: {name: shop}\n"},
          {"sources.yaml", repository("parts", url, "  branch: main\n  include: ['apps/web', '!**/test']\n") + "---\n" +
                               repository("pinned", url, "  tag: v0\n") + "---\n" +
                               application("web", "{repositoryRef: {name: parts}, path: apps}") + "---\n" +
                               application("narrow", "{url: '" + url + "', path: other, include: ['other/a.yaml']}") +
                               "---\n" + application("old", "{repositoryRef: {name: pinned}, path: apps}")},
          {"apps/web/map.yaml", configMap("web")},
          {"apps/web/test/map.yaml", configMap("test")},
          {"apps/db/map.yaml", configMap("db")},
          {"apps/db/nested.yaml", application("hidden", "{path: hidden}")},
          {"hidden/map.yaml", configMap("hidden")},
          {"other/a.yaml", configMap("a")},
          {"other/b.yaml", configMap("b")},
          {"root.yaml", configMap("top")}});
  // The root reads its own files alone, by the Application that the server holds.
  REQUIRE(
      f.cluster.client()
          .write(Write::patch({"applications.steersman.dev", kSystemNamespace, "root"}, PatchType::merge,
                              json::object{{"spec", {{"source", {{"include", json::array{"*.yaml", "!root.yaml"}}}}}}}))
          .ok());
  REQUIRE(f.until([&] {
    const auto owned = livingIn(f.cluster);
    return owned.contains("web") && owned.contains("narrow");
  }));
  (void)f.cluster.advance(seconds(30));
  const auto living = livingIn(f.cluster);
  CHECK(living == Owned{{"web", {"web"}}, {"narrow", {"a"}}});

  cli::NestedRequest request{"root", "default", {"default", kSystemNamespace}, {}};
  request.live = f.cluster.state().get("applications.steersman.dev", kSystemNamespace, "root");
  REQUIRE(request.live);
  std::vector<std::string> notes;
  CHECK(plannedFrom({.repo = url, .revision = "main"}, request, notes) == living);
  REQUIRE(notes.size() == 1);
  CHECK(notes.front() == "application old is pinned to tag v0");

  // The work tree with the same files, and repositories that the cluster alone declares.
  f.repo.git("remote set-url origin " + url);
  CHECK(plannedFrom({.paths = {f.repo.work()}}, request, notes) == living);
  for (const auto& object : f.cluster.state().list("gitrepositories.steersman.dev"))
    request.repositories[object->ns() + "/" + object->name()] = object;
  CHECK(plannedFrom({.repo = url, .revision = "main"}, request, notes) == living);
}
