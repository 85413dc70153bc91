#include "render/tree_renderer.h"

#include <algorithm>

#include "render/blob_parser.h"

namespace steer {
namespace {

constexpr std::size_t kMaxDirectoryDepth = 100;
// A few kilobytes of Git can name one tree billions of times.
constexpr std::size_t kMaxWeight = 4'000'000;
constexpr std::size_t kMaxIgnoreBytes = 1024 * 1024;
constexpr const char* kIgnoreFile = ".steerignore";

bool isManifestName(std::string_view name) {
  return !name.starts_with('.') && (name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json"));
}

/// A directory of this is no manifest as it stands, however its files look.
std::string chartIn(const std::vector<TreeEntry>& entries) {
  for (const auto& entry : entries)
    if (entry.kind == TreeEntry::Kind::blob && entry.name == "Chart.yaml") return entry.name;
  return "";
}

bool isKustomization(std::string_view name) {
  return name == "kustomization.yaml" || name == "kustomization.yml" || name == "Kustomization";
}

std::string joined(const std::string& directory, const std::string& name) {
  return directory.empty() ? name : directory + "/" + name;
}

Diagnostic finding(const std::string& name, std::string message, std::string hint) {
  return {Severity::error, {name, 0, 0}, "", "", std::move(message), std::move(hint)};
}

Error located(Error error, const std::string& file) {
  error.message = file + ": " + error.message;
  return error;
}

template <class Map>
void dropExpired(Map& map) {
  for (auto it = map.begin(); it != map.end();) it = it->second.expired() ? map.erase(it) : std::next(it);
}

}  // namespace

Result<RenderedTree> TreeRenderer::render(TreeReader& reader, const std::string& treeId, const std::string& path) {
  std::string current = treeId;
  std::string walked;
  IgnoreRules rules;
  std::string_view rest = path;
  while (true) {
    while (rest.starts_with('/') || rest.starts_with("./")) rest.remove_prefix(rest[0] == '.' ? 2 : 1);
    if (rest.empty() || rest == ".") break;
    const std::string step(rest.substr(0, rest.find('/')));
    rest.remove_prefix(step.size());
    STEER_TRY(const auto entries, reader.list(current));
    STEER_TRY(rules, rulesOf(reader, entries, walked, rules));
    const auto found = std::find_if(entries.begin(), entries.end(), [&](const TreeEntry& e) { return e.name == step; });
    walked = joined(walked, step);
    if (found == entries.end() || found->kind != TreeEntry::Kind::tree)
      return makeError(Errc::notFound, "the directory " + walked + " does not exist in the source");
    current = found->id;
  }
  auto root = renderNode(reader, current, walked, rules, 0);
  held_.clear();
  if (root.ok()) last_ = *root;
  forgetUnused();
  if (!root.ok()) return std::move(root).error();
  return RenderedTree(std::move(*root), walked);
}

Result<IgnoreRules> TreeRenderer::rulesOf(TreeReader& reader, const std::vector<TreeEntry>& entries,
                                          const std::string& path, const IgnoreRules& above) {
  for (const auto& entry : entries) {
    if (entry.name != kIgnoreFile || entry.kind != TreeEntry::Kind::blob) continue;
    auto text = reader.read(entry.id, kMaxIgnoreBytes);
    if (!text.ok()) return located(std::move(text).error(), joined(path, entry.name));
    return above.with(path, *text);
  }
  return above;
}

Result<RenderedNodePtr> TreeRenderer::renderNode(TreeReader& reader, const std::string& treeId, const std::string& path,
                                                 const IgnoreRules& above, std::size_t depth) {
  // Without rules the rendering depends on the content alone; with rules also on the place.
  const std::string key = above.empty() ? treeId : treeId + '\0' + path + '\0' + above.key();
  if (const auto known = trees_.find(key); known != trees_.end())
    if (auto node = known->second.lock()) return RenderedNodePtr(std::move(node));
  auto node = std::make_shared<RenderedNode>();
  auto entries = reader.list(treeId);
  if (!entries.ok()) return located(std::move(entries).error(), path.empty() ? "the root directory" : path);
  ++counters_.treesListed;
  STEER_TRY(const auto rules, rulesOf(reader, *entries, path, above));
  if (const auto chart = chartIn(*entries);
      !chart.empty() && !rules.ignores(joined(path, chart), IgnoreRules::Entry::file)) {
    node->findings.add(finding(chart, "is a Helm chart, which is not rendered yet; nothing of its directory is applied",
                               "leave it out with .steerignore, and commit what helm template prints"));
    entries->clear();
  }
  for (const auto& entry : *entries)
    STEER_CHECK(renderEntry(reader, entry, joined(path, entry.name), rules, depth, *node));
  node->problems = node->findings.items().size();
  node->weight = 1 + node->problems;
  for (const auto& [name, child] : node->children) {
    node->manifests += child.tree != nullptr ? child.tree->manifests : child.blob->manifests.size();
    node->problems += child.tree != nullptr ? child.tree->problems : child.blob->findings.items().size();
    node->weight +=
        child.tree != nullptr ? child.tree->weight : child.blob->manifests.size() + child.blob->findings.items().size();
  }
  if (node->weight > kMaxWeight)
    return makeError(Errc::invalid, (path.empty() ? "the tree" : path) + " holds too many manifests and directories");
  trees_[key] = node;
  held_.push_back(node);
  return RenderedNodePtr(std::move(node));
}

Result<void> TreeRenderer::renderEntry(TreeReader& reader, const TreeEntry& entry, const std::string& file,
                                       const IgnoreRules& rules, std::size_t depth, RenderedNode& out) {
  using Kind = TreeEntry::Kind;
  if (entry.name.starts_with('.')) return {};
  const auto asked = entry.kind == Kind::tree ? IgnoreRules::Entry::directory : IgnoreRules::Entry::file;
  if (rules.ignores(file, asked)) return {};
  if (entry.kind == Kind::link) {
    out.findings.add(finding(entry.name, "symbolic link is not followed",
                             "commit the file itself, or name the link in .steerignore"));
  } else if (entry.kind == Kind::submodule) {
    out.findings.add(
        finding(entry.name, "submodule is not fetched", "commit its files, or name the directory in .steerignore"));
  } else if (entry.kind == Kind::tree) {
    if (depth >= kMaxDirectoryDepth) {
      out.findings.add(finding(entry.name, "directories nested deeper than 100 levels", "move the files up"));
      return {};
    }
    STEER_TRY(auto node, renderNode(reader, entry.id, file, rules, depth + 1));
    if (node->manifests != 0 || !node->children.empty() || !node->findings.empty())
      out.children[entry.name].tree = std::move(node);
  } else if (isKustomization(entry.name)) {
    out.findings.add(finding(entry.name, "is a kustomization, which is not rendered yet",
                             "leave it out with .steerignore, and the files beside it are applied as they stand; or "
                             "commit what kustomize build prints"));
  } else if (isManifestName(entry.name)) {
    auto parsed = blob(reader, entry.id);
    if (!parsed.ok() && parsed.error().code == Errc::tooLarge) {
      out.findings.add(
          finding(entry.name, "the file has more than 32 MB and is not read", "split it, or name it in .steerignore"));
      return {};
    }
    if (!parsed.ok()) return located(std::move(parsed).error(), file);
    if (!(*parsed)->manifests.empty() || !(*parsed)->findings.empty())
      out.children[entry.name].blob = std::move(*parsed);
  }
  return {};
}

Result<ParsedBlobPtr> TreeRenderer::blob(TreeReader& reader, const std::string& id) {
  auto& known = blobs_[id];
  if (auto parsed = known.lock()) return parsed;
  STEER_TRY(const auto text, reader.read(id, kMaxManifestBytes));
  ++counters_.blobsParsed;
  auto parsed = parseBlob(text, registry_);
  known = parsed;
  held_.push_back(parsed);
  return parsed;
}

/// Looks through everything only when it has doubled since the last time, so that a small change costs little.
void TreeRenderer::forgetUnused() {
  if (blobs_.size() + trees_.size() <= forgetAt_) return;
  dropExpired(blobs_);
  dropExpired(trees_);
  forgetAt_ = 2 * (blobs_.size() + trees_.size()) + 100;
}

}  // namespace steer
