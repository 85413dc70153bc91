#pragma once
// StatusLedger: the append-only history of what was applied, as Git keeps it: commits on
// refs/heads/steersman/status and notes in refs/notes/steersman of the same repository. Built in
// the bare clone from trees, without a work tree; pushed by compare-and-swap, never forced.
// Thread rule: one thread at a time, not together with a fetch of the same clone.
// Failure rule: records are safe in the clone first; a remote that cannot be written is no error
// but an outcome with the reason.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reconciler/git/remote_access.h"

namespace steer {

struct LedgerRecord {
  std::string path;     ///< unique, below records/; the same path is written once only
  std::string content;  ///< of the file
  std::string message;  ///< of the status commit
  std::string commit;   ///< source commit that gets the note
  std::string note;     ///< text of the note
};

struct PublishOutcome {
  bool pushed = false;
  bool alreadyThere = false;  ///< the remote had these records already
  std::string statusCommit;   ///< tip of the status branch after it
  std::string whyLocal;       ///< why nothing was pushed; empty when pushed
};

class StatusLedger {
 public:
  /// Makes the page from the newest records (newest first).
  using Page = std::function<std::string(const std::vector<std::string>& records)>;

  StatusLedger(std::string cloneDir, RemoteAccess access) : dir_(std::move(cloneDir)), access_(std::move(access)) {}

  /// Writes the record, the page README.md and the note, and pushes them together with records that
  /// could not be pushed before. Doing it twice with one path changes nothing.
  Result<PublishOutcome> publish(const LedgerRecord& record, const Page& page, Time now) {
    return publish(std::vector{record}, page, now);
  }
  /// The same for several, in one status commit and one push.
  Result<PublishOutcome> publish(const std::vector<LedgerRecord>& records, const Page& page, Time now);
  /// Pushes the records that could not be pushed before.
  Result<PublishOutcome> pushAgain(const Page& page, Time now) {
    return publish(std::vector<LedgerRecord>{}, page, now);
  }
  /// Whether the clone may hold records that the remote does not.
  bool unpushed() const;
  /// The newest records, newest first.
  Result<std::vector<std::string>> newest(std::size_t count) const;
  bool has(const std::string& path) const;

  /// A text that survives a crash of the process: what is being applied and not yet reported.
  Result<void> saveDraft(const std::string& name, const std::string& text);
  std::optional<std::string> loadDraft(const std::string& name) const;
  Result<void> dropDraft(const std::string& name);

  /// Takes over the records, notes, drafts and the tip of another clone of the same repository, as older versions made
  /// one for each application; what that clone alone holds is pushed with the next records. Doing it twice changes
  /// nothing. `tip`: the ref for its newest commit, where we have none.
  Result<void> takeOver(const std::string& otherClone, const std::string& name, const std::string& tip);

 private:
  std::string dir_;
  RemoteAccess access_;
};

}  // namespace steer
