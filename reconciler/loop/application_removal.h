#pragma once
// ApplicationRemoval: deletes what an application owns, in reverse order, before its object goes.
// Thread rule: one owner. Failure rule: what cannot be deleted now is tried again, without end: the
// object stays until everything was deleted, and tells what it waits for.
#include <functional>
#include <optional>
#include <set>
#include <string>

#include "cluster/client/client.h"
#include "reconciler/apply/apply_run.h"

namespace steer {

class ApplicationRemoval {
 public:
  /// account: Plan::account.
  ApplicationRemoval(Client& client, std::string application, std::string account)
      : client_(client), application_(std::move(application)), account_(std::move(account)) {}

  /// claimed: what other applications ask for stays.
  std::optional<Time> step(Time now, const std::function<std::set<ObjectRef>()>& claimed);
  bool finished() const { return finished_; }
  const std::string& message() const { return message_; }

 private:
  Client& client_;
  std::string application_;
  std::string account_;
  std::optional<ApplyRun> run_;
  bool finished_ = false;
  std::string message_ = "its objects are being deleted";
};

}  // namespace steer
