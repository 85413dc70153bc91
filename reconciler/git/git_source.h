#pragma once
// GitSource: a bare clone of one repository, kept current. No work tree ever exists. Several revisions of the
// repository may be followed in it.
// Thread rule: one thread at a time (the loop runs it on an executor); fingerprint() may be called
// from another thread. Failure rule: after any failed fetch the last good state stays readable.
// The first cause of an error names its kind: InvalidAddress, RemoteGone, RateLimited, Redirected,
// AccessDenied, Timeout, TooLarge, AuthenticationFailed, HostKeyRefused, EmptyRepository,
// RevisionNotFound, Corrupted, TransferFailed, Stopped.
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/clock.h"
#include "core/result.h"
#include "reconciler/git/git_handles.h"
#include "reconciler/git/remote_access.h"

namespace steer {

/// Which commit of a repository.
struct RevisionChoice {
  std::string revision{};  ///< branch, tag, refs/… or commit id; empty = the remote's HEAD
  std::string semver{};    ///< goes first: the newest tag in this range, such as ">=1.2 <2", "~1.4", "1.x"

  auto operator<=>(const RevisionChoice&) const = default;
};

struct SourceOptions {
  std::string url;       ///< directory, file://, ssh://, user@host:path, https://
  std::string revision;  ///< as in RevisionChoice
  std::string path;      ///< directory in the repository; empty = its root
  RemoteCredentials credentials{};
  std::string semver{};  ///< as in RevisionChoice
  /// How long a remote may be silent; a whole transfer may take ten times as long.
  Duration timeout = seconds(60);
  /// How often a remote that cannot be looked at cheaply is asked.
  Duration interval = seconds(15);
  /// How often the ref of a local repository is looked at.
  Duration localInterval = milliseconds(150);
  /// Nothing is fetched; what was read last stays.
  bool suspended = false;
  /// Ends transfers early; may be null.
  std::shared_ptr<Interrupt> interrupt{};

  RevisionChoice choice() const { return {revision, semver}; }
};

struct SourceCommit {
  std::string id;
  std::string tree;  ///< of the whole repository
  std::string author;
  std::string authorEmail;
  Time when{};
  std::string summary;    ///< first line of the message
  std::string message{};  ///< all of it
};

struct FetchOutcome {
  SourceCommit commit;
  std::string before;      ///< the commit known before, empty at first
  bool rewritten = false;  ///< a branch was followed and `before` is not an ancestor of `commit`
  bool recloned = false;   ///< the clone was damaged and has been made anew
  std::string ref{};       ///< what was picked at the remote, such as refs/tags/v1.4.2; empty for a commit id
};

class GitSource {
 public:
  /// dir: where the bare clone lives; made when missing. Errors: badRequest for the address.
  static Result<GitSource> open(SourceOptions options, std::string dir);

  /// Brings the clone up to date and resolves the revision.
  Result<FetchOutcome> fetch();
  /// The same for several revisions of one repository, in one conversation: an outcome or an error for each. An error
  /// of the conversation, or damage, is that of all.
  Result<std::vector<Result<FetchOutcome>>> fetch(const std::vector<RevisionChoice>& choices);
  /// The commit of the last successful fetch, also after a restart; nothing before the first.
  std::optional<SourceCommit> lastGood() const { return lastGood(options_.choice()); }
  std::optional<SourceCommit> lastGood(const RevisionChoice& choice) const;
  /// Makes the clone anew beside the old one and swaps; our own records move over.
  Result<void> reclone(const std::vector<RevisionChoice>& choices);
  /// The commit at which a suspended follower stays while others go on: what was fetched last when it first asked.
  Result<SourceCommit> hold(const std::string& name, const RevisionChoice& choice);
  void release(const std::string& name);
  /// Takes over a clone that an older version of this program made for one follower, and removes it.
  Result<void> takeOver(const std::string& formerClone, const std::string& name, const RevisionChoice& choice);
  /// The same clone, reached with other credentials.
  GitSource reachedWith(RemoteCredentials credentials, Duration timeout, std::shared_ptr<Interrupt> interrupt) const;

  bool isLocal() const { return access_.url().kind == RemoteUrl::Kind::local; }
  /// For a local repository: a text that changes when one of the watched refs may have changed.
  std::string fingerprint() const { return fingerprint({options_.choice()}); }
  std::string fingerprint(const std::vector<RevisionChoice>& choices) const;

  const std::string& cloneDir() const { return dir_; }
  const RemoteAccess& access() const { return access_; }
  const SourceOptions& options() const { return options_; }

 private:
  GitSource(SourceOptions options, RemoteAccess access, std::string dir)
      : options_(std::move(options)), access_(std::move(access)), dir_(std::move(dir)) {}
  Result<std::vector<Result<FetchOutcome>>> fetchInto(const std::string& dir,
                                                      const std::vector<RevisionChoice>& choices);

  SourceOptions options_;
  RemoteAccess access_;
  std::string dir_;
};

/// Keeps a commit reachable in the clone although the remote may drop it.
Result<void> keepCommit(const std::string& cloneDir, const std::string& commit);

}  // namespace steer
