#include "reconciler/git/git_program.h"

#include <algorithm>
#include <charconv>

#include "core/child.h"

namespace steer {
namespace {

constexpr Duration kPatience = minutes(5);  ///< a partial clone may have to fetch

bool mayBeRead(std::string_view name) {
  return name == ".steerignore" || name.ends_with(".yaml") || name.ends_with(".yml") || name.ends_with(".json");
}

TreeEntry::Kind kindOf(std::string_view mode) {
  if (mode == "040000") return TreeEntry::Kind::tree;
  if (mode == "120000") return TreeEntry::Kind::link;
  if (mode == "160000") return TreeEntry::Kind::submodule;
  return TreeEntry::Kind::blob;
}

/// Up to the separator, which is taken away as well.
std::string_view take(std::string_view& text, char separator) {
  const auto end = std::min(text.find(separator), text.size());
  const auto out = text.substr(0, end);
  text.remove_prefix(std::min(end + 1, text.size()));
  return out;
}

std::size_t numberOf(std::string_view text) {
  std::size_t out = 0;
  (void)std::from_chars(text.data(), text.data() + text.size(), out);
  return out;
}

}  // namespace

Result<std::string> GitProgram::git(std::vector<std::string> arguments, std::string_view input) const {
  std::vector<std::string> argv{"git", "-C", directory_};
  argv.insert(argv.end(), std::make_move_iterator(arguments.begin()), std::make_move_iterator(arguments.end()));
  ChildSpec spec{std::move(argv)};
  spec.env = {{"GIT_TERMINAL_PROMPT", "0"}, {"LC_ALL", "C"}};
  return runChecked(spec, input, kPatience);
}

Result<std::unique_ptr<GitProgram>> GitProgram::open(const std::string& directory, const std::string& revision) {
  if (revision.starts_with('-')) return makeError(Errc::badRequest, "a revision does not begin with '-'");
  std::unique_ptr<GitProgram> out(new GitProgram(directory));
  Result<std::string> id = makeError(Errc::notFound, "no revision");
  for (const std::string prefix : {"", "refs/remotes/origin/"}) {
    id = out->git({"rev-parse", "--verify", "--quiet", prefix + (revision.empty() ? "HEAD" : revision) + "^{commit}"});
    if (id.ok() || revision.empty()) break;
  }
  if (!id.ok())
    return makeError(Errc::notFound, directory + " has no revision " + (revision.empty() ? "HEAD" : revision));
  while (id->ends_with('\n')) id->pop_back();
  STEER_TRY(const auto shown, out->git({"log", "-1", "--format=%T%n%an%n%ae%n%B", *id, "--"}));
  std::string_view rest = shown;
  auto& commit = out->commit_;
  commit.id = *id;
  commit.tree = std::string(take(rest, '\n'));
  commit.author = std::string(take(rest, '\n'));
  commit.authorEmail = std::string(take(rest, '\n'));
  commit.message = std::string(rest);
  commit.summary = std::string(take(rest, '\n'));
  STEER_CHECK(out->readTrees());
  return out;
}

/// All of them at once. Which tree has which id stands in the entry of its parent.
Result<void> GitProgram::readTrees() {
  STEER_TRY(const auto listed, git({"ls-tree", "-r", "-t", "-z", "--full-tree", commit_.tree}));
  std::map<std::string, std::string> idOf{{"", commit_.tree}};  // by path
  trees_[commit_.tree];
  for (std::string_view rest = listed; !rest.empty();) {
    auto row = take(rest, '\0');
    const auto mode = take(row, ' ');
    (void)take(row, ' ');
    TreeEntry entry{"", kindOf(mode), std::string(take(row, '\t'))};
    const auto slash = row.rfind('/');
    const auto parent = slash == std::string_view::npos ? std::string() : std::string(row.substr(0, slash));
    entry.name = std::string(slash == std::string_view::npos ? row : row.substr(slash + 1));
    if (entry.kind == TreeEntry::Kind::tree) {
      idOf[std::string(row)] = entry.id;
      trees_[entry.id];
    }
    if (entry.kind == TreeEntry::Kind::blob && mayBeRead(entry.name)) sizes_[entry.id] = 0;
    auto& entries = trees_[idOf[parent]];
    // Two paths may hold the same tree, which is listed for each of them.
    const bool known = std::any_of(entries.begin(), entries.end(), [&](const auto& e) { return e.name == entry.name; });
    if (!known) entries.push_back(std::move(entry));
  }
  return {};
}

Result<std::vector<TreeEntry>> GitProgram::list(const std::string& treeId) {
  const auto known = trees_.find(treeId);
  if (known == trees_.end()) return makeError(Errc::notFound, "no tree " + treeId);
  return known->second;
}

/// One conversation for what may be manifests and is not too large.
Result<void> GitProgram::readBlobs(std::size_t maxBytes) {
  if (std::exchange(blobsRead_, true)) return {};
  std::string ids;
  for (const auto& [id, size] : sizes_) ids += id + "\n";
  STEER_TRY(const auto sizes, git({"cat-file", "--batch-check=%(objectname) %(objectsize)"}, ids));
  std::string wanted;
  for (std::string_view rest = sizes; !rest.empty();) {
    auto row = take(rest, '\n');
    const std::string id(take(row, ' '));
    sizes_[id] = numberOf(row);
    if (sizes_[id] <= maxBytes) wanted += id + "\n";
  }
  STEER_TRY(const auto contents, git({"cat-file", "--batch=%(objectname) %(objectsize)"}, wanted));
  for (std::string_view rest = contents; !rest.empty();) {
    auto head = take(rest, '\n');
    const std::string id(take(head, ' '));
    const auto size = std::min(numberOf(head), rest.size());
    blobs_[id] = std::string(rest.substr(0, size));
    rest.remove_prefix(std::min(size + 1, rest.size()));
  }
  return {};
}

Result<std::string> GitProgram::read(const std::string& blobId, std::size_t maxBytes) {
  STEER_CHECK(readBlobs(maxBytes));
  if (const auto known = blobs_.find(blobId); known != blobs_.end() && known->second.size() <= maxBytes)
    return known->second;
  if (const auto size = sizes_.find(blobId); size != sizes_.end() && size->second > maxBytes)
    return makeError(Errc::tooLarge, "the file has " + std::to_string(size->second) + " bytes, at most " +
                                         std::to_string(maxBytes) + " are read");
  return makeError(Errc::notFound, "no file " + blobId);
}

}  // namespace steer
