#include "cli/source_tree.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cli/terminal.h"
#include "reconciler/git/directory_reader.h"
#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "render/blob_parser.h"
#include "render/tree_renderer.h"

namespace steer::cli {
namespace {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() : path_((fs::temp_directory_path() / "steer-clone-XXXXXX").string()) {
    if (::mkdtemp(path_.data()) == nullptr) path_.clear();
  }
  ~TempFolder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

Result<LoadedSource> loadRevision(const SourceRequest& request) {
  const TempFolder folder;
  if (folder.path().empty()) return makeError(Errc::io, "no temporary folder can be made");
  Progress progress("fetching " + request.repo);
  SourceOptions options;
  options.url = request.repo;
  if (request.revision != "HEAD") options.revision = request.revision;  // a source's own word for its HEAD is ""
  options.path = request.path;
  STEER_TRY(auto source, GitSource::open(std::move(options), folder.path() + "/clone"));
  STEER_TRY(const auto fetched, source.fetch());
  STEER_TRY(const auto reader, GitTreeReader::open(source.cloneDir()));
  progress.say("reading " + request.repo);
  TreeRenderer renderer(&SchemaRegistry::builtin());
  STEER_TRY(auto tree, renderer.render(*reader, fetched.commit.tree, request.path));
  return LoadedSource{std::move(tree), fetched.commit.id};
}

Result<RenderedNode::Child> loadFile(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  std::string text;
  std::vector<char> buffer(1 << 16);
  while (in.read(buffer.data(), static_cast<std::streamsize>(buffer.size())) || in.gcount() > 0) {
    text.append(buffer.data(), static_cast<std::size_t>(in.gcount()));
    if (text.size() > kMaxManifestBytes)
      return makeError(Errc::tooLarge, path + ": the file has more than 32 MB and is not read; split it");
  }
  if (!in.eof()) return makeError(Errc::io, path + ": cannot be read");
  return RenderedNode::Child{nullptr, parseBlob(text, &SchemaRegistry::builtin())};
}

Result<RenderedNode::Child> loadPath(const std::string& path) {
  std::error_code ec;
  if (!fs::exists(path, ec)) return makeError(Errc::notFound, path + ": no such file or directory");
  if (!fs::is_directory(path, ec)) return loadFile(path);
  STEER_TRY(const auto reader, DirectoryReader::open(path));
  TreeRenderer renderer(&SchemaRegistry::builtin());
  STEER_TRY(const auto tree, renderer.render(*reader, reader->rootId()));
  return RenderedNode::Child{tree.root(), nullptr};
}

std::string withoutSlashes(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

Result<LoadedSource> openSource(const SourceRequest& request) {
  if (!request.repo.empty()) return loadRevision(request);
  Progress progress("reading manifests");
  auto root = std::make_shared<RenderedNode>();
  for (const auto& path : request.paths) {
    STEER_TRY(auto child, loadPath(path));
    root->manifests += child.tree != nullptr ? child.tree->manifests : child.blob->manifests.size();
    // A directory alone is the root itself, so that findings of its entries get its name.
    root->children[withoutSlashes(path)] = std::move(child);
  }
  return LoadedSource{RenderedTree(std::move(root), "")};
}

Result<RenderedTree> loadSource(const SourceRequest& request) {
  STEER_TRY(auto source, openSource(request));
  return std::move(source.tree);
}

}  // namespace steer::cli
