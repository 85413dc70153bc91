#include "reconciler/git/work_tree.h"

#include <git2.h>

#include <filesystem>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/remote_url.h"

namespace steer {
namespace {

/// Git reads a relative address from the top of the work tree.
std::string fromTop(git_repository* repository, const std::string& address) {
  const char* top = git_repository_workdir(repository);
  const bool relative = address == "." || address == ".." || address.starts_with("./") || address.starts_with("../");
  return !relative || top == nullptr ? address : (std::filesystem::path(top) / address).lexically_normal().string();
}

/// The addresses in the repository's own configuration. Read line by line: libgit2 1.5 leaks 20 kB for each line that
/// its own list of remotes looks at and passes over.
std::vector<std::string> urlsOf(git_repository* repository) {
  std::vector<std::string> out;
  git_config* raw = nullptr;
  if (git_repository_config_snapshot(&raw, repository) != 0) return out;
  const std::unique_ptr<git_config, decltype(&git_config_free)> config(raw, &git_config_free);
  git_config_iterator* lines = nullptr;
  if (git_config_iterator_new(&lines, config.get()) != 0) return out;
  const std::unique_ptr<git_config_iterator, decltype(&git_config_iterator_free)> iterator(lines,
                                                                                           &git_config_iterator_free);
  for (git_config_entry* entry = nullptr; git_config_next(&entry, iterator.get()) == 0;) {
    const std::string_view name = entry->name;
    if (!name.starts_with("remote.") || !name.ends_with(".url") || entry->value == nullptr) continue;
    if (const auto parsed = RemoteUrl::parse(fromTop(repository, entry->value)); parsed.ok())
      out.push_back(parsed->url);
  }
  return out;
}

git::Handle<git_repository> openAt(const std::string& directory, unsigned flags) {
  git::startLibrary();
  git_repository* raw = nullptr;
  if (git_repository_open_ext(&raw, directory.c_str(), flags, nullptr) != 0) return nullptr;
  return git::Handle<git_repository>(raw);
}

}  // namespace

std::optional<WorkTree> workTreeOf(const std::string& directory) {
  const auto repository = openAt(directory, 0);
  if (repository == nullptr) return std::nullopt;
  const char* root = git_repository_workdir(repository.get());
  if (root == nullptr) return std::nullopt;
  WorkTree out{root, urlsOf(repository.get())};
  while (out.root.size() > 1 && out.root.ends_with('/')) out.root.pop_back();
  return out;
}

std::vector<std::string> commitsHeld(const std::string& directory, const std::vector<std::string>& commits) {
  std::vector<std::string> out;
  const auto repository = openAt(directory, 0);
  if (repository == nullptr) return out;
  for (const auto& commit : commits) {
    git_oid id;
    git_commit* raw = nullptr;
    if (git_oid_fromstr(&id, commit.c_str()) != 0) continue;
    if (git_commit_lookup(&raw, repository.get(), &id) != 0) continue;
    git_commit_free(raw);
    out.push_back(commit);
  }
  return out;
}

std::vector<std::string> remotesOf(const std::string& repository) {
  const auto opened = openAt(repository, GIT_REPOSITORY_OPEN_NO_SEARCH);
  return opened == nullptr ? std::vector<std::string>{} : urlsOf(opened.get());
}

}  // namespace steer
