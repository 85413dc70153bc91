#include "cluster/apiserver/grant_rules.h"

#include <algorithm>

#include "cluster/apiserver/role_book.h"

namespace steer {
namespace {

constexpr const char* kGroup = "rbac.authorization.k8s.io";
constexpr const char* kApplications = "applications.steersman.dev";

struct Ask {
  const Authorizer& authorizer;
  const Identity& who;
  const Snapshot& view;

  bool may(const AccessQuestion& question) const { return authorizer.decide(who, question, view).allowed; }
};

std::string quoted(const std::vector<std::string>& list, const char* between) {
  std::string out;
  for (const auto& item : list) out += (out.empty() ? "\"" : std::string(between) + "\"") + item + "\"";
  return out;
}

std::string textOf(const PolicyRule& rule) {
  if (!rule.urls.empty())
    return "{NonResourceURLs:[" + quoted(rule.urls, " ") + "], Verbs:[" + quoted(rule.verbs, " ") + "]}";
  return "{APIGroups:[" + quoted(rule.groups, " ") + "], Resources:[" + quoted(rule.resources, " ") + "]" +
         (rule.names.empty() ? "" : ", ResourceNames:[" + quoted(rule.names, " ") + "]") + ", Verbs:[" +
         quoted(rule.verbs, " ") + "]}";
}

bool among(const std::vector<std::string>& held, const std::string& wanted) {
  return std::any_of(held.begin(), held.end(), [&](const auto& one) { return one == "*" || one == wanted; });
}

bool coversResource(const PolicyRule& held, const std::string& wanted) {
  const auto slash = wanted.find('/');
  return among(held.resources, wanted) ||
         (slash != std::string::npos && wanted != "*" && among(held.resources, "*" + wanted.substr(slash)));
}

bool coversUrl(const PolicyRule& held, const std::string& wanted) {
  return std::any_of(held.urls.begin(), held.urls.end(), [&](const std::string& url) {
    return url == wanted || url == "*" ||
           (url.ends_with('*') && wanted.starts_with(std::string_view(url).substr(0, url.size() - 1)));
  });
}

/// `wanted` has one verb, and one group, resource and name (or none), or one path.
bool covers(const PolicyRule& held, const PolicyRule& wanted) {
  if (!among(held.verbs, wanted.verbs.front())) return false;
  if (!wanted.urls.empty()) return coversUrl(held, wanted.urls.front());
  if (!among(held.groups, wanted.groups.front()) || !coversResource(held, wanted.resources.front())) return false;
  if (held.names.empty()) return true;
  return !wanted.names.empty() &&
         std::find(held.names.begin(), held.names.end(), wanted.names.front()) != held.names.end();
}

/// A rule taken apart into what it allows, one thing each.
std::vector<PolicyRule> partsOf(const PolicyRule& rule) {
  std::vector<PolicyRule> out;
  for (const auto& verb : rule.verbs) {
    for (const auto& url : rule.urls) out.push_back({{verb}, {}, {}, {}, {url}});
    for (const auto& group : rule.groups)
      for (const auto& resource : rule.resources) {
        if (rule.names.empty()) out.push_back({{verb}, {group}, {resource}, {}, {}});
        for (const auto& name : rule.names) out.push_back({{verb}, {group}, {resource}, {name}, {}});
      }
  }
  return out;
}

/// One line for each thing, with the verbs that are missing.
std::string missingOf(const std::vector<PolicyRule>& wanted, const std::vector<PolicyRule>& held) {
  std::vector<PolicyRule> missing;
  for (const auto& rule : wanted)
    for (auto& part : partsOf(rule)) {
      if (std::any_of(held.begin(), held.end(), [&](const auto& one) { return covers(one, part); })) continue;
      const auto same = std::find_if(missing.begin(), missing.end(), [&](const PolicyRule& one) {
        return one.groups == part.groups && one.resources == part.resources && one.names == part.names &&
               one.urls == part.urls;
      });
      if (same == missing.end()) missing.push_back(std::move(part));
      else if (!among(same->verbs, part.verbs.front())) same->verbs.push_back(part.verbs.front());
    }
  std::string out;
  for (const auto& rule : missing) out += "\n" + textOf(rule);
  return out;
}

Error refused(const std::string& resource, const std::string& name, const std::string& why) {
  return makeError(Errc::forbidden, resource + " \"" + name + "\" is forbidden: " + why);
}

Result<void> holdsAll(const Ask& ask, const std::string& resource, const std::string& name, const std::string& ns,
                      const std::vector<PolicyRule>& wanted) {
  const auto missing = missingOf(wanted, ask.authorizer.rulesOf(ask.who, ns, ask.view));
  if (missing.empty()) return {};
  return refused(resource, name,
                 "user \"" + ask.who.user + "\" (groups=[" + quoted(ask.who.groups, " ") +
                     "]) is attempting to grant RBAC permissions not currently held:" + missing);
}

bool same(const json::object* before, const json::object& after, std::string_view key) {
  if (before == nullptr) return false;
  const auto *left = before->if_contains(key), *right = after.if_contains(key);
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

Result<void> admitRole(const Ask& ask, const std::string& resource, const std::string& ns, const json::object* before,
                       const json::object& after) {
  const std::string name(stringAt(after, {"metadata", "name"}));
  if (same(before, after, "rules") && same(before, after, "aggregationRule")) return {};
  if (ask.may({"escalate", resource, "", ns, name})) return {};
  std::vector<PolicyRule> wanted;
  for (const auto& rule : arrayAt(after, {"rules"})) wanted.push_back(policyRuleOf(rule));
  if (after.contains("aggregationRule") && !same(before, after, "aggregationRule")) {
    // Whatever is labelled later becomes part of it.
    const auto missing = missingOf({{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}},
                                   ask.authorizer.rulesOf(ask.who, "", ask.view));
    if (!missing.empty())
      return refused(resource, name, "must have cluster-admin privileges to use the aggregationRule");
  }
  return holdsAll(ask, resource, name, ns, wanted);
}

Result<void> admitBinding(const Ask& ask, const std::string& resource, const std::string& ns,
                          const json::object* before, const json::object& after) {
  const std::string name(stringAt(after, {"metadata", "name"})), role(stringAt(after, {"roleRef", "name"}));
  if (same(before, after, "subjects") && same(before, after, "roleRef")) return {};
  const bool namespaced = stringAt(after, {"roleRef", "kind"}) == "Role";
  const std::string roles = std::string(namespaced ? "roles." : "clusterroles.") + kGroup;
  if (ask.may({"bind", roles, "", ns, role})) return {};
  const RoleBook book(ask.view);
  const auto* rules = book.rulesOfRole(namespaced ? ns : "", role);
  if (rules == nullptr) return makeError(Errc::notFound, roles + " \"" + role + "\" not found");
  return holdsAll(ask, resource, name, ns, *rules);
}

/// Who writes an application decides what its account does.
Result<void> admitApplication(const Ask& ask, const std::string& ns, const json::object* before,
                              const json::object& after) {
  if (same(before, after, "spec")) return {};
  const std::string name(stringAt(after, {"metadata", "name"}));
  const std::string account(stringAt(after, {"spec", "serviceAccountName"}));
  if (ask.may({"*", "*.*", "", "", ""})) return {};
  if (account.empty())
    return refused(kApplications, name,
                   "spec.serviceAccountName: an application without one acts with all rights; user \"" + ask.who.user +
                       "\" has not all rights and must name an account");
  if (ask.may({"impersonate", "serviceaccounts", "", ns, account})) return {};
  return refused(kApplications, name,
                 "spec.serviceAccountName: user \"" + ask.who.user +
                     "\" cannot impersonate resource \"serviceaccounts\" named \"" + account +
                     "\" in the namespace \"" + ns + "\"");
}

}  // namespace

Result<void> admitGrant(const Authorizer& authorizer, const Identity& who, const Snapshot& view, const KindSchema& kind,
                        const json::object* before, const json::object& after) {
  const bool application = kind.gvk.group == "steersman.dev" && kind.gvk.kind == "Application";
  if ((kind.gvk.group != kGroup && !application) || isMember(who, "system:masters")) return {};
  const Ask ask{authorizer, who, view};
  const std::string resource = kind.resource(), ns(stringAt(after, {"metadata", "namespace"}));
  if (application) return admitApplication(ask, ns, before, after);
  if (kind.gvk.kind.ends_with("Binding")) return admitBinding(ask, resource, ns, before, after);
  return admitRole(ask, resource, ns, before, after);
}

}  // namespace steer
