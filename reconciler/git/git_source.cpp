#include "reconciler/git/git_source.h"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "core/folder.h"
#include "reconciler/git/draft_file.h"
#include "reconciler/git/fetch_commit.h"
#include "reconciler/git/local_copy.h"
#include "reconciler/git/semver.h"
#include "reconciler/git/status_ledger.h"
#include "reconciler/git/transfer.h"

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr const char* kMadeAnew = "/steersman-made-anew";
constexpr minutes kMadeAnewPause{10};
constexpr const char* kHeld = "refs/steersman/local/held/";

std::string slurp(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// Whether the clone took the place of another one a short while ago. What is wrong with the remote itself stays wrong.
bool madeLately(const std::string& dir) {
  std::error_code ec;
  const auto made = fs::last_write_time(dir + kMadeAnew, ec);
  return !ec && fs::file_time_type::clock::now() - made < kMadeAnewPause;
}

bool isKind(const Error& e, std::string_view kind) { return !e.causes.empty() && e.causes.front().reason == kind; }

/// Copies the objects and refs that only we have. Best effort: a damaged object ends the copy of its ref.
void moveRecords(const std::string& from, const std::string& to) {
  git::moveDrafts(from, to);
  auto source = git::openBare(from);
  if (!source.ok()) {  // what is broken may be no more than what every clone has alike
    std::ofstream(from + "/HEAD", std::ios::trunc) << "ref: refs/heads/main\n";
    std::ofstream(from + "/config", std::ios::trunc) << "[core]\n\trepositoryformatversion = 0\n\tbare = true\n";
    source = git::openBare(from);
  }
  auto target = git::openBare(to);
  if (!source.ok() || !target.ok()) return;
  git_reference_iterator* iterator = nullptr;
  if (git_reference_iterator_glob_new(&iterator, source->get(), "refs/steersman/local/*") != 0) return;
  git_reference* ref = nullptr;
  while (git_reference_next(&ref, iterator) == 0) {
    const git::Handle<git_reference> held(ref);
    if (const git_oid* oid = git_reference_target(ref); oid != nullptr)
      (void)git::copyReachable(source->get(), target->get(), *oid, git_reference_name(ref));
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
  if (options.credentials.reach == Reach::network && url->kind == RemoteUrl::Kind::local)
    return git::kindError(Errc::forbidden, "AddressRefused", url->url + " is a directory of the server's own machine");
  std::error_code ec;
  if (!fs::exists(dir, ec)) fs::rename(dir + ".old", dir, ec);  // of a process that was killed at a swap
  git::dropLeftovers(dir);
  RemoteAccess access(std::move(*url), options.credentials, options.timeout, options.interrupt);
  return GitSource(std::move(options), std::move(access), std::move(dir));
}

Result<std::vector<Result<FetchOutcome>>> GitSource::fetchInto(const std::string& dir,
                                                               const std::vector<RevisionChoice>& choices) {
  STEER_TRY(const auto answer, git::transfer(access_, "fetch", git::fetchArguments(choices, dir)));
  auto out = git::outcomesFromJson(answer);
  if (out.size() != choices.size())
    return git::kindError(Errc::internal, "TransferFailed", "the transfer answered something else");
  return out;
}

Result<FetchOutcome> GitSource::fetch() {
  STEER_TRY(auto all, fetch(std::vector{options_.choice()}));
  return std::move(all.front());
}

Result<std::vector<Result<FetchOutcome>>> GitSource::fetch(const std::vector<RevisionChoice>& choices) {
  auto out = fetchInto(dir_, choices);
  // A damaged clone is made anew for all who share it; what is damaged in the new one, too, concerns its follower.
  const auto damaged = [](const auto& one) { return !one.ok() && isKind(one.error(), "Corrupted"); };
  if (!damaged(out) && (!out.ok() || std::none_of(out->begin(), out->end(), damaged))) return out;
  if (madeLately(dir_)) return out;
  STEER_CHECK(reclone(choices));
  auto again = fetchInto(dir_, choices);
  if (again.ok())
    for (auto& one : *again)
      if (one.ok()) one->recloned = true;
  return again;
}

Result<void> GitSource::reclone(const std::vector<RevisionChoice>& choices) {
  const std::string fresh = dir_ + ".new";
  const std::string old = dir_ + ".old";
  std::error_code ec;
  fs::remove_all(fresh, ec);
  fs::remove_all(old, ec);
  if (const auto made = fetchInto(fresh, choices); !made.ok()) {
    fs::remove_all(fresh, ec);
    return made.error();
  }
  moveRecords(dir_, fresh);
  std::ofstream(fresh + kMadeAnew) << "this clone took the place of a damaged one\n";
  fs::rename(dir_, old, ec);
  fs::rename(fresh, dir_, ec);
  if (ec) return makeError(Errc::io, "cannot put the new clone in place: " + ec.message());
  fs::remove_all(old, ec);
  return {};
}

Result<SourceCommit> GitSource::hold(const std::string& name, const RevisionChoice& choice) {
  STEER_TRY(const auto repo, git::openBare(dir_));
  const std::string ref = kHeld + name;
  auto commit = git::commitAt(repo.get(), ref);
  if (!commit.ok()) {
    commit = git::commitAt(repo.get(), git::tipOf(choice));
    if (!commit.ok()) return commit.error();
    git_reference* made = nullptr;
    if (const int rc = git_reference_create(&made, repo.get(), ref.c_str(), git_commit_id(commit->get()), 1, nullptr);
        rc != 0)
      return git::gitError(rc, "cannot note the commit of " + name);
    git_reference_free(made);
  }
  return git::describe(commit->get());
}

void GitSource::release(const std::string& name) {
  const std::string ref = kHeld + name;
  std::error_code ec;
  if (!fs::exists(dir_ + "/" + ref, ec)) return;  // asking libgit2 would rewrite the packed refs
  if (const auto repo = git::openBare(dir_); repo.ok()) git_reference_remove(repo->get(), ref.c_str());
}

Result<void> GitSource::takeOver(const std::string& formerClone, const std::string& name,
                                 const RevisionChoice& choice) {
  std::error_code ec;
  if (fs::exists(dir_ + "/HEAD", ec)) {
    STEER_CHECK(StatusLedger(dir_, access_).takeOver(formerClone, name, git::tipOf(choice)));
  } else {
    // The ref first: a process that is killed after the rename has everything in place.
    const auto repo = git::openBare(formerClone);
    git_oid tip;
    git_reference* made = nullptr;
    if (repo.ok() && git_reference_name_to_id(&tip, repo->get(), "refs/steersman/tip") == 0 &&
        git_reference_create(&made, repo->get(), git::tipOf(choice).c_str(), &tip, 1, nullptr) == 0)
      git_reference_free(made);
    fs::rename(formerClone, dir_, ec);
    if (ec) return makeError(Errc::io, "cannot take over a clone: " + ec.message());
  }
  fs::remove_all(formerClone, ec);
  return {};
}

GitSource GitSource::reachedWith(RemoteCredentials credentials, Duration timeout,
                                 std::shared_ptr<Interrupt> interrupt) const {
  GitSource out = *this;
  out.access_ = RemoteAccess(access_.url(), credentials, timeout, interrupt);
  out.options_.credentials = std::move(credentials);
  out.options_.timeout = timeout;
  out.options_.interrupt = std::move(interrupt);
  return out;
}

std::optional<SourceCommit> GitSource::lastGood(const RevisionChoice& choice) const {
  auto repo = git::openBare(dir_);
  if (!repo.ok()) return std::nullopt;
  auto commit = git::commitAt(repo->get(), git::tipOf(choice));
  if (!commit.ok()) return std::nullopt;
  auto out = git::describe(commit->get());
  return out.ok() ? std::optional(std::move(*out)) : std::nullopt;
}

std::string GitSource::fingerprint(const std::vector<RevisionChoice>& choices) const {
  const std::string& root = access_.url().path;
  const std::string dir = fileExists(root + "/.git") ? root + "/.git" : root;
  std::string out;
  struct stat st {};
  const auto changed = [&] {
    return "|" + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec);
  };
  for (const auto& [revision, semver] : choices) {
    std::string name = revision.starts_with("refs/") ? revision : "refs/heads/" + revision;
    if (revision.empty()) {
      const auto head = slurp(dir + "/HEAD");
      out += head;
      name = head.starts_with("ref: ") ? head.substr(5, head.find_last_not_of("\r\n") - 4) : "HEAD";
    }
    out += "|" + slurp(dir + "/" + name) + "|";
    if (!revision.empty()) out += slurp(dir + "/refs/tags/" + revision);
    if (!semver.empty() && stat((dir + "/refs/tags").c_str(), &st) == 0) out += changed();
  }
  if (stat((dir + "/packed-refs").c_str(), &st) == 0) out += changed() + "." + std::to_string(st.st_size);
  else if (!fileExists(dir)) out += "|gone";
  return out;
}

Result<void> keepCommit(const std::string& cloneDir, const std::string& commit) {
  STEER_TRY(const auto repo, git::openBare(cloneDir));
  git_oid oid;
  if (git_oid_fromstr(&oid, commit.c_str()) != 0) return makeError(Errc::badRequest, "not a commit id");
  git_reference* ref = nullptr;
  const std::string name = "refs/steersman/local/applied/" + commit;
  if (const int rc = git_reference_create(&ref, repo.get(), name.c_str(), &oid, 1, nullptr); rc != 0)
    return git::gitError(rc, "cannot keep " + commit);
  git_reference_free(ref);
  return {};
}

}  // namespace steer
