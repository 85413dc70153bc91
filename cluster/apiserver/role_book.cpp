#include "cluster/apiserver/role_book.h"

#include <algorithm>
#include <array>
#include <set>

#include "cluster/apiserver/account_tokens.h"
#include "core/selector.h"

namespace steer {
namespace {

constexpr const char* kClusterRoles = "clusterroles.rbac.authorization.k8s.io";
constexpr const char* kRoles = "roles.rbac.authorization.k8s.io";
constexpr const char* kClusterBindings = "clusterrolebindings.rbac.authorization.k8s.io";
constexpr const char* kBindings = "rolebindings.rbac.authorization.k8s.io";
constexpr std::array<std::string_view, 4> kResources{kClusterRoles, kRoles, kClusterBindings, kBindings};

using Texts = std::vector<std::string>;

bool has(const Texts& list, std::string_view word) { return std::find(list.begin(), list.end(), word) != list.end(); }
bool hasOrAll(const Texts& list, std::string_view word) { return has(list, "*") || has(list, word); }

Texts textsAt(const json::value& from, std::string_view key) {
  Texts out;
  for (const auto& item : arrayAt(from, {key}))
    if (const auto* text = item.if_string()) out.emplace_back(view(*text));
  return out;
}

json::array arrayOf(const Texts& list) {
  json::array out;
  for (const auto& item : list) out.push_back(json::string(item));
  return out;
}

std::vector<PolicyRule> rulesIn(const Object& role) {
  std::vector<PolicyRule> out;
  for (const auto& rule : arrayAt(role.json(), {"rules"})) out.push_back(policyRuleOf(rule));
  return out;
}

/// Adds the rules of every role that an aggregating one selects, also of those that aggregate in turn; each once.
void addRules(const Object& role, const std::vector<ObjectPtr>& all, std::set<const Object*>& seen,
              std::vector<PolicyRule>& out) {
  if (!seen.insert(&role).second) return;
  if (find(role.json(), {"aggregationRule"}) == nullptr) {
    for (auto& rule : rulesIn(role)) out.push_back(std::move(rule));
    return;
  }
  for (const auto& item : arrayAt(role.json(), {"aggregationRule", "clusterRoleSelectors"})) {
    const auto selector = LabelSelector::fromObject(&item);
    if (!selector.ok()) continue;
    for (const auto& other : all)
      if (selector->matches(other->labels())) addRules(*other, all, seen, out);
  }
}

bool allowsUrl(const PolicyRule& rule, std::string_view path) {
  return std::any_of(rule.urls.begin(), rule.urls.end(), [&](const std::string& url) {
    if (url == "*" || url == path) return true;
    return url.ends_with('*') && path.starts_with(std::string_view(url).substr(0, url.size() - 1));
  });
}

}  // namespace

PolicyRule policyRuleOf(const json::value& rule) {
  return {textsAt(rule, "verbs"), textsAt(rule, "apiGroups"), textsAt(rule, "resources"),
          textsAt(rule, "resourceNames"), textsAt(rule, "nonResourceURLs")};
}

json::object jsonOf(const PolicyRule& rule) {
  json::object out{{"verbs", arrayOf(rule.verbs)}};
  if (!rule.urls.empty()) {
    out["nonResourceURLs"] = arrayOf(rule.urls);
    return out;
  }
  out["apiGroups"] = arrayOf(rule.groups);
  out["resources"] = arrayOf(rule.resources);
  if (!rule.names.empty()) out["resourceNames"] = arrayOf(rule.names);
  return out;
}

bool allows(const PolicyRule& rule, const AccessQuestion& q) {
  if (!hasOrAll(rule.verbs, q.verb)) return false;
  if (q.resource.empty()) return allowsUrl(rule, q.path);
  const auto dot = q.resource.find('.');
  const std::string_view plural = std::string_view(q.resource).substr(0, dot);
  const std::string_view group = dot == std::string::npos ? "" : std::string_view(q.resource).substr(dot + 1);
  if (!hasOrAll(rule.groups, group)) return false;
  if (!rule.names.empty() && !has(rule.names, q.name)) return false;
  if (q.subresource.empty()) return hasOrAll(rule.resources, plural);
  return has(rule.resources, "*") || has(rule.resources, std::string(plural) + "/" + q.subresource) ||
         has(rule.resources, "*/" + q.subresource);
}

RoleBook::RoleBook(const Snapshot& view) : kept_(view.part({kResources.begin(), kResources.end()})) {
  readRoles(kept_);
  readBindings(kept_, kClusterBindings);
  readBindings(kept_, kBindings);
}

bool RoleBook::describes(const Snapshot& view) const {
  return std::all_of(kResources.begin(), kResources.end(),
                     [&](std::string_view resource) { return kept_.sharesContent(resource, view); });
}

void RoleBook::readRoles(const Snapshot& view) {
  const auto cluster = view.list(kClusterRoles);
  for (const auto& role : cluster) {
    std::vector<PolicyRule> rules;
    std::set<const Object*> seen;
    addRules(*role, cluster, seen, rules);
    roles_["/" + role->name()] = std::make_shared<const std::vector<PolicyRule>>(std::move(rules));
  }
  view.each(kRoles, "", [&](const ObjectPtr& role) {
    roles_[role->ns() + "/" + role->name()] = std::make_shared<const std::vector<PolicyRule>>(rulesIn(*role));
  });
}

void RoleBook::readBindings(const Snapshot& view, const std::string& resource) {
  view.each(resource, "", [&](const ObjectPtr& binding) {
    const auto kind = stringAt(binding->json(), {"roleRef", "kind"});
    const std::string role(stringAt(binding->json(), {"roleRef", "name"}));
    const auto found = roles_.find((kind == "Role" ? binding->ns() : "") + "/" + role);
    if (found == roles_.end()) return;
    for (const auto& subject : arrayAt(binding->json(), {"subjects"})) {
      const auto what = stringAt(subject, {"kind"});
      const std::string name(stringAt(subject, {"name"}));
      const std::string ns(stringAt(subject, {"namespace"}, binding->ns()));
      const std::string where = binding->ns().empty() ? "\"" : "/" + binding->ns() + "\"";
      Grant grant{binding->ns(), found->second,
                  "RBAC: allowed by " + binding->kind() + " \"" + binding->name() + where + " of " + std::string(kind) +
                      " \"" + role + "\" to " + std::string(what) + " \"" + name +
                      (what == "ServiceAccount" ? "/" + ns + "\"" : "\"")};
      if (what == "Group") byGroup_[name].push_back(std::move(grant));
      else if (what == "User") byUser_[name].push_back(std::move(grant));
      else if (what == "ServiceAccount") byUser_[kServiceAccountUser + ns + ":" + name].push_back(std::move(grant));
    }
  });
}

void RoleBook::eachRule(const Identity& who, std::string_view ns,
                        const std::function<bool(const PolicyRule&, const std::string&)>& visit) const {
  const auto walk = [&](const std::map<std::string, std::vector<Grant>>& grants, const std::string& name) {
    const auto found = grants.find(name);
    if (found == grants.end()) return true;
    for (const auto& grant : found->second) {
      if (!grant.ns.empty() && grant.ns != ns) continue;
      for (const auto& rule : *grant.rules)
        if (!visit(rule, grant.source)) return false;
    }
    return true;
  };
  if (!walk(byUser_, who.user)) return;
  for (const auto& group : who.groups)
    if (!walk(byGroup_, group)) return;
}

std::string RoleBook::grantOf(const Identity& who, const AccessQuestion& question) const {
  std::string out;
  eachRule(who, question.ns, [&](const PolicyRule& rule, const std::string& source) {
    if (allows(rule, question)) out = source;
    return out.empty();
  });
  return out;
}

const std::vector<PolicyRule>* RoleBook::rulesOfRole(const std::string& ns, const std::string& name) const {
  const auto found = roles_.find(ns + "/" + name);
  return found == roles_.end() ? nullptr : found->second.get();
}

}  // namespace steer
