#include "cluster/controllers/namespaces.h"

#include <algorithm>
#include <map>

#include "cluster/controllers/conditions.h"

namespace steer {
namespace {

constexpr std::size_t kBurst = 1000;

/// What still lies in a namespace.
struct Content {
  std::map<std::string, std::size_t> perResource;
  std::map<std::string, std::size_t> perFinalizer;
  std::vector<Write> removals;
};

Content contentOf(const Snapshot& snapshot, const std::vector<std::string>& resources, const std::string& ns) {
  Content out;
  auto take = [&](const std::string& resource) {
    snapshot.each(resource, ns, [&](const ObjectPtr& object) {
      ++out.perResource[resource];
      for (const auto& finalizer : object->finalizers()) ++out.perFinalizer[finalizer];
      if (object->deleting() || out.removals.size() >= kBurst) return;
      DeleteOptions options;
      options.uid = object->uid();
      options.propagation = Propagation::background;
      out.removals.push_back(Write::remove({resource, ns, object->name()}, std::move(options)));
    });
  };
  // Pods end first, while what they need (config maps, secrets, services) is still there.
  take("pods");
  if (!out.perResource.empty()) return out;
  for (const auto& resource : resources) take(resource);
  return out;
}

std::string listed(const std::map<std::string, std::size_t>& counts, std::string_view verb, std::string_view what) {
  std::string out;
  for (const auto& [name, count] : counts) {
    if (!out.empty()) out += ", ";
    out += name + " " + std::string(verb) + " " + std::to_string(count) + " " + std::string(what);
  }
  return out;
}

json::object statusOf(const Object& ns, const Content& content, Time now) {
  json::object status = ns.status();
  status["phase"] = "Terminating";
  setCondition(
      status,
      {"NamespaceDeletionDiscoveryFailure", "False", "ResourcesDiscovered", "All resources successfully discovered"},
      now);
  setCondition(status,
               {"NamespaceDeletionGroupVersionParsingFailure", "False", "ParsedGroupVersions",
                "All legacy kube types successfully parsed"},
               now);
  setCondition(status,
               {"NamespaceDeletionContentFailure", "False", "ContentDeleted",
                "All content successfully deleted, may be waiting on finalization"},
               now);
  const std::string resources = listed(content.perResource, "has", "resource instances");
  const std::string finalizers = listed(content.perFinalizer, "in", "resource instances");
  const bool some = !resources.empty(), held = !finalizers.empty();
  const std::string someText = some ? "Some resources are remaining: " + resources : "All content successfully removed";
  const std::string heldText = held ? "Some content in the namespace has finalizers remaining: " + finalizers
                                    : "All content-preserving finalizers finished";
  setCondition(
      status,
      {"NamespaceContentRemaining", some ? "True" : "False", some ? "SomeResourcesRemain" : "ContentRemoved", someText},
      now);
  setCondition(status,
               {"NamespaceFinalizersRemaining", held ? "True" : "False",
                held ? "SomeFinalizersRemain" : "ContentHasNoFinalizers", heldText},
               now);
  return status;
}

class NamespaceController final : public Controller {
 public:
  explicit NamespaceController(std::vector<std::string> resources) : resources_(std::move(resources)) {}
  std::string_view name() const override { return "namespace-controller"; }
  std::vector<std::string> resources() const override {
    auto out = resources_;
    out.emplace_back("namespaces");
    return out;
  }

  std::vector<Key> keysFor(const Snapshot& snapshot, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    const auto& object = after ? after : before;
    if (resource == "namespaces") return {{"", object->name()}};
    const auto ns = snapshot.get("namespaces", "", object->ns());
    if (ns && ns->deleting()) return {{"", ns->name()}};
    return {};
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time now) const override {
    Decision out;
    const auto ns = snapshot.get("namespaces", "", key.name);
    if (!ns || !ns->deleting()) return out;
    const auto content = contentOf(snapshot, resources_, key.name);
    const json::object status = statusOf(*ns, content, now);
    out.writes = content.removals;
    if (content.perResource.empty()) {
      if (arrayAt(ns->spec(), {"finalizers"}).empty()) return out;
      for (const auto& resource : resources_) out.provided.push_back({{resource, key.name, ""}, ""});
      json::object body = ns->json();
      ensureObject(body, "spec")["finalizers"] = json::array{};
      out.writes.push_back(Write::update("namespaces", std::move(body), "finalize"));
    } else if (status != ns->status()) {
      json::object body = ns->json();
      body["status"] = status;
      out.writes.push_back(Write::updateStatus("namespaces", std::move(body)));
    }
    return out;
  }

 private:
  std::vector<std::string> resources_;
};

class NamespaceGiftsController final : public Controller {
 public:
  explicit NamespaceGiftsController(NamespaceGifts gifts) : gifts_(std::move(gifts)) {}
  std::string_view name() const override { return "root-ca-certificate-publisher"; }
  std::vector<std::string> resources() const override {
    std::vector<std::string> out{"namespaces", "configmaps"};
    if (gifts_.serviceAccounts) out.emplace_back("serviceaccounts");
    return out;
  }

  std::vector<Key> keysFor(const Snapshot&, std::string_view resource, const ObjectPtr& before,
                           const ObjectPtr& after) const override {
    const auto& object = after ? after : before;
    if (resource == "namespaces") return {{"", object->name()}};
    if (resource == "configmaps" && object->name() == kMap) return {{"", object->ns()}};
    if (resource == "serviceaccounts" && object->name() == "default") return {{"", object->ns()}};
    return {};
  }

  Decision decide(const Snapshot& snapshot, const Key& key, Time) const override {
    Decision out;
    const auto ns = snapshot.get("namespaces", "", key.name);
    if (!ns || ns->deleting()) return out;
    if (gifts_.serviceAccounts && !snapshot.get("serviceaccounts", key.name, "default"))
      out.writes.push_back(
          Write::create("serviceaccounts", {{"apiVersion", "v1"},
                                            {"kind", "ServiceAccount"},
                                            {"metadata", {{"namespace", key.name}, {"name", "default"}}}}));
    if (gifts_.rootCaPem.empty()) return out;
    const auto map = snapshot.get("configmaps", key.name, kMap);
    const json::object data{{"ca.crt", gifts_.rootCaPem}};
    if (!map) {
      out.writes.push_back(Write::create(
          "configmaps", {{"apiVersion", "v1"},
                         {"kind", "ConfigMap"},
                         {"metadata",
                          {{"namespace", key.name},
                           {"name", kMap},
                           {"annotations",
                            {{"kubernetes.io/description",
                              "Contains a CA bundle that can be used to verify the API server of this cluster."}}}}},
                         {"data", data}}));
    } else if (objectAt(map->json(), {"data"}) != data && !map->deleting()) {
      json::object body = map->json();
      body["data"] = data;
      out.writes.push_back(Write::update("configmaps", std::move(body)));
    }
    return out;
  }

 private:
  static constexpr const char* kMap = "kube-root-ca.crt";
  NamespaceGifts gifts_;
};

}  // namespace

std::unique_ptr<Controller> makeNamespaceController(std::vector<std::string> resources) {
  return std::make_unique<NamespaceController>(std::move(resources));
}

std::unique_ptr<Controller> makeNamespaceGiftsController(NamespaceGifts gifts) {
  return std::make_unique<NamespaceGiftsController>(std::move(gifts));
}

}  // namespace steer
