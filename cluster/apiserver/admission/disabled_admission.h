#pragma once
// Which steps of admission an operator left out, as kube-apiserver's `--disable-admission-plugins` says it. Pure
// values.
#include <set>
#include <string_view>

#include "core/result.h"

namespace steer {

enum class AdmissionPlugin { limitRanger, podSecurity, resourceQuota, serviceAccount, taintNodesByCondition };

class DisabledAdmission {
 public:
  /// Kubernetes' names between commas; empty = none. Errors: badRequest for what cannot be left out.
  static Result<DisabledAdmission> parse(std::string_view list);
  bool has(AdmissionPlugin plugin) const { return plugins_.contains(plugin); }

 private:
  std::set<AdmissionPlugin> plugins_;
};

}  // namespace steer
