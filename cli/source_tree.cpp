#include "cli/source_tree.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <optional>
#include <sstream>

#include "cli/terminal.h"
#include "reconciler/git/directory_reader.h"
#include "reconciler/git/git_program.h"
#include "reconciler/git/git_source.h"
#include "reconciler/git/git_tree_reader.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/git/work_tree.h"
#include "render/blob_parser.h"
#include "render/tree_renderer.h"

namespace steer::cli {
namespace {

namespace fs = std::filesystem;

class TempFolder {
 public:
  TempFolder() {
    std::error_code ec;
    path_ = (fs::temp_directory_path(ec) / "steer-clone-XXXXXX").string();
    if (ec || ::mkdtemp(path_.data()) == nullptr) path_.clear();
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

class RepositoryReader final : public SourceReader {
 public:
  static Result<std::unique_ptr<SourceReader>> open(SourceRequest request) {
    std::unique_ptr<RepositoryReader> out(new RepositoryReader(std::move(request)));
    if (out->folder_.path().empty()) return makeError(Errc::io, "no temporary folder can be made");
    Progress progress("fetching " + out->request_.repo);
    SourceOptions options;
    options.url = out->request_.repo;
    if (out->request_.revision != "HEAD")  // a source's own word for its HEAD is ""
      options.revision = out->request_.revision;
    options.path = out->request_.path;
    if (auto cloned = out->clone(std::move(options)); !cloned.ok()) {
      if (!out->readInPlace()) return std::move(cloned).error();
    }
    return std::unique_ptr<SourceReader>(std::move(out));
  }

  Result<RenderedTree> main() override { return at(request_.path); }
  Result<RenderedTree> at(const std::string& path) override {
    Progress progress("reading " + request_.repo);
    return renderer_.render(*reader_, commit_.tree, path);
  }
  std::string commit() const override { return commit_.id; }
  std::string message() const override { return commit_.message; }
  std::string inSource(const std::string& file) const override { return file; }
  SourceIdentity identity() const override {
    SourceIdentity out{
        {}, request_.revision == commit_.id || request_.revision == "HEAD" ? "" : request_.revision, commit_.id};
    if (const auto url = RemoteUrl::parse(request_.repo); url.ok()) {
      out.urls.push_back(url->url);
      if (url->kind == RemoteUrl::Kind::local) {
        std::error_code ec;
        out.urls.push_back(fs::weakly_canonical(url->path, ec).string());
        out.home = out.urls.back();
        for (auto& remote : remotesOf(url->path)) out.urls.push_back(std::move(remote));
        if (out.urls.size() > 2) out.home = out.urls[2];
      } else {
        out.home = url->url;
      }
    }
    return out;
  }
  std::optional<std::string> path() const override { return request_.path; }
  std::vector<std::string> held(const std::vector<std::string>& commits) const override {
    const auto url = RemoteUrl::parse(request_.repo);
    if (url.ok() && url->kind == RemoteUrl::Kind::local) return commitsHeld(url->path, commits);
    return {commit_.id};
  }

 private:
  explicit RepositoryReader(SourceRequest request) : request_(std::move(request)) {}

  Result<void> clone(SourceOptions options) {
    STEER_TRY(auto source, GitSource::open(std::move(options), folder_.path() + "/clone"));
    STEER_TRY(auto fetched, source.fetch());
    commit_ = std::move(fetched.commit);
    STEER_TRY(reader_, GitTreeReader::open(source.cloneDir()));
    return {};
  }

  /// What cannot be cloned here may be read where it is.
  bool readInPlace() {
    const auto url = RemoteUrl::parse(request_.repo);
    if (!url.ok() || url->kind != RemoteUrl::Kind::local) return false;
    auto program = GitProgram::open(url->path, request_.revision);
    if (!program.ok()) return false;
    commit_ = (*program)->commit();
    reader_ = std::move(*program);
    return true;
  }

  SourceRequest request_;
  TempFolder folder_;
  SourceCommit commit_;
  std::unique_ptr<TreeReader> reader_;
  TreeRenderer renderer_{&SchemaRegistry::builtin()};
};

class DirectoriesReader final : public SourceReader {
 public:
  explicit DirectoriesReader(SourceRequest request) : request_(std::move(request)) {}

  Result<RenderedTree> main() override {
    Progress progress("reading manifests");
    auto root = std::make_shared<RenderedNode>();
    for (const auto& path : request_.paths) {
      STEER_TRY(auto child, loadPath(path));
      root->manifests += child.tree != nullptr ? child.tree->manifests : child.blob->manifests.size();
      // A directory alone is the root itself, so that findings of its entries get its name.
      root->children[withoutSlashes(path)] = std::move(child);
    }
    return RenderedTree(std::move(root), "");
  }

  Result<RenderedTree> at(const std::string& path) override {
    const auto& base = around().root;
    std::error_code ec;
    const auto real = fs::canonical(fs::path(base) / path, ec).string();
    const auto top = ec ? std::string() : fs::canonical(base, ec).string();
    if (ec) return makeError(Errc::notFound, path + ": no such directory in " + base);
    if (real != top && !real.starts_with(top + "/")) return makeError(Errc::forbidden, path + " leads out of " + base);
    auto root = std::make_shared<RenderedNode>();
    STEER_TRY(auto child, loadPath(real));
    root->manifests = child.tree != nullptr ? child.tree->manifests : child.blob->manifests.size();
    root->children[path.empty() ? base : path] = std::move(child);
    return RenderedTree(std::move(root), "");
  }

  std::string commit() const override { return ""; }
  std::string message() const override { return ""; }
  SourceIdentity identity() const override {
    const auto& tree = around();
    SourceIdentity out{tree.urls, ""};
    if (!inRepository_) return out;
    out.home = tree.urls.empty() ? tree.root : tree.urls.front();
    out.urls.push_back(tree.root);
    return out;
  }
  std::optional<std::string> path() const override {
    const auto& tree = around();
    if (request_.paths.size() != 1 || !inRepository_) return std::nullopt;
    std::error_code ec;
    const auto top = fs::weakly_canonical(tree.root, ec).string();
    const auto real = fs::weakly_canonical(request_.paths.front(), ec).string();
    if (ec || (real != top && !real.starts_with(top + "/"))) return std::nullopt;
    return real == top ? "" : real.substr(top.size() + 1);
  }
  std::vector<std::string> held(const std::vector<std::string>& commits) const override {
    return commitsHeld(around().root, commits);
  }
  std::string inSource(const std::string& file) const override {
    std::error_code ec;
    const auto root = fs::weakly_canonical(around().root, ec).string();
    const auto real = fs::weakly_canonical(file, ec).string();
    return !ec && real.starts_with(root + "/") ? real.substr(root.size() + 1) : file;
  }

 private:
  /// Looked for only when an application asks: most sources hold none.
  const WorkTree& around() const {
    if (around_) return *around_;
    std::error_code ec;
    auto first = fs::weakly_canonical(request_.paths.front(), ec);
    if (!fs::is_directory(first, ec)) first = first.parent_path();
    auto found = workTreeOf(first.string());
    inRepository_ = found.has_value();
    around_ = found ? std::move(*found) : WorkTree{first.string(), {}};
    return *around_;
  }

  SourceRequest request_;
  mutable std::optional<WorkTree> around_;
  mutable bool inRepository_ = false;  ///< known with around_
};

}  // namespace

Result<std::unique_ptr<SourceReader>> SourceReader::open(SourceRequest request) {
  if (!request.repo.empty()) return RepositoryReader::open(std::move(request));
  return std::unique_ptr<SourceReader>(std::make_unique<DirectoriesReader>(std::move(request)));
}

Result<RenderedTree> loadSource(const SourceRequest& request) {
  STEER_TRY(const auto reader, SourceReader::open(request));
  return reader->main();
}

}  // namespace steer::cli
