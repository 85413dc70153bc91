#include "cluster/apiserver/grant_rules.h"

#include <algorithm>

#include "cluster/apiserver/ownership_rules.h"
#include "cluster/apiserver/role_book.h"
#include "core/source_address.h"

namespace steer {
namespace {

constexpr const char* kGroup = "rbac.authorization.k8s.io";
constexpr const char* kApplications = "applications.steersman.dev";
constexpr const char* kRepositories = "gitrepositories.steersman.dev";

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

/// Nothing but what lets the object go in the end differs.
bool onlyReleases(const json::object* before, const json::object& after) {
  if (before == nullptr) return false;
  const auto rest = [](const json::object& of) {
    json::object out = of;
    auto& meta = ensureObject(out, "metadata");
    for (const char* key : {"ownerReferences", "finalizers", "managedFields", "resourceVersion", "generation"})
      meta.erase(key);
    return out;
  };
  return rest(*before) == rest(after);
}

/// Any change of a role is judged by all its rules, a label as well: a label makes them part of another role.
Result<void> admitRole(const Ask& ask, const std::string& resource, const std::string& ns, const json::object* before,
                       const json::object& after) {
  const std::string name(stringAt(after, {"metadata", "name"}));
  if (ask.may({"escalate", resource, "", ns, name}) || onlyReleases(before, after)) return {};
  std::vector<PolicyRule> wanted;
  for (const auto& rule : arrayAt(after, {"rules"})) wanted.push_back(policyRuleOf(rule));
  STEER_CHECK(holdsAll(ask, resource, name, ns, wanted));
  if (!after.contains("aggregationRule") && (before == nullptr || !before->contains("aggregationRule"))) return {};
  // Whatever is labelled later becomes part of it.
  const auto missing = missingOf({{{"*"}, {"*"}, {"*"}, {}, {}}, {{"*"}, {}, {}, {}, {"*"}}},
                                 ask.authorizer.rulesOf(ask.who, "", ask.view));
  if (missing.empty()) return {};
  return refused(resource, name, "must have cluster-admin privileges to use the aggregationRule");
}

Result<void> admitBinding(const Ask& ask, const std::string& resource, const std::string& ns,
                          const json::object* before, const json::object& after) {
  const std::string name(stringAt(after, {"metadata", "name"})), role(stringAt(after, {"roleRef", "name"}));
  if (onlyReleases(before, after)) return {};
  const bool namespaced = stringAt(after, {"roleRef", "kind"}) == "Role";
  const std::string roles = std::string(namespaced ? "roles." : "clusterroles.") + kGroup;
  if (ask.may({"bind", roles, "", ns, role})) return {};
  const RoleBook book(ask.view);
  const auto* rules = book.rulesOfRole(namespaced ? ns : "", role);
  if (rules == nullptr) return makeError(Errc::notFound, roles + " \"" + role + "\" not found");
  return holdsAll(ask, resource, name, ns, *rules);
}

/// Whether `who` may decide what an application of this account does; why not, in words.
std::string mayDirect(const Ask& ask, const std::string& ns, const std::string& account) {
  if (holdsEverything(ask.authorizer, ask.who, ask.view)) return "";
  if (account.empty())
    return "an application without one acts with all rights; user \"" + ask.who.user +
           "\" has not all rights and must name an account";
  if (ask.may({"impersonate", "serviceaccounts", "", ns, account})) return "";
  return "user \"" + ask.who.user + "\" cannot impersonate resource \"serviceaccounts\" named \"" + account +
         "\" in the namespace \"" + ns + "\"";
}

/// Who writes an application decides what its account does.
Result<void> admitApplication(const Ask& ask, const std::string& ns, const json::object* before,
                              const json::object& after) {
  if (same(before, after, "spec")) return {};
  const std::string account(stringAt(after, {"spec", "serviceAccountName"}));
  const auto name = std::string(stringAt(after, {"metadata", "name"}));
  if (const auto why = mayDirect(ask, ns, account); !why.empty())
    return refused(kApplications, name, "spec.serviceAccountName: " + why);
  return {};
}

std::string_view addressIn(const std::string& resource, const json::object& object) {
  if (resource == kApplications) return stringAt(object, {"spec", "source", "url"});
  return resource == kRepositories ? stringAt(object, {"spec", "url"}) : "";
}

/// The server reads with its own eyes: what lies on its machine is not for everybody to point it at.
Result<void> admitAddress(const Ask& ask, const std::string& resource, const json::object* before,
                          const json::object& after, const std::vector<std::string>& allowedSources) {
  const auto url = addressIn(resource, after);
  if (url.empty() || (before != nullptr && addressIn(resource, *before) == url)) return {};
  if (!namesThisMachine(url) || anyCovers(allowedSources, url)) return {};
  if (holdsEverything(ask.authorizer, ask.who, ask.view)) return {};
  return refused(resource, std::string(stringAt(after, {"metadata", "name"})),
                 "a repository on the server's own machine is named by who holds all rights, or where the server's "
                 "--allow-source covers it; user \"" +
                     ask.who.user + "\" has not all rights");
}

/// Who writes a repository decides what the applications do that read it.
Result<void> admitRepository(const Ask& ask, const std::string& ns, const json::object* before,
                             const json::object& after) {
  if (same(before, after, "spec")) return {};
  const std::string name(stringAt(after, {"metadata", "name"}));
  for (const auto& application : ask.view.list(kApplications, ns)) {
    if (stringAt(application->spec(), {"source", "repositoryRef", "name"}) != name) continue;
    const auto why = mayDirect(ask, ns, std::string(stringAt(application->spec(), {"serviceAccountName"})));
    if (!why.empty())
      return refused(kRepositories, name,
                     "application \"" + application->name() + "\" reads it, spec.serviceAccountName: " + why);
  }
  return {};
}

}  // namespace

Result<void> admitGrant(const Authorizer& authorizer, const Identity& who, const Snapshot& view, const KindSchema& kind,
                        const json::object* before, const json::object& after,
                        const std::vector<std::string>& allowedSources) {
  const bool ours = kind.gvk.group == "steersman.dev";
  if ((kind.gvk.group != kGroup && !ours) || isMember(who, "system:masters")) return {};
  const Ask ask{authorizer, who, view};
  const std::string resource = kind.resource(), ns(stringAt(after, {"metadata", "namespace"}));
  if (ours) STEER_CHECK(admitAddress(ask, resource, before, after, allowedSources));
  if (resource == kApplications) return admitApplication(ask, ns, before, after);
  if (resource == kRepositories) return admitRepository(ask, ns, before, after);
  if (ours) return {};
  if (kind.gvk.kind.ends_with("Binding")) return admitBinding(ask, resource, ns, before, after);
  return admitRole(ask, resource, ns, before, after);
}

}  // namespace steer
