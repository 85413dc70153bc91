#include "render/rendered_tree.h"

namespace steer {
namespace {

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

// Directories are at most as deep as TreeRenderer allows, so these recursions are bounded.
void visitNode(const RenderedNode& node, const std::string& path, const std::function<void(const Manifest&)>& visit) {
  for (const auto& [name, child] : node.children) {
    const auto file = joined(path, name);
    if (child.tree != nullptr) visitNode(*child.tree, file, visit);
    if (child.blob == nullptr) continue;
    for (const auto& parsed : child.blob->manifests) visit(Manifest{file, &parsed});
  }
}

void collect(const Diagnostics& findings, const std::string& file, Diagnostics& out) {
  for (auto d : findings.items()) {
    d.pos.file = d.pos.file.empty() ? file : joined(file, d.pos.file);
    out.add(std::move(d));
  }
}

void collectNode(const RenderedNode& node, const std::string& path, Diagnostics& out) {
  collect(node.findings, path, out);
  for (const auto& [name, child] : node.children) {
    if (child.tree != nullptr) collectNode(*child.tree, joined(path, name), out);
    if (child.blob != nullptr) collect(child.blob->findings, joined(path, name), out);
  }
}

using Child = RenderedNode::Child;

void compare(const RenderedNode* before, const RenderedNode* after, const std::string& path,
             std::vector<RenderedTree::ChangedFile>& out) {
  if (before == after) return;
  static const std::map<std::string, Child> kNone;
  const auto& old = before == nullptr ? kNone : before->children;
  const auto& now = after == nullptr ? kNone : after->children;
  auto compareChild = [&](const std::string& name, const Child* a, const Child* b) {
    const auto file = joined(path, name);
    compare(a == nullptr ? nullptr : a->tree.get(), b == nullptr ? nullptr : b->tree.get(), file, out);
    const ParsedBlobPtr was = a == nullptr ? nullptr : a->blob;
    const ParsedBlobPtr is = b == nullptr ? nullptr : b->blob;
    if (was != is) out.push_back({file, was, is});
  };
  auto a = old.begin();
  auto b = now.begin();
  while (a != old.end() || b != now.end()) {
    if (b == now.end() || (a != old.end() && a->first < b->first)) {
      compareChild(a->first, &a->second, nullptr);
      ++a;
    } else if (a == old.end() || b->first < a->first) {
      compareChild(b->first, nullptr, &b->second);
      ++b;
    } else {
      compareChild(a->first, &a->second, &b->second);
      ++a;
      ++b;
    }
  }
}

}  // namespace

void RenderedTree::forEach(const std::function<void(const Manifest&)>& visit) const {
  if (root_ != nullptr) visitNode(*root_, path_, visit);
}

Diagnostics RenderedTree::findings() const {
  Diagnostics out;
  if (root_ != nullptr) collectNode(*root_, path_, out);
  out.sort();
  return out;
}

std::vector<RenderedTree::ChangedFile> RenderedTree::changes(const RenderedTree& before, const RenderedTree& after) {
  std::vector<ChangedFile> out;
  compare(before.root_.get(), after.root_.get(), after.path_, out);
  return out;
}

}  // namespace steer
