#include "cluster/apiserver/discovery.h"

#include <map>
#include <set>
#include <vector>

#include "schemas/served.h"

namespace steer {
namespace {

/// group → version → kinds that the API serves at a path of their own.
using Served = std::map<std::string, std::map<std::string, std::vector<const KindSchema*>>>;

Served servedKinds(const SchemaRegistry& registry) {
  Served out;
  for (const auto* kind : registry.kinds())
    if (!kind->verbs.empty() && !kind->plural.empty()) out[kind->gvk.group][kind->gvk.version].push_back(kind);
  return out;
}

json::array texts(const std::vector<std::string>& items) {
  json::array out;
  for (const auto& item : items) out.push_back(json::string(item));
  return out;
}

json::object kindOf(const Gvk& gvk) { return {{"group", gvk.group}, {"version", gvk.version}, {"kind", gvk.kind}}; }

json::object versionEntry(const std::string& group, const std::string& version) {
  return {{"groupVersion", Gvk{group, version, ""}.apiVersion()}, {"version", version}};
}

json::object groupEntry(const std::string& group,
                        const std::map<std::string, std::vector<const KindSchema*>>& versions) {
  json::array all;
  for (const auto& [version, kinds] : versions) all.push_back(versionEntry(group, version));
  return {{"name", group},
          {"versions", std::move(all)},
          {"preferredVersion", versionEntry(group, versions.begin()->first)}};
}

/// Of a kind that is kept and that nothing acts on also `unserved`: `kubectl api-resources --categories=unserved`.
json::array categoriesOf(const KindSchema& kind) {
  auto out = texts(kind.categories);
  if (!unservedText(kind).empty()) out.push_back(kUnservedCategory);
  return out;
}

json::object plainResource(const KindSchema& kind) {
  json::object out{{"name", kind.plural},
                   {"singularName", kind.singular},
                   {"namespaced", kind.namespaced},
                   {"kind", kind.gvk.kind},
                   {"verbs", texts(kind.verbs)}};
  if (!kind.shortNames.empty()) out["shortNames"] = texts(kind.shortNames);
  if (auto categories = categoriesOf(kind); !categories.empty()) out["categories"] = std::move(categories);
  return out;
}

json::object plainSubresource(const KindSchema& kind, const SubresourceSchema& sub) {
  json::object out{{"name", kind.plural + "/" + sub.name},
                   {"singularName", ""},
                   {"namespaced", kind.namespaced},
                   {"kind", sub.gvk.kind},
                   {"verbs", texts(sub.verbs)}};
  if (sub.gvk.group != kind.gvk.group || sub.gvk.version != kind.gvk.version) {
    out["group"] = sub.gvk.group;
    out["version"] = sub.gvk.version;
  }
  return out;
}

json::object aggregatedResource(const KindSchema& kind) {
  json::object out{{"resource", kind.plural},
                   {"responseKind", kindOf(kind.gvk)},
                   {"scope", kind.namespaced ? "Namespaced" : "Cluster"},
                   {"singularResource", kind.singular},
                   {"verbs", texts(kind.verbs)}};
  if (!kind.shortNames.empty()) out["shortNames"] = texts(kind.shortNames);
  if (auto categories = categoriesOf(kind); !categories.empty()) out["categories"] = std::move(categories);
  json::array subs;
  for (const auto& sub : kind.subresources)
    subs.push_back(
        json::object{{"subresource", sub.name}, {"responseKind", kindOf(sub.gvk)}, {"verbs", texts(sub.verbs)}});
  if (!subs.empty()) out["subresources"] = std::move(subs);
  return out;
}

}  // namespace

json::object coreVersions() {
  return {{"kind", "APIVersions"}, {"versions", json::array{"v1"}}, {"serverAddressByClientCIDRs", json::array{}}};
}

json::object groupList(const SchemaRegistry& registry) {
  json::array groups;
  for (const auto& [group, versions] : servedKinds(registry))
    if (!group.empty()) groups.push_back(groupEntry(group, versions));
  return {{"kind", "APIGroupList"}, {"apiVersion", "v1"}, {"groups", std::move(groups)}};
}

json::object groupOf(const SchemaRegistry& registry, std::string_view group) {
  const auto served = servedKinds(registry);
  const auto it = served.find(std::string(group));
  if (it == served.end()) return {};
  json::object out{{"kind", "APIGroup"}, {"apiVersion", "v1"}};
  for (auto& [key, value] : groupEntry(it->first, it->second)) out[key] = value;
  return out;
}

json::object resourceList(const SchemaRegistry& registry, std::string_view group, std::string_view version) {
  const auto served = servedKinds(registry);
  const auto it = served.find(std::string(group));
  if (it == served.end()) return {};
  const auto kinds = it->second.find(std::string(version));
  if (kinds == it->second.end()) return {};
  json::array resources;
  for (const auto* kind : kinds->second) {
    resources.push_back(plainResource(*kind));
    for (const auto& sub : kind->subresources) resources.push_back(plainSubresource(*kind, sub));
  }
  return {{"kind", "APIResourceList"},
          {"apiVersion", "v1"},
          {"groupVersion", Gvk{it->first, kinds->first, ""}.apiVersion()},
          {"resources", std::move(resources)}};
}

json::object aggregated(const SchemaRegistry& registry, Groups which, const std::string& version) {
  json::array groups;
  for (const auto& [group, versions] : servedKinds(registry)) {
    if (group.empty() != (which == Groups::core)) continue;
    json::array all;
    for (const auto& [name, kinds] : versions) {
      json::array resources;
      for (const auto* kind : kinds) resources.push_back(aggregatedResource(*kind));
      all.push_back(json::object{{"version", name}, {"resources", std::move(resources)}, {"freshness", "Current"}});
    }
    json::object meta{{"creationTimestamp", nullptr}};
    if (!group.empty()) meta["name"] = group;
    groups.push_back(json::object{{"metadata", std::move(meta)}, {"versions", std::move(all)}});
  }
  return {{"kind", "APIGroupDiscoveryList"},
          {"apiVersion", "apidiscovery.k8s.io/" + version},
          {"metadata", json::object{}},
          {"items", std::move(groups)}};
}

}  // namespace steer
