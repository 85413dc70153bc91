#include <algorithm>
#include <cstdio>
#include <cstdlib>

#include "schemas/loader.h"
#include "schemas/names.h"
#include "schemas/schema.h"

namespace steer {

const FieldSchema* TypeSchema::field(std::string_view wanted) const {
  const auto at = std::lower_bound(fields.begin(), fields.end(), wanted,
                                   [](const FieldSchema& f, std::string_view n) { return f.name < n; });
  return at != fields.end() && at->name == wanted ? &*at : nullptr;
}

const SubresourceSchema* KindSchema::subresource(std::string_view wanted) const {
  for (const auto& sub : subresources)
    if (sub.name == wanted) return &sub;
  return nullptr;
}

const SchemaRegistry& SchemaRegistry::builtin() {
  static const std::unique_ptr<SchemaRegistry> registry = [] {
    auto loaded = SchemaLoader::load(SchemaLoader::embedded());
    if (!loaded) {
      // The documents are part of the binary: this is a build that must not run.
      std::fprintf(stderr, "steer: %s\n", loaded.error().message.c_str());
      std::abort();
    }
    return std::move(loaded).value();
  }();
  return *registry;
}

const KindSchema* SchemaRegistry::find(const Gvk& gvk) const {
  if (const auto at = byGvk_.find(gvk); at != byGvk_.end()) return at->second;
  if (gvk.kind != "DeleteOptions" && gvk.kind != "Status") return nullptr;
  const auto known = std::any_of(kinds_.begin(), kinds_.end(), [&](const auto* k) {
    return k->gvk.group == gvk.group && k->gvk.version == gvk.version;
  });
  if (!known && gvk.group != "meta.k8s.io") return nullptr;
  const auto at = byGvk_.find(Gvk{"", "v1", gvk.kind});
  return at == byGvk_.end() ? nullptr : at->second;
}

const KindSchema* SchemaRegistry::findByPlural(std::string_view group, std::string_view version,
                                               std::string_view plural) const {
  for (const auto* kind : kinds_)
    if (kind->plural == plural && kind->gvk.group == group && kind->gvk.version == version) return kind;
  return nullptr;
}

const KindSchema* SchemaRegistry::findByResource(std::string_view resource) const {
  const auto at = byResource_.find(resource);
  return at == byResource_.end() ? nullptr : at->second;
}

const KindSchema* SchemaRegistry::findByWord(std::string_view word) const {
  std::string lower(word);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const auto at = byWord_.find(lower);
  return at == byWord_.end() ? nullptr : at->second;
}

const TypeSchema* SchemaRegistry::type(std::string_view name) const {
  const auto at = types_.find(name);
  return at == types_.end() ? nullptr : at->second.get();
}

std::vector<Gvk> SchemaRegistry::nearest(const Gvk& gvk) const {
  // A wrong apiVersion for a known kind is the commonest mistake, so the kind's own distance weighs most.
  std::vector<std::pair<std::size_t, Gvk>> found;
  for (const auto* kind : kinds_) {
    const auto byKind = editDistance(gvk.kind, kind->gvk.kind);
    if (byKind > std::max<std::size_t>(2, kind->gvk.kind.size() / 4)) continue;
    const auto byGroup = editDistance(gvk.apiVersion(), kind->gvk.apiVersion());
    found.emplace_back(byKind * 100 + (kind->served ? 0 : 50) + std::min<std::size_t>(byGroup, 49), kind->gvk);
  }
  std::sort(found.begin(), found.end());
  std::vector<Gvk> out;
  for (auto& [distance, known] : found) out.push_back(std::move(known));
  if (out.size() > 5) out.resize(5);
  return out;
}

}  // namespace steer
