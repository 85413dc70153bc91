#include "reconciler/git/work_tree.h"

#include <git2.h>

#include "reconciler/git/git_handles.h"
#include "reconciler/git/remote_url.h"

namespace steer {
namespace {

std::vector<std::string> urlsOf(git_repository* repository) {
  std::vector<std::string> out;
  git_strarray names{};
  if (git_remote_list(&names, repository) != 0) return out;
  for (std::size_t i = 0; i < names.count; ++i) {
    git_remote* raw = nullptr;
    if (git_remote_lookup(&raw, repository, names.strings[i]) != 0) continue;
    const git::Handle<git_remote> remote(raw);
    const char* url = git_remote_url(remote.get());
    if (url == nullptr) continue;
    if (const auto parsed = RemoteUrl::parse(url); parsed.ok()) out.push_back(parsed->url);
  }
  git_strarray_dispose(&names);
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

std::vector<std::string> remotesOf(const std::string& repository) {
  const auto opened = openAt(repository, GIT_REPOSITORY_OPEN_NO_SEARCH);
  return opened == nullptr ? std::vector<std::string>{} : urlsOf(opened.get());
}

}  // namespace steer
