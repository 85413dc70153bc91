#include "reconciler/git/git_source.h"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "reconciler/git/fetch_commit.h"
#include "reconciler/git/semver.h"
#include "reconciler/git/transfer.h"

namespace steer {
namespace fs = std::filesystem;
namespace {

std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

bool isKind(const Error& e, std::string_view kind) { return !e.causes.empty() && e.causes.front().reason == kind; }

/// Copies the objects and refs that only we have. Best effort: a damaged object ends the copy of its ref.
void moveRecords(const std::string& from, const std::string& to) {
  auto source = git::openBare(from);
  auto target = git::openBare(to);
  if (!source.ok() || !target.ok()) return;
  git_reference_iterator* iterator = nullptr;
  if (git_reference_iterator_glob_new(&iterator, source->get(), "refs/steersman/local/*") != 0) return;
  git_reference* ref = nullptr;
  while (git_reference_next(&ref, iterator) == 0) {
    const git::Handle<git_reference> held(ref);
    const git_oid* oid = git_reference_target(ref);
    git_packbuilder* rawPack = nullptr;
    if (oid == nullptr || git_packbuilder_new(&rawPack, source->get()) != 0) continue;
    const git::Handle<git_packbuilder> pack(rawPack);
    git_revwalk* rawWalk = nullptr;
    if (git_revwalk_new(&rawWalk, source->get()) != 0) continue;
    const git::Handle<git_revwalk> walk(rawWalk);
    const bool history = git_revwalk_push(walk.get(), oid) == 0;
    const int rc = history ? git_packbuilder_insert_walk(pack.get(), walk.get())
                           : git_packbuilder_insert(pack.get(), oid, nullptr);
    const std::string packDir = to + "/objects/pack";
    if (rc != 0 || git_packbuilder_write(pack.get(), packDir.c_str(), 0, nullptr, nullptr) != 0) continue;
    git_reference* made = nullptr;
    if (git_reference_create(&made, target->get(), git_reference_name(ref), oid, 1, nullptr) == 0)
      git_reference_free(made);
  }
  git_reference_iterator_free(iterator);
}

}  // namespace

Result<GitSource> GitSource::open(SourceOptions options, std::string dir) {
  auto url = RemoteUrl::parse(options.url);
  if (!url.ok()) return git::kindError(Errc::badRequest, "InvalidAddress", url.error().message);
  if (!options.revision.empty() && options.revision.front() == '-')
    return git::kindError(Errc::badRequest, "InvalidAddress", "the revision begins with '-'");
  if (!options.semver.empty())
    if (const auto range = VersionRange::parse(options.semver); !range.ok())
      return git::kindError(Errc::badRequest, "InvalidAddress", "semver: " + range.error().message);
  git::dropLeftovers(dir);  // of a process that was killed
  RemoteAccess access(std::move(*url), options.credentials, options.timeout, options.interrupt);
  return GitSource(std::move(options), std::move(access), std::move(dir));
}

Result<FetchOutcome> GitSource::fetchInto(const std::string& dir) {
  STEER_TRY(const auto answer, git::transfer(access_, "fetch", git::fetchArguments(options_.choice(), dir)));
  return git::outcomeFromJson(answer);
}

Result<FetchOutcome> GitSource::fetch() {
  auto out = fetchInto(dir_);
  if (out.ok() || !isKind(out.error(), "Corrupted")) return out;
  STEER_CHECK(reclone());
  auto again = fetchInto(dir_);
  if (again.ok()) again->recloned = true;
  return again;
}

Result<void> GitSource::reclone() {
  const std::string fresh = dir_ + ".new";
  const std::string old = dir_ + ".old";
  std::error_code ec;
  fs::remove_all(fresh, ec);
  fs::remove_all(old, ec);
  if (const auto made = fetchInto(fresh); !made.ok()) {
    fs::remove_all(fresh, ec);
    return made.error();
  }
  moveRecords(dir_, fresh);
  fs::rename(dir_, old, ec);
  fs::rename(fresh, dir_, ec);
  if (ec) return makeError(Errc::io, "cannot put the new clone in place: " + ec.message());
  fs::remove_all(old, ec);
  return {};
}

std::optional<SourceCommit> GitSource::lastGood() const {
  auto repo = git::openBare(dir_);
  if (!repo.ok()) return std::nullopt;
  auto commit = git::commitAt(repo->get(), git::kTip);
  if (!commit.ok()) return std::nullopt;
  auto out = git::describe(commit->get());
  return out.ok() ? std::optional(std::move(*out)) : std::nullopt;
}

Result<void> GitSource::keep(const std::string& commit) {
  STEER_TRY(const auto repo, git::openBare(dir_));
  git_oid oid;
  if (git_oid_fromstr(&oid, commit.c_str()) != 0) return makeError(Errc::badRequest, "not a commit id");
  git_reference* ref = nullptr;
  const std::string name = "refs/steersman/local/applied/" + commit;
  if (const int rc = git_reference_create(&ref, repo.get(), name.c_str(), &oid, 1, nullptr); rc != 0)
    return git::gitError(rc, "cannot keep " + commit);
  git_reference_free(ref);
  return {};
}

std::string GitSource::fingerprint() const {
  const std::string& root = access_.url().path;
  const std::string dir = fs::exists(root + "/.git") ? root + "/.git" : root;
  std::string name = options_.revision.starts_with("refs/") ? options_.revision : "refs/heads/" + options_.revision;
  std::string out;
  if (options_.revision.empty()) {
    out = slurp(dir + "/HEAD");
    name = out.starts_with("ref: ") ? out.substr(5, out.find_last_not_of("\r\n") - 4) : "HEAD";
  }
  out += "|" + slurp(dir + "/" + name) + "|";
  if (!options_.revision.empty()) out += slurp(dir + "/refs/tags/" + options_.revision);
  struct stat st {};
  if (!options_.semver.empty() && stat((dir + "/refs/tags").c_str(), &st) == 0)
    out += "|" + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec);
  if (stat((dir + "/packed-refs").c_str(), &st) == 0)
    out += "|" + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec) + "." +
           std::to_string(st.st_size);
  else if (!fs::exists(dir)) out += "|gone";
  return out;
}

}  // namespace steer
