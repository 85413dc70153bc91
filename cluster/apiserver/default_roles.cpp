#include "cluster/apiserver/default_roles.h"

namespace steer {
namespace {

constexpr const char* kReadVerbs = R"(["get","list","watch"])";
constexpr const char* kWriteVerbs = R"(["create","delete","deletecollection","patch","update"])";

/// What view shows. Secrets are not among it: who reads them holds what they give access to.
constexpr const char* kViewed[][2] = {
    {R"([""])", R"(["configmaps","endpoints","persistentvolumeclaims","persistentvolumeclaims/status","pods","pods/log",
      "pods/status","replicationcontrollers","replicationcontrollers/scale","replicationcontrollers/status",
      "serviceaccounts","services","services/status","bindings","events","limitranges","namespaces","namespaces/status",
      "resourcequotas","resourcequotas/status"])"},
    {R"(["apps"])", R"(["controllerrevisions","daemonsets","daemonsets/status","deployments","deployments/scale",
      "deployments/status","replicasets","replicasets/scale","replicasets/status","statefulsets","statefulsets/scale",
      "statefulsets/status"])"},
    {R"(["autoscaling"])", R"(["horizontalpodautoscalers","horizontalpodautoscalers/status"])"},
    {R"(["batch"])", R"(["cronjobs","cronjobs/status","jobs","jobs/status"])"},
    {R"(["discovery.k8s.io"])", R"(["endpointslices"])"},
    {R"(["networking.k8s.io"])", R"(["ingresses","ingresses/status","networkpolicies"])"},
    {R"(["policy"])", R"(["poddisruptionbudgets","poddisruptionbudgets/status"])"},
    {R"(["steersman.dev"])", R"(["applications","applications/status","gitrepositories","gitrepositories/status"])"},
};

/// What edit may change. No applications: they may act with more rights than who writes them has.
constexpr const char* kEdited[][2] = {
    {R"([""])", R"(["configmaps","endpoints","persistentvolumeclaims","pods","pods/attach","pods/exec",
      "pods/portforward","pods/proxy","replicationcontrollers","replicationcontrollers/scale","secrets",
      "serviceaccounts","services","services/proxy","events"])"},
    {R"(["apps"])", R"(["daemonsets","deployments","deployments/rollback","deployments/scale","replicasets",
      "replicasets/scale","statefulsets","statefulsets/scale"])"},
    {R"(["autoscaling"])", R"(["horizontalpodautoscalers"])"},
    {R"(["batch"])", R"(["cronjobs","jobs"])"},
    {R"(["networking.k8s.io"])", R"(["ingresses","networkpolicies"])"},
    {R"(["policy"])", R"(["poddisruptionbudgets"])"},
    {R"(["coordination.k8s.io"])", R"(["leases"])"},
};

std::string rule(const std::string& groups, const std::string& resources, const std::string& verbs) {
  return R"({"apiGroups":)" + groups + R"(,"resources":)" + resources + R"(,"verbs":)" + verbs + "}";
}

template <std::size_t N>
std::string rulesFor(const char* const (&table)[N][2], const char* verbs) {
  std::string out;
  for (const auto& row : table) out += (out.empty() ? "" : ",") + rule(row[0], row[1], verbs);
  return out;
}

std::string editRules() {
  return rulesFor(kEdited, kWriteVerbs) + "," +
         rule(R"([""])", R"(["secrets","pods/attach","pods/exec","pods/portforward","pods/proxy","services/proxy"])",
              kReadVerbs) +
         "," + rule(R"(["coordination.k8s.io"])", R"(["leases"])", kReadVerbs) + "," +
         rule(R"([""])", R"(["pods/eviction"])", R"(["create"])") + "," +
         rule(R"([""])", R"(["serviceaccounts/token"])", R"(["create"])") + "," +
         rule(R"([""])", R"(["serviceaccounts"])", R"(["impersonate"])");
}

std::string adminRules() {
  return rule(R"(["authorization.k8s.io"])", R"(["localsubjectaccessreviews"])", R"(["create"])") + "," +
         rule(R"(["rbac.authorization.k8s.io"])", R"(["rolebindings","roles"])",
              R"(["create","delete","deletecollection","get","list","patch","update","watch"])");
}

constexpr const char* kDiscoveryPaths =
    R"(["/api","/api/*","/apis","/apis/*","/healthz","/livez","/openapi","/openapi/*","/readyz","/version","/version/"])";

std::string pathRule(const char* paths) { return std::string(R"({"verbs":["get"],"nonResourceURLs":)") + paths + "}"; }

json::object parsed(const std::string& text) { return json::parse(text).as_object(); }

json::object standing(const char* kind, const std::string& name, const std::string& label = "") {
  json::object labels{{"kubernetes.io/bootstrapping", "rbac-defaults"}};
  if (!label.empty()) labels["rbac.authorization.k8s.io/aggregate-to-" + label] = "true";
  return {{"apiVersion", "rbac.authorization.k8s.io/v1"},
          {"kind", kind},
          {"metadata",
           {{"name", name},
            {"labels", std::move(labels)},
            {"annotations", {{"rbac.authorization.kubernetes.io/autoupdate", "true"}}}}}};
}

json::object role(const std::string& name, const std::string& rules, const std::string& label = "") {
  auto out = standing("ClusterRole", name, label);
  out["rules"] = json::parse("[" + rules + "]");
  return out;
}

/// admin contains edit, and edit contains view.
json::object aggregate(const std::string& name, const std::string& partOf) {
  auto out = standing("ClusterRole", name, partOf);
  out["rules"] = json::array{};
  out["aggregationRule"] = parsed(R"({"clusterRoleSelectors":[{"matchLabels":
    {"rbac.authorization.k8s.io/aggregate-to-)" +
                                  name + R"(":"true"}}]})");
  return out;
}

json::object binding(const std::string& role, const std::vector<std::string>& groups) {
  auto out = standing("ClusterRoleBinding", role);
  out["roleRef"] = {{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "ClusterRole"}, {"name", role}};
  json::array subjects;
  for (const auto& group : groups)
    subjects.push_back(json::object{{"apiGroup", "rbac.authorization.k8s.io"}, {"kind", "Group"}, {"name", group}});
  out["subjects"] = std::move(subjects);
  return out;
}

}  // namespace

std::vector<std::pair<std::string, json::object>> defaultRoles() {
  const std::string roles = "clusterroles.rbac.authorization.k8s.io";
  const std::string bindings = "clusterrolebindings.rbac.authorization.k8s.io";
  const std::string own = rule(R"(["authorization.k8s.io"])",
                               R"(["selfsubjectaccessreviews","selfsubjectrulesreviews"])", R"(["create"])") +
                          "," + rule(R"(["authentication.k8s.io"])", R"(["selfsubjectreviews"])", R"(["create"])");
  return {
      {roles,
       role("cluster-admin", rule(R"(["*"])", R"(["*"])", R"(["*"])") + R"(,{"verbs":["*"],"nonResourceURLs":["*"]})")},
      {roles, role("system:aggregate-to-view", rulesFor(kViewed, kReadVerbs), "view")},
      {roles, role("system:aggregate-to-edit", editRules(), "edit")},
      {roles, role("system:aggregate-to-admin", adminRules(), "admin")},
      {roles, aggregate("view", "edit")},
      {roles, aggregate("edit", "admin")},
      {roles, aggregate("admin", "")},
      {roles, role("system:basic-user", own)},
      {roles, role("system:discovery", pathRule(kDiscoveryPaths))},
      {roles, role("system:public-info-viewer", pathRule(R"(["/healthz","/livez","/readyz","/version","/version/"])"))},
      {roles, role("system:service-account-issuer-discovery",
                   pathRule(R"(["/.well-known/openid-configuration","/openid/v1/jwks"])"))},
      {roles, role("system:auth-delegator",
                   rule(R"(["authentication.k8s.io"])", R"(["tokenreviews"])", R"(["create"])") + "," +
                       rule(R"(["authorization.k8s.io"])", R"(["subjectaccessreviews"])", R"(["create"])"))},
      {bindings, binding("cluster-admin", {"system:masters"})},
      {bindings, binding("system:basic-user", {"system:authenticated"})},
      {bindings, binding("system:discovery", {"system:authenticated"})},
      {bindings, binding("system:public-info-viewer", {"system:authenticated", "system:unauthenticated"})},
      {bindings, binding("system:service-account-issuer-discovery", {"system:serviceaccounts"})},
  };
}

}  // namespace steer
