#include "reconciler/git/status_ledger.h"

#include <git2.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>

#include "reconciler/git/draft_file.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/ledger_remote.h"
#include "reconciler/git/local_copy.h"
#include "reconciler/git/record_tree.h"
#include "reconciler/git/ref_push.h"

namespace steer {
namespace {

using git::Handle;

constexpr const char* kLocalStatus = "refs/steersman/local/status";
constexpr const char* kLocalNotes = "refs/steersman/local/notes";
constexpr int kAttempts = 6;
constexpr std::size_t kPageRecords = 30;
constexpr std::size_t kMaxNote = 16 * 1024;

std::string hex(const git_oid& oid) {
  char text[GIT_OID_HEXSZ + 1];
  return git_oid_tostr(text, sizeof text, &oid);
}

std::optional<git_oid> refValue(git_repository* repo, const char* name) {
  git_oid oid;
  if (git_reference_name_to_id(&oid, repo, name) != 0) return std::nullopt;
  return oid;
}

Result<void> setRef(git_repository* repo, const char* name, const git_oid& value) {
  git_reference* ref = nullptr;
  if (const int rc = git_reference_create(&ref, repo, name, &value, 1, nullptr); rc != 0)
    return git::gitError(rc, std::string("cannot set ") + name);
  git_reference_free(ref);
  return {};
}

std::vector<std::string> namesOf(git_repository* repo, const char* glob) {
  std::vector<std::string> out;
  git_reference_iterator* iterator = nullptr;
  if (git_reference_iterator_glob_new(&iterator, repo, glob) != 0) return out;
  const char* name = nullptr;
  while (git_reference_next_name(&name, iterator) == 0) out.emplace_back(name);
  git_reference_iterator_free(iterator);
  return out;
}

Handle<git_commit> commitOf(git_repository* repo, const std::optional<git_oid>& id) {
  git_commit* raw = nullptr;
  if (!id || git_commit_lookup(&raw, repo, &*id) != 0) return nullptr;
  return Handle<git_commit>(raw);
}

Handle<git_tree> treeOf(git_commit* commit) {
  git_tree* raw = nullptr;
  if (commit == nullptr || git_commit_tree(&raw, commit) != 0) return nullptr;
  return Handle<git_tree>(raw);
}

std::optional<std::string> blobText(git_repository* repo, const git_oid& id) {
  git_blob* raw = nullptr;
  if (git_blob_lookup(&raw, repo, &id) != 0) return std::nullopt;
  const Handle<git_blob> blob(raw);
  return std::string(static_cast<const char*>(git_blob_rawcontent(raw)),
                     static_cast<std::size_t>(git_blob_rawsize(raw)));
}

/// The newest of what a tree holds and of what is added to it, as texts.
std::vector<std::string> newestOf(git_repository* repo, git_tree* tree, const git::RecordBlobs& more,
                                  std::size_t count) {
  git::RecordBlobs all = more;
  for (const auto& [path, blob] : git::newestRecords(repo, tree, count)) all.emplace(path, blob);
  std::vector<std::string> out;
  for (auto it = all.rbegin(); it != all.rend() && out.size() < count; ++it)
    if (git_oid id; git_oid_fromstr(&id, it->second.c_str()) == 0)
      if (auto text = blobText(repo, id)) out.push_back(std::move(*text));
  return out;
}

Handle<git_signature> signature(Time now) {
  git_signature* raw = nullptr;
  const auto secs = std::chrono::duration_cast<seconds>(now.time_since_epoch()).count();
  git_signature_new(&raw, "Steersman", "steersman@localhost", static_cast<git_time_t>(secs), 0);
  return Handle<git_signature>(raw);
}

/// Our own values of "status" or "notes": this clone's, and those of clones that were taken over.
std::vector<git_oid> ours(git_repository* repo, const std::string& what) {
  std::vector<git_oid> out;
  for (const auto& name : namesOf(repo, "refs/steersman/local/taken/*"))
    if (const auto id = name.ends_with("/" + what) ? refValue(repo, name.c_str()) : std::nullopt) out.push_back(*id);
  if (const auto id = refValue(repo, ("refs/steersman/local/" + what).c_str())) out.push_back(*id);
  return out;
}

/// What was taken over is in our own refs now.
void dropTaken(git_repository* repo) {
  for (const auto& name : namesOf(repo, "refs/steersman/local/taken/*")) git_reference_remove(repo, name.c_str());
}

struct Seen {
  std::optional<git_oid> status;
  std::optional<git_oid> notes;
};

Result<Seen> look(const std::string& dir, const RemoteAccess& access) {
  STEER_TRY(const auto found, git::lookAtLedger(dir, access));
  const auto oid = [](const std::string& text) -> std::optional<git_oid> {
    git_oid out;
    if (text.empty() || git_oid_fromstr(&out, text.c_str()) != 0) return std::nullopt;
    return out;
  };
  return Seen{oid(found.status), oid(found.notes)};
}

struct Draft {
  git_repository* repo;
  const std::vector<LedgerRecord>& records;  ///< may be none: only what is there already
  const StatusLedger::Page& page;
  Time now;
};

std::string messageFor(const std::vector<LedgerRecord>& records) {
  if (records.empty()) return "steersman: records that could not be pushed before";
  if (records.size() == 1) return records.front().message;
  std::string out = "steersman: " + std::to_string(records.size()) + " records\n\n";
  for (const auto& record : records) out += record.message.substr(0, record.message.find('\n')) + "\n";
  return out;
}

/// Puts on top of `base` the records and whatever only the local branch has.
Result<void> buildStatus(const Draft& d, const std::optional<git_oid>& base) {
  const auto baseCommit = commitOf(d.repo, base);
  const auto baseTree = treeOf(baseCommit.get());
  git::RecordBlobs missing;
  for (const auto& local : ours(d.repo, "status"))
    missing.merge(git::recordsOnlyIn(d.repo, treeOf(commitOf(d.repo, local).get()).get(), baseTree.get()));
  for (const auto& record : d.records) {
    if (git::hasRecord(baseTree.get(), record.path) || missing.contains(record.path)) continue;
    git_oid blob;
    if (const int rc = git_blob_create_from_buffer(&blob, d.repo, record.content.data(), record.content.size());
        rc != 0)
      return git::gitError(rc, "cannot write the record");
    missing.emplace(record.path, hex(blob));
  }
  if (missing.empty()) return base ? setRef(d.repo, kLocalStatus, *base) : Result<void>{};
  const std::string page = d.page(newestOf(d.repo, baseTree.get(), missing, kPageRecords));
  git_oid pageBlob;
  if (const int rc = git_blob_create_from_buffer(&pageBlob, d.repo, page.data(), page.size()); rc != 0)
    return git::gitError(rc, "cannot write the page");
  std::vector<git_tree_update> updates;
  updates.push_back({GIT_TREE_UPDATE_UPSERT, pageBlob, GIT_FILEMODE_BLOB, "README.md"});
  for (const auto& [path, id] : missing) {
    git_oid blob;
    if (git_oid_fromstr(&blob, id.c_str()) == 0)
      updates.push_back({GIT_TREE_UPDATE_UPSERT, blob, GIT_FILEMODE_BLOB, path.c_str()});
  }
  git_oid treeId;
  if (const int rc = git_tree_create_updated(&treeId, d.repo, baseTree.get(), updates.size(), updates.data()); rc != 0)
    return git::gitError(rc, "cannot write the status tree");
  git_tree* rawTree = nullptr;
  if (const int rc = git_tree_lookup(&rawTree, d.repo, &treeId); rc != 0)
    return git::gitError(rc, "cannot read the status tree");
  const Handle<git_tree> tree(rawTree);
  const auto who = signature(d.now);
  const std::string message = messageFor(d.records);
  const git_commit* parents[] = {baseCommit.get()};
  git_oid made;
  if (const int rc = git_commit_create(&made, d.repo, nullptr, who.get(), who.get(), "UTF-8", message.c_str(),
                                       tree.get(), baseCommit ? 1 : 0, parents);
      rc != 0)
    return git::gitError(rc, "cannot write the status commit");
  return setRef(d.repo, kLocalStatus, made);
}

std::string noteText(git_repository* repo, git_commit* notes, const git_oid& about) {
  git_note* note = nullptr;
  if (notes == nullptr || git_note_commit_read(&note, repo, notes, &about) != 0) return "";
  std::string out = git_note_message(note);
  git_note_free(note);
  return out;
}

Result<void> addNote(const Draft& d, Handle<git_commit>& notes, const git_oid& about, const std::string& text) {
  const auto who = signature(d.now);
  git_oid made;
  git_oid blob;
  if (const int rc =
          git_note_commit_create(&made, &blob, d.repo, notes.get(), who.get(), who.get(), &about, text.c_str(), 1);
      rc != 0)
    return git::gitError(rc, "cannot write the note");
  notes = commitOf(d.repo, made);
  return {};
}

/// Puts on top of `base` the notes that only the local refs have, and those of the records.
Result<void> buildNotes(const Draft& d, const std::optional<git_oid>& base) {
  auto notes = commitOf(d.repo, base);
  for (const auto& id : ours(d.repo, "notes")) {
    const auto local = commitOf(d.repo, id);
    git_note_iterator* iterator = nullptr;
    if (!local || git_note_commit_iterator_new(&iterator, local.get()) != 0) continue;
    std::vector<git_oid> only;
    git_oid noteId;
    git_oid about;
    while (git_note_next(&noteId, &about, iterator) == 0)
      if (noteText(d.repo, notes.get(), about).empty()) only.push_back(about);
    git_note_iterator_free(iterator);
    for (const auto& one : only) STEER_CHECK(addNote(d, notes, one, noteText(d.repo, local.get(), one)));
  }
  for (const auto& record : d.records) {
    git_oid about;
    if (git_oid_fromstr(&about, record.commit.c_str()) != 0 || record.note.empty()) continue;
    std::string text = noteText(d.repo, notes.get(), about);
    if (text.find(record.note) != std::string::npos) continue;
    if (!text.empty() && text.back() != '\n') text += '\n';
    text += record.note;
    if (text.size() > kMaxNote) text = text.substr(text.find('\n', text.size() - kMaxNote) + 1);
    STEER_CHECK(addNote(d, notes, about, text));
  }
  return notes ? setRef(d.repo, kLocalNotes, *git_commit_id(notes.get())) : Result<void>{};
}

/// Whether a ref stands in the file of packed refs; asking libgit2 to remove one that does not would rewrite it.
bool packedRefsName(const std::string& dir, const std::string& ref) {
  std::ifstream in(dir + "/packed-refs");
  for (std::string line; std::getline(in, line);)
    if (line.ends_with(" " + ref)) return true;
  return false;
}

std::string formerDraft(const std::string& name) { return "refs/steersman/local/draft/" + name; }

Result<void> dropFormerDraft(const std::string& dir, const std::string& name) {
  std::error_code ec;
  const auto ref = formerDraft(name);
  if (!std::filesystem::exists(dir + "/" + ref, ec) && !packedRefsName(dir, ref)) return {};
  STEER_TRY(const auto repo, git::openBare(dir));
  const int rc = git_reference_remove(repo.get(), ref.c_str());
  if (rc != 0 && rc != GIT_ENOTFOUND) return git::gitError(rc, "cannot drop the draft");
  return {};
}

bool same(const std::optional<git_oid>& a, const std::optional<git_oid>& b) {
  return a.has_value() == b.has_value() && (!a || git_oid_cmp(&*a, &*b) == 0);
}

}  // namespace

Result<PublishOutcome> StatusLedger::publish(const std::vector<LedgerRecord>& records, const Page& page, Time now) {
  STEER_TRY(const auto repo, git::openBare(dir_));
  const Draft draft{repo.get(), records, page, now};
  PublishOutcome out;
  for (int attempt = 0; attempt < kAttempts; ++attempt) {
    const auto seen = look(dir_, access_);
    const auto baseStatus = seen.ok() && seen->status ? seen->status : refValue(repo.get(), kLocalStatus);
    const auto baseNotes = seen.ok() && seen->notes ? seen->notes : refValue(repo.get(), kLocalNotes);
    if (seen.ok() && !records.empty()) {
      const auto there = treeOf(commitOf(repo.get(), seen->status).get());
      out.alreadyThere = std::all_of(records.begin(), records.end(),
                                     [&](const auto& r) { return git::hasRecord(there.get(), r.path); });
    }
    STEER_CHECK(buildStatus(draft, baseStatus));
    STEER_CHECK(buildNotes(draft, baseNotes));
    dropTaken(repo.get());
    const auto status = refValue(repo.get(), kLocalStatus);
    const auto notes = refValue(repo.get(), kLocalNotes);
    out.statusCommit = status ? hex(*status) : "";
    if (!seen.ok()) {
      out.whyLocal = seen.error().message;
      return out;
    }
    std::vector<git::RefUpdate> updates;
    if (status && !same(status, seen->status))
      updates.push_back({kLocalStatus, git::kStatus, seen->status ? hex(*seen->status) : ""});
    if (notes && !same(notes, seen->notes))
      updates.push_back({kLocalNotes, git::kNotes, seen->notes ? hex(*seen->notes) : ""});
    const auto pushed = git::pushRefs(dir_, access_, updates);
    out.pushed = pushed.ok();
    out.whyLocal = pushed.ok() ? "" : pushed.error().message;
    if (pushed.ok() || pushed.error().code != Errc::conflict) return out;
  }
  return out;
}

bool StatusLedger::unpushed() const {
  const auto repo = git::openBare(dir_);
  if (!repo.ok()) return false;
  const auto seen = refValue(repo->get(), git::kSeenStatus);
  const auto all = ours(repo->get(), "status");
  return std::any_of(all.begin(), all.end(), [&](const git_oid& id) { return !same(id, seen); });
}

Result<std::vector<std::string>> StatusLedger::newest(std::size_t count) const {
  STEER_TRY(const auto repo, git::openBare(dir_));
  const auto tree = treeOf(commitOf(repo.get(), refValue(repo.get(), kLocalStatus)).get());
  return newestOf(repo.get(), tree.get(), {}, count);
}

bool StatusLedger::has(const std::string& path) const {
  const auto repo = git::openBare(dir_);
  if (!repo.ok()) return false;
  for (const char* ref : {kLocalStatus, git::kSeenStatus})
    if (git::hasRecord(treeOf(commitOf(repo->get(), refValue(repo->get(), ref)).get()).get(), path)) return true;
  return false;
}

// A draft is a file beside the objects: as an object it would stay for ever, and libgit2 refuses to fetch into a clone
// that has refs on files. An older version kept it as one.
Result<void> StatusLedger::saveDraft(const std::string& name, const std::string& text) {
  STEER_CHECK(git::writeDraft(dir_, name, text));
  return dropFormerDraft(dir_, name);
}

std::optional<std::string> StatusLedger::loadDraft(const std::string& name) const {
  if (auto text = git::readDraft(dir_, name)) return text;
  const auto repo = git::openBare(dir_);
  if (!repo.ok()) return std::nullopt;
  const auto id = refValue(repo->get(), formerDraft(name).c_str());
  return id ? blobText(repo->get(), *id) : std::nullopt;
}

Result<void> StatusLedger::dropDraft(const std::string& name) {
  STEER_CHECK(git::removeDraft(dir_, name));
  return dropFormerDraft(dir_, name);
}

Result<void> StatusLedger::takeOver(const std::string& otherClone, const std::string& name, const std::string& tip) {
  const auto other = git::openBare(otherClone);
  if (!other.ok()) return {};  // nothing in it that could be read
  STEER_TRY(const auto repo, git::openBare(dir_));
  const auto take = [&](const std::string& from, const std::string& as) {
    const auto id = refValue(other->get(), from.c_str());
    if (id && !refValue(repo.get(), as.c_str())) (void)git::copyReachable(other->get(), repo.get(), *id, as);
  };
  const std::string taken = "refs/steersman/local/taken/" + name;
  if (StatusLedger(otherClone, access_).unpushed()) {
    take(kLocalStatus, taken + "/status");
    take(kLocalNotes, taken + "/notes");
  }
  const StatusLedger former(otherClone, access_);
  if (const auto draft = former.loadDraft(name); draft && !loadDraft(name)) (void)saveDraft(name, *draft);
  take("refs/steersman/tip", tip);
  return {};
}

}  // namespace steer
