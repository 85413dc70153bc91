#include "render/desired_index.h"

#include <algorithm>
#include <iterator>

namespace steer {
namespace {

/// The objects of one file; nothing when one of them has no kind or name.
std::optional<std::vector<DesiredObject>> objectsOf(const ParsedBlobPtr& blob, const std::string& file,
                                                    const DesiredOptions& options) {
  std::vector<DesiredObject> out;
  if (blob == nullptr) return out;
  for (const auto& parsed : blob->manifests) {
    auto object = desiredObject({file, &parsed}, options);
    if (!object || object->errors != 0) return std::nullopt;
    out.push_back(std::move(*object));
  }
  return out;
}

}  // namespace

void DesiredIndex::reset(const DesiredSet& set, const DesiredOptions& options) {
  sound_ = set.findings.empty();
  tree_ = set.tree;
  options_ = options;
  refs_.clear();
  namespaces_ = options.existingNamespaces;
  namespaces_.insert(standingNamespaces().begin(), standingNamespaces().end());
  if (!sound_) return;
  for (const auto& object : set.objects) {
    refs_.insert(refs_.end(), object.ref);
    if (object.ref.resource == "namespaces") namespaces_.insert(object.ref.name);
  }
}

bool DesiredIndex::declared(const DesiredObject& object) const {
  return !object.kind->namespaced || namespaces_.contains(object.ref.ns);
}

std::optional<DesiredChange> DesiredIndex::advance(const RenderedTree& tree, const DesiredOptions& options) {
  if (!sound_ || tree.problems() != 0 || tree.path() != tree_.path() ||
      options.defaultNamespace != options_.defaultNamespace ||
      !std::includes(options.existingNamespaces.begin(), options.existingNamespaces.end(),
                     options_.existingNamespaces.begin(), options_.existingNamespaces.end()))
    return std::nullopt;
  namespaces_.insert(options.existingNamespaces.begin(), options.existingNamespaces.end());
  DesiredChange out;
  std::set<ObjectRef> gone;
  for (const auto& file : RenderedTree::changes(tree_, tree)) {
    const auto before = objectsOf(file.before, file.file, options);
    auto after = objectsOf(file.after, file.file, options);
    if (!before || !after) return std::nullopt;
    for (const auto& object : *before) gone.insert(object.ref);
    std::move(after->begin(), after->end(), std::back_inserter(out.changed));
  }
  std::set<ObjectRef> come;
  for (const auto& object : out.changed) {
    const bool twice = !come.insert(object.ref).second || (refs_.contains(object.ref) && !gone.contains(object.ref));
    if (twice || !declared(object)) return std::nullopt;
  }
  std::set_difference(gone.begin(), gone.end(), come.begin(), come.end(), std::back_inserter(out.removed));
  const auto isNamespace = [](const ObjectRef& ref) { return ref.resource == "namespaces"; };
  if (std::any_of(out.removed.begin(), out.removed.end(), isNamespace) ||
      std::any_of(come.begin(), come.end(), [&](const ObjectRef& r) { return isNamespace(r) && !gone.contains(r); }))
    return std::nullopt;
  for (const auto& ref : out.removed) refs_.erase(ref);
  refs_.insert(come.begin(), come.end());
  tree_ = tree;
  options_ = options;
  return out;
}

}  // namespace steer
