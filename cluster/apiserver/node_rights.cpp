#include "cluster/apiserver/node_rights.h"

#include <algorithm>
#include <array>

namespace steer {
namespace {

constexpr std::string_view kNodeUser = "system:node:";
constexpr const char* kLeases = "leases.coordination.k8s.io";
constexpr const char* kRequests = "certificatesigningrequests.certificates.k8s.io";

bool reads(const AccessQuestion& q) { return q.verb == "get" || q.verb == "list" || q.verb == "watch"; }
bool edits(const AccessQuestion& q) { return q.verb == "update" || q.verb == "patch"; }

template <std::size_t N>
bool oneOf(std::string_view word, const std::array<std::string_view, N>& words) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

/// How the fields of a pod name objects of one kind.
struct Naming {
  std::array<std::string_view, 5> references;  ///< members whose `name` names one
  std::string_view direct;                     ///< a member that is the name itself
};
constexpr Naming kSecrets{{"secret", "secretRef", "secretKeyRef", "imagePullSecrets", "nodePublishSecretRef"},
                          "secretName"};
constexpr Naming kConfigMaps{{"configMap", "configMapRef", "configMapKeyRef", "", ""}, ""};
constexpr Naming kClaims{{"", "", "", "", ""}, "claimName"};

/// True when any field under `value` names `name`.
bool mentions(const json::value& value, const Naming& naming, std::string_view name, bool inReference = false) {
  if (const auto* object = value.if_object()) {
    for (const auto& [key, item] : *object) {
      const std::string_view member = key;
      if (const auto* text = item.if_string()) {
        if (view(*text) == name &&
            ((!naming.direct.empty() && member == naming.direct) || (inReference && member == "name")))
          return true;
      } else if (mentions(item, naming, name, oneOf(member, naming.references))) {
        return true;
      }
    }
  } else if (const auto* array = value.if_array()) {
    for (const auto& item : *array)
      if (mentions(item, naming, name, inReference)) return true;
  }
  return false;
}

bool podNames(const Snapshot& snapshot, std::string_view node, const AccessQuestion& q, const Naming& naming) {
  if (!reads(q) || q.name.empty() || !q.subresource.empty()) return false;
  for (const auto& pod : snapshot.podsOnNode(node))
    if (pod->ns() == q.ns && mentions(pod->spec(), naming, q.name)) return true;
  return false;
}

/// What is asked for in detail is judged when the token is given.
bool podActsAs(const Snapshot& snapshot, std::string_view node, const AccessQuestion& q) {
  for (const auto& pod : snapshot.podsOnNode(node))
    if (pod->ns() == q.ns && stringAt(pod->spec(), {"serviceAccountName"}) == q.name) return true;
  return false;
}

bool mayTouchPod(std::string_view node, const AccessQuestion& q, const Snapshot& snapshot) {
  if ((q.verb == "list" || q.verb == "watch") && q.subresource.empty() && q.onNode == node) return true;
  if (q.name.empty()) return false;
  const auto pod = snapshot.get("pods", q.ns, q.name);
  // A pod that is gone already: let the answer be "not found".
  if (pod != nullptr && stringAt(pod->spec(), {"nodeName"}) != node) return false;
  if (q.subresource == "status") return edits(q);
  if (q.subresource == "eviction") return q.verb == "create";
  return q.subresource.empty() && (reads(q) || q.verb == "delete");
}

bool mayTouchNode(std::string_view node, const AccessQuestion& q) {
  if (reads(q) && q.subresource.empty()) return true;                      // the routes to its peers
  if (q.name.empty()) return q.verb == "create" && q.subresource.empty();  // judged by the name that it gets
  if (q.name != node) return false;
  return q.subresource.empty() ? q.verb == "create" || edits(q) : q.subresource == "status" && edits(q);
}

/// What every node must know of the cluster.
bool isClusterFact(const AccessQuestion& q) {
  return q.verb == "get" && (q.name == "kube-root-ca.crt" || (q.ns == "kube-system" && q.name == "steersman-cluster"));
}

bool isKubernetes(std::string_view domain) {
  return domain == "kubernetes.io" || domain == "k8s.io" || domain.ends_with(".kubernetes.io") ||
         domain.ends_with(".k8s.io");
}

/// Labels of Kubernetes' own domains that a node says of itself.
bool isOwnLabel(std::string_view key) {
  static constexpr std::array<std::string_view, 11> kOwn{"kubernetes.io/hostname",
                                                         "kubernetes.io/arch",
                                                         "kubernetes.io/os",
                                                         "beta.kubernetes.io/arch",
                                                         "beta.kubernetes.io/os",
                                                         "beta.kubernetes.io/instance-type",
                                                         "failure-domain.beta.kubernetes.io/region",
                                                         "failure-domain.beta.kubernetes.io/zone",
                                                         "topology.kubernetes.io/region",
                                                         "topology.kubernetes.io/zone",
                                                         "node.kubernetes.io/instance-type"};
  const auto slash = key.find('/');
  if (slash == std::string_view::npos) return true;
  const auto domain = key.substr(0, slash);
  for (const std::string_view open : {"kubelet.kubernetes.io", "node.kubernetes.io"})
    if (domain == open || domain.ends_with("." + std::string(open))) return true;
  return !isKubernetes(domain) || oneOf(key, kOwn);
}

std::vector<std::string> changedLabels(const json::object& before, const json::object& after) {
  std::vector<std::string> out;
  const auto note = [&](const json::object& from, const json::object& to) {
    for (const auto& [key, value] : from) {
      const auto* other = to.if_contains(key);
      if (other != nullptr && *other == value) continue;
      if (std::find(out.begin(), out.end(), std::string_view(key)) == out.end()) out.emplace_back(key);
    }
  };
  note(before, after);
  note(after, before);
  return out;
}

bool sameSpec(const json::object& before, const json::object& after, std::string_view field) {
  const auto *left = find(before, {"spec", field}), *right = find(after, {"spec", field});
  return left == nullptr || right == nullptr ? left == right : *left == *right;
}

Error refusedTo(const std::string& node, const std::string& target, const std::string& why) {
  return makeError(Errc::forbidden, target + " is forbidden: node \"" + node + "\" is not allowed to " + why);
}

Result<void> admitNode(const std::string& node, const Object* live, const json::object& after) {
  static const json::object none;
  const auto target = "nodes \"" + std::string(stringAt(after, {"metadata", "name"})) + "\"";
  const json::object& before = live == nullptr ? none : live->json();
  std::string labels;
  for (const auto& key :
       changedLabels(objectAt(before, {"metadata", "labels"}), objectAt(after, {"metadata", "labels"})))
    if (!isOwnLabel(key)) labels += (labels.empty() ? "" : ", ") + key;
  if (!labels.empty()) return refusedTo(node, target, "modify labels: " + labels);
  if (live == nullptr) return {};
  if (!sameSpec(before, after, "taints")) return refusedTo(node, target, "modify taints");
  for (const char* field : {"podCIDR", "podCIDRs", "configSource"})
    if (!sameSpec(before, after, field)) return refusedTo(node, target, "modify spec." + std::string(field));
  if (arrayAt(before, {"metadata", "ownerReferences"}) != arrayAt(after, {"metadata", "ownerReferences"}))
    return refusedTo(node, target, "modify ownerReferences");
  return {};
}

Result<void> admitPod(const std::string& node, const Object& live, const json::object& after) {
  const auto target = "pods \"" + live.name() + "\"";
  if (!changedLabels(live.labels(), objectAt(after, {"metadata", "labels"})).empty())
    return refusedTo(node, target, "update labels through pod status");
  if (live.spec() != objectAt(after, {"spec"})) return refusedTo(node, target, "change the spec of a pod");
  return {};
}

}  // namespace

std::string nodeNameOf(const Identity& who) {
  if (!isMember(who, "system:nodes") || !who.user.starts_with(kNodeUser)) return "";
  return who.user.substr(kNodeUser.size());
}

bool nodeMay(std::string_view node, const AccessQuestion& q, const Snapshot& snapshot) {
  static constexpr std::array<std::string_view, 4> kNetwork{"services", "endpoints", "endpointslices.discovery.k8s.io",
                                                            "runtimeclasses.node.k8s.io"};
  if (q.resource.empty()) return q.verb == "get";
  if (q.resource == "pods") return mayTouchPod(node, q, snapshot);
  if (q.resource == "nodes") return mayTouchNode(node, q);
  if (q.resource == "serviceaccounts")
    return q.verb == "create" && q.subresource == "token" && podActsAs(snapshot, node, q);
  if (q.resource == "secrets") return podNames(snapshot, node, q, kSecrets);
  if (q.resource == "configmaps") return isClusterFact(q) || podNames(snapshot, node, q, kConfigMaps);
  if (q.resource == "persistentvolumeclaims") return podNames(snapshot, node, q, kClaims);
  if (q.resource == kLeases && q.verb == "create" && q.name.empty()) return q.ns == "kube-node-lease";
  if (q.resource == kLeases)
    return q.ns == "kube-node-lease" && q.name == node && (reads(q) || q.verb == "create" || edits(q));
  if (q.resource == "events" || q.resource == "events.events.k8s.io") return q.verb == "create" || edits(q);
  if (q.resource == kRequests)
    return q.subresource.empty() && (q.verb == "create" || (q.verb == "get" && !q.name.empty()));
  return reads(q) && q.subresource.empty() && oneOf(q.resource, kNetwork);
}

bool joiningMay(const Identity& who, const AccessQuestion& q, const Snapshot& snapshot) {
  if (q.resource != kRequests || !q.subresource.empty()) return false;
  if (q.verb == "create") return true;
  if (q.verb != "get" || q.name.empty()) return false;
  const auto request = snapshot.get(q.resource, "", q.name);
  return request == nullptr || stringAt(request->spec(), {"username"}) == who.user;
}

Result<void> admitNodeWrite(const Identity& who, const Snapshot& snapshot, const PlannedWrite& planned) {
  const auto node = nodeNameOf(who);
  if (node.empty()) return {};
  for (const auto& mutation : planned.mutations) {
    if (mutation.kind != Mutation::Kind::put) continue;
    const auto live = snapshot.get(mutation.target);
    const bool named = mutation.target.resource == "nodes" || mutation.target.resource == kLeases;
    if (named && mutation.target.name != node)
      return refusedTo(node, mutation.target.resource + " \"" + mutation.target.name + "\"", "write what is another's");
    if (mutation.target.resource == "nodes") STEER_CHECK(admitNode(node, live.get(), mutation.body));
    if (mutation.target.resource == "pods" && live) STEER_CHECK(admitPod(node, *live, mutation.body));
  }
  return {};
}

}  // namespace steer
