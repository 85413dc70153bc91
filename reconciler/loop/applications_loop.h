#pragma once
// ApplicationsLoop: runs one ApplicationLoop for each Application object of the cluster, as its spec
// (and the GitRepository that it names) says, and follows changes of both. A spec that cannot be read
// is a condition of its own application; the others go on.
// Thread rule: as Loop; applications are stepped one after the other, slow work runs on the executor.
// Failure rule: an Application that is deleted goes only after its objects (spec.prune) or leaves them.
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>

#include "cluster/client/informer.h"
#include "core/loop.h"
#include "reconciler/loop/application_loop.h"
#include "reconciler/loop/credential_files.h"
#include "reconciler/loop/deletion_hooks.h"
#include "reconciler/loop/rights_watch.h"
#include "reconciler/loop/shared_repositories.h"
#include "reconciler/plan/application_graph.h"

namespace steer {

struct Fault;

struct ApplicationsOptions {
  std::string dataDir;  ///< clones in dataDir/git, credentials in dataDir/credentials
  /// How the root application is reached, where its object names no Secret: files on this machine.
  RemoteCredentials rootCredentials{};
  /// The address for which these are; empty = whatever the root application reads.
  std::string rootUrl{};
  /// Addresses of this machine that applications with an account may read, too (core/source_address.h).
  std::vector<std::string> allowedSources{};
  Duration resync = minutes(5);
  /// For conversations with remotes; null = the loop's executor. Must outlive the loop.
  TransferExecutor* transfers = nullptr;
};

class ApplicationsLoop final : public Loop, private ApplicationNeighbours {
 public:
  ApplicationsLoop(ApplicationsOptions options, RendererFactory renderers, Client& client, Executor& executor);
  ~ApplicationsLoop() override;
  std::string_view name() const override { return "applications"; }
  Next step(Time now) override;

  /// Every application is settled.
  bool settled() const;

 private:
  struct Child;

  std::string dependencyWait(const std::string& application) override;
  std::set<ObjectRef> claimedByOthers(const std::string& application) override;
  ContestedObjects contestedBy(const std::string& application) override;
  std::string claimsUnsettled(const std::string& application) override;
  std::string sourceUnread(const std::string& application) override;
  /// Why it is not known what the applications that `declaring` declares ask for; empty = it is.
  std::string declaredUnsettled(const Child& declaring, const Child& asking);

  void takeObjects(Time now);
  void takeObject(const ObjectPtr& object, Time now);
  void noteCycles(Time now);
  void noteContests(Time now);
  void watchRights(Time now);
  void configure(Child& child, Time now);
  void startLoop(Child& child, const ApplicationSpec& spec, const std::string& key, RemoteCredentials credentials,
                 Time now);
  void noteProblems(Child& child, ApplicationStatus& status, const ApplicationSpec& spec, Time now);
  /// Where it may lead: those that act as an account are tenants', and see the network alone.
  Reach reachOf(const ApplicationSpec& spec) const;
  /// What it is reached with where it names no Secret.
  RemoteCredentials baseOf(const Child& child, const ApplicationSpec& spec) const;
  Result<RemoteCredentials> credentialsOf(const ApplicationSpec& spec, const std::string& key, RemoteCredentials base);
  ObjectPtr repositoryOf(const Object& application) const;
  /// Its spec, with the source of the application that declares it where it names none.
  ApplicationSpec specOf(const Child& child, int depth = 0) const;
  std::optional<Time> stepGuarded(Child& child, Time now);
  bool restartAfterFault(Child& child, Time now);
  void noteFault(Child& child, const Fault* fault, Time now);
  std::optional<Time> stepChild(Child& child, Time now);
  std::optional<Time> stepRemoval(Child& child, Time now);
  Result<void> setFinalizer(const Object& known, bool present);
  void showRepositories(Time now);
  void wakeOthers(const Child& changed);
  const Child* childOf(const std::string& application) const;
  std::vector<Child*> sameSource(const Child& self) const;

  ApplicationsOptions options_;
  RendererFactory renderers_;
  Client& client_;
  Executor& executor_;
  CredentialFiles credentials_;
  DeletionHooks deletionHooks_;
  Informer informer_;
  RightsWatch rights_;
  PlainTransfers plain_;
  SharedRepositories repositories_;
  std::map<std::string, std::unique_ptr<Child>> children_;  ///< by label; they follow repositories
  std::map<std::string, std::vector<std::string>> cycleOf_;
  std::map<ObjectRef, std::string> shownRepositories_;
  bool changed_ = true;
  std::map<std::string, std::uint64_t> claimsSeen_;  ///< by label: which claims the contests were found in
  Time secretsDue_{};
};

/// Makes (or updates) the Application steersman-system/root: the server's own flags.
Result<void> applyRootApplication(Client& client, const SourceOptions& source);

}  // namespace steer
