#include "reconciler/loop/rights_watch.h"

#include <algorithm>

namespace steer {
namespace {

constexpr const char* kClusterRoles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* kRoles = "roles.rbac.authorization.k8s.io";
constexpr const char* kClusterBindings = "clusterrolebindings.rbac.authorization.k8s.io";
constexpr const char* kBindings = "rolebindings.rbac.authorization.k8s.io";
constexpr std::string_view kAccount = "system:serviceaccount:";

/// Whether a subject of a binding in namespace `home` is this account, or a group that it is in. A subject that names
/// no namespace is of the binding's own, as where rights are judged.
bool names(const json::value& subject, const std::string& home, const std::string& account) {
  const auto kind = stringAt(subject, {"kind"});
  const std::string name(stringAt(subject, {"name"}));
  if (kind == "User") return name == account;
  if (kind == "ServiceAccount")
    return account == std::string(kAccount) + std::string(stringAt(subject, {"namespace"}, home)) + ":" + name;
  if (kind != "Group") return false;
  const auto ns = account.substr(0, account.rfind(':'));  // "system:serviceaccount:NS"
  return name == "system:authenticated" || name == "system:serviceaccounts" ||
         name == "system:serviceaccounts:" + ns.substr(std::min(ns.size(), kAccount.size()));
}

void addSubjects(const Object& binding, const std::set<std::string>& accounts, std::set<std::string>& out) {
  for (const auto& subject : arrayAt(binding.json(), {"subjects"}))
    for (const auto& account : accounts)
      if (names(subject, binding.ns(), account)) out.insert(account);
}

struct ChangedRole {
  std::string kind, ns, name;
  auto operator<=>(const ChangedRole&) const = default;
};

}  // namespace

std::set<std::string> RightsWatch::pump(const std::set<std::string>& accounts, Time now) {
  std::set<std::string> out;
  if (accounts.empty()) {
    informer_.reset();
    known_.clear();
    return out;
  }
  if (!informer_)
    informer_ = std::make_unique<Informer>(
        client_,
        std::vector<Informer::Source>{{kClusterRoles, {}}, {kRoles, {}}, {kClusterBindings, {}}, {kBindings, {}}},
        waker_);
  const bool wasSynced = informer_->synced();
  std::set<ChangedRole> roles;
  const auto note = [&](const std::string& resource, const ObjectPtr& before, const ObjectPtr& after) {
    for (const auto& object : {before, after}) {
      if (!object) continue;
      if (resource == kBindings || resource == kClusterBindings) addSubjects(*object, accounts, out);
      else roles.insert({object->kind(), object->ns(), object->name()});
    }
  };
  while (informer_->pump(now, note)) continue;
  if (!wasSynced) out.clear();
  if (!informer_->synced()) return out;
  if (wasSynced && !roles.empty())
    for (const auto* resource : {kBindings, kClusterBindings})
      for (const auto& binding : informer_->snapshot().list(resource)) {
        const std::string kind(stringAt(binding->json(), {"roleRef", "kind"}));
        if (roles.contains({kind, kind == "Role" ? binding->ns() : "",
                            std::string(stringAt(binding->json(), {"roleRef", "name"}))}))
          addSubjects(*binding, accounts, out);
      }
  for (const auto& account : accounts)
    if (!known_.contains(account)) out.insert(account);
  known_ = accounts;
  return out;
}

}  // namespace steer
