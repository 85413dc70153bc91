#include "reconciler/git/fetch_commit.h"

#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <set>

#include "core/folder.h"
#include "core/utf8.h"
#include "reconciler/git/local_copy.h"
#include "reconciler/git/semver.h"
#include "reconciler/git/transfer.h"

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr const char* kFetched = "refs/steersman/fetched/";

std::string hex(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

bool looksLikeCommit(const std::string& revision) {
  return revision.size() >= 7 && revision.size() <= GIT_OID_HEXSZ &&
         revision.find_first_not_of("0123456789abcdef") == std::string::npos;
}

/// A name for a text that may hold anything: refs named after what they follow could stand in each other's way
/// (`a` and `a/b`), also over time.
std::string hashOf(const std::string& text) {
  git::startLibrary();
  git_oid oid;
  if (git_odb_hash(&oid, text.data(), text.size(), GIT_OBJECT_BLOB) != 0) return "";
  return hex(oid).substr(0, 16);
}

/// What to ask of the remote, and under which local name the result is found.
struct Wanted {
  std::vector<std::string> refspecs;
  std::string spec;       ///< revparse text in the clone
  std::string remoteTip;  ///< id the remote shows for it; empty when it is a commit id
  std::string ref{};      ///< the remote's name of it
};

Result<git::Handle<git_repository>> openOrInit(const std::string& dir) {
  git::startLibrary();
  if (fileExists(dir + "/HEAD")) {
    auto repo = git::openBare(dir);
    // What libgit2 cannot open is no clone any more: it is made anew.
    if (!repo.ok()) return git::kindError(Errc::io, "Corrupted", repo.error().message);
    return repo;
  }
  std::error_code ec;
  fs::create_directories(fs::path(dir).parent_path(), ec);
  git_repository* raw = nullptr;
  if (const int rc = git_repository_init(&raw, dir.c_str(), 1); rc != 0) return git::gitError(rc, "cannot make " + dir);
  return git::Handle<git_repository>(raw);
}

/// Whether an id that the clone holds leads to a commit; nothing when the clone does not hold it.
std::optional<bool> leadsToCommit(git_repository* repo, const git_oid& id) {
  git_object* raw = nullptr;
  if (git_object_lookup(&raw, repo, &id, GIT_OBJECT_ANY) != 0) return std::nullopt;
  const git::Handle<git_object> object(raw);
  git_object* peeled = nullptr;
  if (git_object_peel(&peeled, object.get(), GIT_OBJECT_COMMIT) != 0) return false;
  git_object_free(peeled);
  return true;
}

/// Takes out refs that were fetched and lead to no commit (libgit2 takes no part of a fetch from them, and refuses the
/// whole), and branches and tags of a search for a commit, whose names may stand in the way of others by now.
void sweepFetched(git_repository* repo) {
  git_reference_iterator* iterator = nullptr;
  if (git_reference_iterator_glob_new(&iterator, repo, (std::string(kFetched) + "*").c_str()) != 0) return;
  std::vector<std::string> bad;
  git_reference* raw = nullptr;
  while (git_reference_next(&raw, iterator) == 0) {
    const git::Handle<git_reference> ref(raw);
    const git_oid* id = git_reference_target(raw);
    const std::string name = git_reference_name(raw);
    const bool searched =
        name.starts_with(std::string(kFetched) + "heads/") || name.starts_with(std::string(kFetched) + "tags/");
    if (id == nullptr || searched || leadsToCommit(repo, *id) == false) bad.push_back(name);
  }
  git_reference_iterator_free(iterator);
  for (const auto& name : bad) git_reference_remove(repo, name.c_str());
}

bool isKind(const Error& e, std::string_view kind) { return !e.causes.empty() && e.causes.front().reason == kind; }

Result<Wanted> choose(git_remote* remote, git_repository* repo, const RevisionChoice& choice) {
  const git_remote_head** heads = nullptr;
  std::size_t count = 0;
  if (const int rc = git_remote_ls(&heads, &count, remote); rc != 0) return git::gitError(rc, "cannot list the refs");
  const std::string& revision = choice.revision;
  std::vector<std::string> tags;
  bool any = false;
  const git_remote_head* head = nullptr;
  const git_remote_head* branch = nullptr;
  const git_remote_head* tag = nullptr;
  for (std::size_t i = 0; i < count; ++i) {
    const std::string name = heads[i]->name;
    any = any || name.starts_with("refs/heads/") || name.starts_with("refs/tags/");
    if (name.starts_with("refs/tags/") && !name.ends_with("^{}")) tags.push_back(name.substr(10));
    if (name == "HEAD") head = heads[i];
    if (name == "refs/heads/" + revision || (name == revision && name.starts_with("refs/heads/"))) branch = heads[i];
    if (name == "refs/tags/" + revision || (name == revision && name.starts_with("refs/tags/"))) tag = heads[i];
  }
  if (!any) return git::kindError(Errc::notFound, "EmptyRepository", "the repository has no commits yet");
  const auto named = [](const git_remote_head* found) {
    const std::string as = kFetched + hashOf(found->name);
    return Wanted{{"+" + std::string(found->name) + ":" + as}, as, hex(found->oid), found->name};
  };
  if (!choice.semver.empty()) {
    STEER_TRY(const auto range, VersionRange::parse(choice.semver));
    const auto newest = range.newest(tags);
    if (!newest)
      return git::kindError(Errc::notFound, "RevisionNotFound",
                            "no tag of the repository fits \"" + choice.semver + "\"");
    for (std::size_t i = 0; i < count; ++i)
      if (heads[i]->name == "refs/tags/" + *newest) return named(heads[i]);
  }
  if (revision.empty()) {
    if (head == nullptr)
      return git::kindError(Errc::notFound, "RevisionNotFound",
                            "the repository's HEAD names a branch that does not exist");
    return named(head);
  }
  if (branch != nullptr) return named(branch);
  if (tag != nullptr) return named(tag);
  if (!looksLikeCommit(revision))
    return git::kindError(Errc::notFound, "RevisionNotFound",
                          "the repository has no branch or tag \"" + revision + "\"");
  Wanted out;
  out.spec = revision;
  if (!git::commitAt(repo, revision).ok())
    out.refspecs = {"+refs/heads/*:" + std::string(kFetched) + "heads/*",
                    "+refs/tags/*:" + std::string(kFetched) + "tags/*"};
  return out;
}

/// Takes a small push over from a repository on this machine. Not when the clone holds nothing yet.
bool copyNearby(const RemoteUrl& url, git_repository* repo, const Wanted& wanted) {
  git_oid tip;
  if (url.kind != RemoteUrl::Kind::local || wanted.remoteTip.empty() || wanted.refspecs.size() != 1 ||
      git_repository_is_empty(repo) != 0 || git_oid_fromstr(&tip, wanted.remoteTip.c_str()) != 0 ||
      git::copyCommit(url.path, repo, wanted.remoteTip) != git::Copied::done)
    return false;
  git_reference* ref = nullptr;
  if (git_reference_create(&ref, repo, wanted.spec.c_str(), &tip, 1, "steersman") != 0) return false;
  git_reference_free(ref);
  return true;
}

/// Makes the fetched commit the tip of its choice, and tells what it follows on.
Result<FetchOutcome> noteTip(git_repository* repo, git_commit* commit, const Wanted& wanted, const std::string& name) {
  FetchOutcome out;
  out.ref = wanted.ref;
  STEER_TRY(out.commit, git::describe(commit));
  git_oid before;
  if (git_reference_name_to_id(&before, repo, name.c_str()) == 0) {
    out.before = hex(before);
    // Another tag need not build on the one before, and a commit id was asked for.
    const bool branch = wanted.ref == "HEAD" || wanted.ref.starts_with("refs/heads/");
    out.rewritten =
        branch && out.before != out.commit.id && git_graph_descendant_of(repo, git_commit_id(commit), &before) != 1;
  }
  if (out.before == out.commit.id) return out;
  git_reference* tip = nullptr;
  if (const int rc = git_reference_create(&tip, repo, name.c_str(), git_commit_id(commit), 1, nullptr); rc != 0)
    return git::gitError(rc, "cannot note the fetched commit");
  git_reference_free(tip);
  return out;
}

/// An answer that the same remote would give to anybody.
bool concernsRemote(const Error& e) {
  return e.code == Errc::unavailable || e.code == Errc::timeout || e.code == Errc::cancelled ||
         e.code == Errc::unauthorized || e.code == Errc::forbidden || e.code == Errc::tooMany;
}

/// Whether libgit2's last error is about what lies in the clone itself, its refs and its settings.
bool failsInClone() {
  const git_error* last = git_error_last();
  return last != nullptr &&
         (last->klass == GIT_ERROR_REFERENCE || last->klass == GIT_ERROR_REPOSITORY || last->klass == GIT_ERROR_CONFIG);
}

/// What the clone lacks of all that is wanted, in one transfer.
Result<void> bring(git_remote* remote, git_repository* repo, const RemoteAccess& access,
                   const std::vector<Result<Wanted>>& all, const git_fetch_options& options,
                   const RemoteAccess::Session& session) {
  std::set<std::string> specs;
  for (const auto& wanted : all) {
    if (!wanted.ok()) continue;
    git_oid have;
    bool current = !wanted->remoteTip.empty() && git_reference_name_to_id(&have, repo, wanted->spec.c_str()) == 0 &&
                   hex(have) == wanted->remoteTip;
    git_oid tip;  // a tag on a file or a tree is no news a second time
    current = current || (git_oid_fromstr(&tip, wanted->remoteTip.c_str()) == 0 && leadsToCommit(repo, tip) == false);
    if (!current && !copyNearby(access.url(), repo, *wanted))
      specs.insert(wanted->refspecs.begin(), wanted->refspecs.end());
  }
  if (specs.empty()) return {};
  std::vector<char*> texts;
  for (const auto& s : specs) texts.push_back(const_cast<char*>(s.c_str()));
  const git_strarray array{texts.data(), texts.size()};
  if (const int rc = git_remote_fetch(remote, &array, &options, "steersman"); rc != 0) {
    const bool ours = failsInClone();
    Error e = session.explain(rc, "cannot fetch " + access.url().url);
    return ours && !concernsRemote(e) ? git::kindError(Errc::io, "Corrupted", e.message) : e;
  }
  return {};
}

/// Together; and when that fails for a reason of its own, one by one, so that what cannot be had is missing to those
/// alone who follow it.
Result<void> bringAll(git_remote* remote, git_repository* repo, const RemoteAccess& access,
                      std::vector<Result<Wanted>>& all, const git_fetch_options& options,
                      const RemoteAccess::Session& session) {
  auto together = bring(remote, repo, access, all, options, session);
  const auto several = std::count_if(all.begin(), all.end(), [](const auto& wanted) { return wanted.ok(); }) > 1;
  if (together.ok() || !several || concernsRemote(together.error())) return together;
  for (auto& wanted : all) {
    if (!wanted.ok()) continue;
    std::vector<Result<Wanted>> one{wanted};
    if (auto alone = bring(remote, repo, access, one, options, session); !alone.ok())
      wanted = Result<Wanted>(std::move(alone).error());
  }
  return {};
}

Result<FetchOutcome> outcomeOf(git_repository* repo, const Result<Wanted>& wanted, const RevisionChoice& choice) {
  if (!wanted.ok()) return wanted.error();
  auto commit = git::commitAt(repo, wanted->spec);
  if (commit.ok()) return noteTip(repo, commit->get(), *wanted, git::tipOf(choice));
  git_oid tip;
  if (git_oid_fromstr(&tip, wanted->remoteTip.c_str()) == 0 && leadsToCommit(repo, tip) == false)
    return git::kindError(Errc::notFound, "RevisionNotFound", wanted->ref + " leads to no commit");
  if (wanted->remoteTip.empty())
    return git::kindError(Errc::notFound, "RevisionNotFound", "the repository has no commit " + choice.revision);
  return git::kindError(Errc::io, "Corrupted", commit.error().message);
}

}  // namespace

namespace git {

std::string tipOf(const RevisionChoice& choice) {
  return "refs/steersman/tips/" + hashOf(choice.revision + '\n' + choice.semver);
}

/// The commit that a name or id leads to, tags peeled.
Result<git::Handle<git_commit>> commitAt(git_repository* repo, const std::string& spec) {
  git_object* raw = nullptr;
  // A ref's name needs no parsing, and libgit2 1.5 forgets the ref when the parsing finds that its object is missing.
  const auto look = [&] {
    if (!spec.starts_with("refs/")) return git_revparse_single(&raw, repo, spec.c_str());
    git_oid id;
    const int rc = git_reference_name_to_id(&id, repo, spec.c_str());
    return rc != 0 ? rc : git_object_lookup(&raw, repo, &id, GIT_OBJECT_ANY);
  };
  if (const int rc = look(); rc != 0) return git::gitError(rc, "cannot find " + spec);
  const git::Handle<git_object> object(raw);
  git_object* peeled = nullptr;
  if (const int rc = git_object_peel(&peeled, object.get(), GIT_OBJECT_COMMIT); rc != 0)
    return git::gitError(rc, spec + " does not lead to a commit");
  return git::Handle<git_commit>(reinterpret_cast<git_commit*>(peeled));
}

/// Reads what a plan needs, as text: Git keeps any bytes; a commit whose tree is missing is a damaged clone.
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
    out.author = author->name == nullptr ? "" : toUtf8(author->name);
    out.authorEmail = author->email == nullptr ? "" : toUtf8(author->email);
    // Anybody may write any number there; kept are the years that can be written.
    constexpr std::int64_t kYearZero = -62'167'219'200, kYear9999 = 253'402'300'799;
    out.when = Time{seconds(std::clamp<std::int64_t>(author->when.time, kYearZero, kYear9999))};
  }
  if (const char* summary = git_commit_summary(commit)) out.summary = toUtf8(summary);
  if (const char* message = git_commit_message(commit)) out.message = toUtf8(message);
  return out;
}

Result<std::vector<Result<FetchOutcome>>> fetchCommits(const RemoteAccess& access,
                                                       const std::vector<RevisionChoice>& choices,
                                                       const std::string& dir) {
  STEER_TRY(const auto repo, openOrInit(dir));
  auto opened = git::openRemote(repo.get(), access.url().url);
  if (!opened.ok() && failsInClone()) return git::kindError(Errc::io, "Corrupted", opened.error().message);
  STEER_TRY(const auto remote, std::move(opened));
  RemoteAccess::Session session(access);
  git_fetch_options options = GIT_FETCH_OPTIONS_INIT;
  session.install(options.callbacks);
  options.download_tags = GIT_REMOTE_DOWNLOAD_TAGS_NONE;
  options.prune = GIT_FETCH_NO_PRUNE;
  options.update_fetchhead = 0;
  options.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  git_remote_connect_options connecting = GIT_REMOTE_CONNECT_OPTIONS_INIT;
  connecting.callbacks = options.callbacks;
  connecting.follow_redirects = GIT_REMOTE_REDIRECT_NONE;
  const std::string doing = "cannot fetch " + access.url().url;
  if (access.url().kind == RemoteUrl::Kind::local && !fileExists(access.url().path))
    return git::kindError(Errc::unavailable, "RemoteGone", doing + ": there is no such directory");
  if (const int rc = git_remote_connect_ext(remote.get(), GIT_DIRECTION_FETCH, &connecting); rc != 0) {
    Error e = session.explain(rc, doing);
    if (e.causes.empty() || isKind(e, "NotFound") || isKind(e, "Corrupted"))
      return git::kindError(Errc::unavailable, "RemoteGone", e.message);
    return e;
  }
  std::vector<Result<Wanted>> wanted;
  for (const auto& choice : choices) wanted.push_back(choose(remote.get(), repo.get(), choice));
  sweepFetched(repo.get());
  STEER_CHECK(bringAll(remote.get(), repo.get(), access, wanted, options, session));
  git_remote_disconnect(remote.get());
  std::vector<Result<FetchOutcome>> out;
  for (std::size_t i = 0; i < choices.size(); ++i) out.push_back(outcomeOf(repo.get(), wanted[i], choices[i]));
  sweepFetched(repo.get());
  return out;
}

json::object fetchArguments(const std::vector<RevisionChoice>& choices, const std::string& dir) {
  json::array list;
  for (const auto& choice : choices)
    list.push_back(json::object{{"revision", choice.revision}, {"semver", choice.semver}});
  return {{"dir", dir}, {"choices", std::move(list)}};
}

Result<json::object> fetchOperation(const RemoteAccess& access, const json::object& arguments) {
  std::vector<RevisionChoice> choices;
  for (const auto& c : arrayAt(arguments, {"choices"}))
    choices.push_back({std::string(stringAt(c, {"revision"})), std::string(stringAt(c, {"semver"}))});
  STEER_TRY(const auto all, fetchCommits(access, choices, std::string(stringAt(arguments, {"dir"}))));
  json::array outcomes;
  for (const auto& out : all) {
    if (!out.ok()) {
      outcomes.push_back(json::object{{"error", toJson(out.error())}});
      continue;
    }
    const auto& c = out->commit;
    outcomes.push_back(json::object{{"commit",
                                     {{"id", c.id},
                                      {"tree", c.tree},
                                      {"author", c.author},
                                      {"authorEmail", c.authorEmail},
                                      {"when", std::chrono::duration_cast<seconds>(c.when.time_since_epoch()).count()},
                                      {"summary", c.summary},
                                      {"message", c.message}}},
                                    {"before", out->before},
                                    {"ref", out->ref},
                                    {"rewritten", out->rewritten}});
  }
  return json::object{{"outcomes", std::move(outcomes)}};
}

std::vector<Result<FetchOutcome>> outcomesFromJson(const json::object& from) {
  std::vector<Result<FetchOutcome>> all;
  for (const auto& outcome : arrayAt(from, {"outcomes"})) {
    if (const auto* error = find(outcome, {"error"})) {
      all.emplace_back(errorFromJson(*error));
      continue;
    }
    const auto text = [&](std::initializer_list<std::string_view> path) {
      return std::string(stringAt(outcome, path));
    };
    FetchOutcome out;
    out.commit = {text({"commit", "id"}),
                  text({"commit", "tree"}),
                  text({"commit", "author"}),
                  text({"commit", "authorEmail"}),
                  Time{seconds(intAt(outcome, {"commit", "when"}))},
                  text({"commit", "summary"}),
                  text({"commit", "message"})};
    out.before = text({"before"});
    out.ref = text({"ref"});
    out.rewritten = boolAt(outcome, {"rewritten"});
    all.emplace_back(std::move(out));
  }
  return all;
}

}  // namespace git
}  // namespace steer
