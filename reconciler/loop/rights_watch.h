#pragma once
// RightsWatch: follows roles and their bindings, and tells which accounts a change concerns: those that a binding
// names, by themselves or by a group, and those that hold a role. Without accounts nothing is watched.
// Thread rule: one owner. Failure rule: as Informer.
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "cluster/client/informer.h"

namespace steer {

class RightsWatch {
 public:
  RightsWatch(Client& client, Waker waker) : client_(client), waker_(std::move(waker)) {}

  /// Takes in what changed; those of `accounts` (users, "system:serviceaccount:NS:NAME") whose rights may be others
  /// now. At first sight that is each of them.
  std::set<std::string> pump(const std::set<std::string>& accounts, Time now);
  std::optional<Time> retryAt() const { return informer_ ? informer_->retryAt() : std::nullopt; }

 private:
  Client& client_;
  Waker waker_;
  std::unique_ptr<Informer> informer_;
  std::set<std::string> known_;  ///< accounts that were told of once
};

}  // namespace steer
