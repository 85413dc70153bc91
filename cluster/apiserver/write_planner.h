#pragma once
// WritePlanner: what one write means, given the cluster as it stands: the mutations to commit and
// the object to answer. Decides, does not act: the executor commits what it returns.
// Thread rule: thread-safe. Failure rule: an error means that the write is refused.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/apiserver/account_tokens.h"
#include "cluster/apiserver/authorizer.h"
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/store/store.h"
#include "core/write.h"
#include "schemas/schema.h"

namespace steer {

enum class FieldValidation { ignore, warn, strict };

struct WriteSettings {
  FieldValidation fieldValidation = FieldValidation::ignore;
  bool dryRun = false;
  /// The API version the client spoke; empty = the preferred one.
  std::string apiVersion{};
};

struct PlannedWrite {
  std::vector<Mutation> mutations{};    ///< empty: nothing changes
  ObjectPtr object{};                   ///< the answer when nothing changes, or before the commit
  std::optional<std::size_t> answer{};  ///< which mutation's result is the answer
  bool created = false;
  bool removed = false;
  std::vector<std::string> warnings{};
};

/// "create", "update", "patch" or "delete": the verb as rights and log lines name it.
std::string_view verbOf(const Write& write);

class WritePlanner {
 public:
  WritePlanner(const Clock& clock, Random& random, const ApiServerOptions& options, const Authorizer& authorizer,
               const AccountTokens& tokens)
      : clock_(clock), random_(random), options_(options), authorizer_(authorizer), tokens_(tokens) {}

  Result<PlannedWrite> plan(const Snapshot& view, const Write& write, const WriteSettings& settings,
                            const Identity& identity) const;

 private:
  struct Task;
  Result<PlannedWrite> planAs(const Snapshot& view, const Write& write, const WriteSettings& settings,
                              const Identity& identity) const;
  Result<PlannedWrite> create(Task& task) const;
  Result<PlannedWrite> finishCreate(Task& task, json::object body) const;
  Result<PlannedWrite> update(Task& task) const;
  Result<PlannedWrite> patch(Task& task) const;
  Result<PlannedWrite> apply(Task& task) const;
  Result<PlannedWrite> remove(Task& task) const;
  Result<PlannedWrite> bind(Task& task) const;
  Result<PlannedWrite> evict(Task& task) const;
  Result<PlannedWrite> giveToken(const Task& task) const;
  Result<PlannedWrite> replaceWith(Task& task, const ObjectPtr& live, json::object after) const;
  Result<PlannedWrite> changeScale(Task& task, const ObjectPtr& live) const;
  Result<void> admitNamespace(const Task& task) const;
  Result<void> nameNew(Task& task, json::object& body) const;
  AdmissionContext contextOf(const Task& task) const;

  const Clock& clock_;
  Random& random_;
  const ApiServerOptions& options_;
  const Authorizer& authorizer_;
  const AccountTokens& tokens_;
};

/// The autoscaling/v1 Scale of a Deployment, ReplicaSet or ReplicationController.
json::object scaleOf(const Object& object);

}  // namespace steer
