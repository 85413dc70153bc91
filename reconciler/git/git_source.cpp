#include "reconciler/git/git_source.h"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr const char* kTip = "refs/steersman/tip";
constexpr const char* kFetched = "refs/steersman/fetched/";

std::string hex(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

bool looksLikeCommit(const std::string& revision) {
  return revision.size() >= 7 && revision.size() <= GIT_OID_HEXSZ &&
         revision.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// The commit that a name or id leads to, tags peeled.
Result<git::Handle<git_commit>> commitAt(git_repository* repo, const std::string& spec) {
  git_object* raw = nullptr;
  if (const int rc = git_revparse_single(&raw, repo, spec.c_str()); rc != 0)
    return git::gitError(rc, "cannot find " + spec);
  const git::Handle<git_object> object(raw);
  git_object* peeled = nullptr;
  if (const int rc = git_object_peel(&peeled, object.get(), GIT_OBJECT_COMMIT); rc != 0)
    return git::gitError(rc, spec + " does not lead to a commit");
  return git::Handle<git_commit>(reinterpret_cast<git_commit*>(peeled));
}

/// Reads what a plan needs; a commit whose tree is missing is a damaged clone.
Result<SourceCommit> describe(git_commit* commit) {
  git_tree* raw = nullptr;
  if (const int rc = git_commit_tree(&raw, commit); rc != 0) {
    Error e = git::gitError(rc, "cannot read the tree of a commit");
    return git::kindError(Errc::io, "Corrupted", e.message);
  }
  const git::Handle<git_tree> tree(raw);
  SourceCommit out;
  out.id = hex(*git_commit_id(commit));
  out.tree = hex(*git_tree_id(tree.get()));
  if (const auto* author = git_commit_author(commit)) {
    out.author = author->name == nullptr ? "" : author->name;
    out.authorEmail = author->email == nullptr ? "" : author->email;
    out.when = Time{seconds(author->when.time)};
  }
  if (const char* summary = git_commit_summary(commit)) out.summary = summary;
  return out;
}

Result<git::Handle<git_repository>> openOrInit(const std::string& dir) {
  git::startLibrary();
  if (fs::exists(dir + "/HEAD")) return git::openBare(dir);
  std::error_code ec;
  fs::create_directories(fs::path(dir).parent_path(), ec);
  git_repository* raw = nullptr;
  if (const int rc = git_repository_init(&raw, dir.c_str(), 1); rc != 0) return git::gitError(rc, "cannot make " + dir);
  return git::Handle<git_repository>(raw);
}

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

/// What to ask of the remote, and under which local name the result is found.
struct GitSource::Wanted {
  std::vector<std::string> refspecs;
  std::string spec;       ///< revparse text in the clone
  std::string remoteTip;  ///< id the remote shows for it; empty when it is a commit id
};

Result<GitSource> GitSource::open(SourceOptions options, std::string dir) {
  auto url = RemoteUrl::parse(options.url);
  if (!url.ok()) return git::kindError(Errc::badRequest, "InvalidAddress", url.error().message);
  if (!options.revision.empty() && options.revision.front() == '-')
    return git::kindError(Errc::badRequest, "InvalidAddress", "the revision begins with '-'");
  RemoteAccess access(std::move(*url), options.credentials, options.timeout);
  return GitSource(std::move(options), std::move(access), std::move(dir));
}

Result<GitSource::Wanted> GitSource::choose(git_remote* remote, git_repository* repo) const {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (const int rc = git_remote_ls(&heads, &count, remote); rc != 0) return git::gitError(rc, "cannot list the refs");
  const std::string& revision = options_.revision;
  bool any = false;
  const git_remote_head* head = nullptr;
  const git_remote_head* branch = nullptr;
  const git_remote_head* tag = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = heads[i]->name;
    any = any || name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    if (name == "HEAD") head = heads[i];
    if (name == "refs/heads/" + revision || (name == revision && name.starts_with("refs/heads/"))) branch = heads[i];
    if (name == "refs/tags/" + revision || (name == revision && name.starts_with("refs/tags/"))) tag = heads[i];
  }
  if (!any) return git::kindError(Errc::notFound, "EmptyRepository", "the repository has no commits yet");
  const auto named = [&](const git_remote_head* found, const std::string& as) {
    return Wanted{{"+" + std::string(found->name) + ":" + as}, as, hex(found->oid)};
  };
  if (revision.empty()) {
    if (head == nullptr)
      return git::kindError(Errc::notFound, "RevisionNotFound",
                            "the repository's HEAD names a branch that does not exist");
    return named(head, std::string(kFetched) + "HEAD");
  }
  if (branch != nullptr) return named(branch, std::string(kFetched) + "branch");
  if (tag != nullptr) return named(tag, std::string(kFetched) + "tag");
  if (!looksLikeCommit(revision))
    return git::kindError(Errc::notFound, "RevisionNotFound",
                          "the repository has no branch or tag \"" + revision + "\"");
  Wanted out;
  out.spec = revision;
  if (!commitAt(repo, revision).ok())
    out.refspecs = {"+refs/heads/*:" + std::string(kFetched) + "heads/*",
                    "+refs/tags/*:" + std::string(kFetched) + "tags/*"};
  return out;
}

Result<FetchOutcome> GitSource::fetchInto(const std::string& dir) {
  STEER_TRY(const auto repo, openOrInit(dir));
  git_remote* raw = nullptr;
  if (const int rc = git_remote_create_anonymous(&raw, repo.get(), access_.url().url.c_str()); rc != 0)
    return git::gitError(rc, "cannot use " + access_.url().url);
  const git::Handle<git_remote> remote(raw);
  RemoteAccess::Session session(access_);
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  session.install(options.callbacks);
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.prune = GIT_FETCH_NO_PRUNE;
  options.update_fetchhead = 0;
  const std::string doing = "cannot fetch " + access_.url().url;
  if (isLocal() && !fs::exists(access_.url().path))
    return git::kindError(Errc::unavailable, "RemoteGone", doing + ": there is no such directory");
  if (const int rc = git_remote_connect(remote.get(), GIT_DIRECTION_FETCH, &options.callbacks, nullptr, nullptr);
      rc != 0) {
    Error e = session.explain(rc, doing);
    if (e.causes.empty() || isKind(e, "NotFound") || isKind(e, "Corrupted"))
      return git::kindError(Errc::unavailable, "RemoteGone", e.message);
    return e;
  }
  STEER_TRY(const Wanted wanted, choose(remote.get(), repo.get()));
  git_oid have;
  const bool current = !wanted.remoteTip.empty() &&
                       git_reference_name_to_id(&have, repo.get(), wanted.spec.c_str()) == 0 &&
                       hex(have) == wanted.remoteTip;
  if (!current && !wanted.refspecs.empty()) {
    std::vector<char*> specs;
    for (const auto& s : wanted.refspecs) specs.push_back(const_cast<char*>(s.c_str()));
    const git_strarray array{specs.data(), specs.size()};
    if (const int rc = git_remote_fetch(remote.get(), &array, &options, "steersman"); rc != 0)
      return session.explain(rc, doing);
  }
  git_remote_disconnect(remote.get());
  auto commit = commitAt(repo.get(), wanted.spec);
  if (!commit.ok()) {
    if (wanted.remoteTip.empty())
      return git::kindError(Errc::notFound, "RevisionNotFound", "the repository has no commit " + options_.revision);
    return git::kindError(Errc::io, "Corrupted", commit.error().message);
  }
  FetchOutcome out;
  STEER_TRY(out.commit, describe(commit->get()));
  git_oid before;
  if (git_reference_name_to_id(&before, repo.get(), kTip) == 0) {
    out.before = hex(before);
    out.rewritten =
        out.before != out.commit.id && git_graph_descendant_of(repo.get(), git_commit_id(commit->get()), &before) != 1;
  }
  git_reference* tip = nullptr;
  if (const int rc = git_reference_create(&tip, repo.get(), kTip, git_commit_id(commit->get()), 1, nullptr); rc != 0)
    return git::gitError(rc, "cannot note the fetched commit");
  git_reference_free(tip);
  return out;
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
  auto commit = commitAt(repo->get(), kTip);
  if (!commit.ok()) return std::nullopt;
  auto out = describe(commit->get());
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
  std::string name = "refs/heads/" + options_.revision;
  std::string out;
  if (options_.revision.empty()) {
    out = slurp(dir + "/HEAD");
    name = out.starts_with("ref: ") ? out.substr(5, out.find_last_not_of("\r\n") - 4) : "HEAD";
  }
  out += "|" + slurp(dir + "/" + name) + "|";
  if (!options_.revision.empty()) out += slurp(dir + "/refs/tags/" + options_.revision);
  struct stat st {};
  if (stat((dir + "/packed-refs").c_str(), &st) == 0)
    out += "|" + std::to_string(st.st_mtim.tv_sec) + "." + std::to_string(st.st_mtim.tv_nsec) + "." +
           std::to_string(st.st_size);
  else if (!fs::exists(dir)) out += "|gone";
  return out;
}

}  // namespace steer
