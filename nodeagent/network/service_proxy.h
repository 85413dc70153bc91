#pragma once
// ServiceProxy: puts an NftRuleset into the kernel, in the network namespace of the thread that
// made it, through libnftables in this process. Each change is one transaction: packets see the old
// rules or the new ones. Thread rule: one owner.
// Failure rule: apply leaves the kernel as it was and can be called again; a table that somebody
// flushed is loaded anew.
#include <memory>
#include <string>

#include "cluster/network/nft_ruleset.h"
#include "core/result.h"

namespace steer {

class ServiceProxy {
 public:
  static Result<std::unique_ptr<ServiceProxy>> open();
  ~ServiceProxy();
  ServiceProxy(const ServiceProxy&) = delete;
  ServiceProxy& operator=(const ServiceProxy&) = delete;

  /// Only the difference to what was applied before; the whole ruleset the first time, after a
  /// change of options, and when the difference does not fit what the kernel holds.
  Result<void> apply(const NftRuleset& wanted);
  /// False when the table is gone (flushed by somebody): the next apply loads everything.
  bool intact();
  /// Removes a table; fine when there is none.
  Result<void> removeTable(const std::string& table);

 private:
  struct Context;
  explicit ServiceProxy(std::unique_ptr<Context> context);
  Result<std::string> run(const std::string& commands);
  void forgetStale(const NftRuleset& before, const NftRuleset& after);
  void forgetAffinity(const std::vector<NftRuleset::Stale>& stale, const std::string& table);

  std::unique_ptr<Context> context_;
  std::unique_ptr<NftRuleset> applied_;
};

}  // namespace steer
