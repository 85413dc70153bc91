// Restricted: what a pod must say besides, and the volumes that it may have.
#include <algorithm>
#include <array>
#include <optional>
#include <set>

#include "cluster/apiserver/admission/pod_security_checks.h"

namespace steer::pod_security {
namespace {

std::optional<bool> flagAt(const json::object& of, std::string_view field) {
  const auto* value = find(of, {"securityContext", field});
  if (value == nullptr || !value->is_bool()) return std::nullopt;
  return value->get_bool();
}

void checkEscalation(const Pod& pod, Findings& out) {
  if (!pod.since(8) || (pod.since(25) && pod.windows())) return;
  std::vector<std::string> names;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (flagAt(container, "allowPrivilegeEscalation") != false) names.push_back(name);
  });
  if (!names.empty())
    out.push_back({"allowPrivilegeEscalation != false",
                   containersText(names) + " must set securityContext.allowPrivilegeEscalation=false"});
}

bool dropsAll(const json::object& container) {
  const auto& dropped = arrayAt(container, {"securityContext", "capabilities", "drop"});
  return std::any_of(dropped.begin(), dropped.end(), [](const json::value& item) { return item == "ALL"; });
}

void checkCapabilities(const Pod& pod, Findings& out) {
  if (!pod.since(22) || (pod.since(25) && pod.windows())) return;
  std::vector<std::string> keeping, adding, details;
  std::set<std::string> added;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (!dropsAll(container)) keeping.push_back(name);
    bool any = false;
    for (const auto& item : arrayAt(container, {"securityContext", "capabilities", "add"})) {
      const auto* text = item.if_string();
      if (text == nullptr || view(*text) == "NET_BIND_SERVICE") continue;
      added.emplace(view(*text));
      any = true;
    }
    if (any) adding.push_back(name);
  });
  if (!keeping.empty())
    details.push_back(containersText(keeping) + " must set securityContext.capabilities.drop=[\"ALL\"]");
  if (!adding.empty())
    details.push_back(containersText(adding) + " must not include " + quotedList({added.begin(), added.end()}) +
                      " in securityContext.capabilities.add");
  if (!details.empty()) out.push_back({"unrestricted capabilities", joined(details, "; ")});
}

void checkVolumes(const Pod& pod, Findings& out) {
  constexpr std::array<std::string_view, 8> kOpen{"configMap", "csi",       "downwardAPI", "emptyDir",
                                                  "ephemeral", "projected", "secret",      "persistentVolumeClaim"};
  std::vector<std::string> names;
  std::set<std::string> types;
  for (const auto& item : arrayAt(pod.spec, {"volumes"})) {
    const auto* volume = item.if_object();
    if (volume == nullptr) continue;
    for (const auto& [key, value] : *volume) {
      const std::string_view type = key;
      if (type == "name" || value.is_null() || std::find(kOpen.begin(), kOpen.end(), type) != kOpen.end()) continue;
      names.emplace_back(stringAt(item, {"name"}));
      types.emplace(type);
    }
  }
  if (names.empty()) return;
  const bool one = names.size() == 1;
  out.push_back({"restricted volume types",
                 (one ? "volume " : "volumes ") + quotedList(names) + (one ? " uses" : " use") + " restricted volume " +
                     (types.size() == 1 ? "type " : "types ") + quotedList({types.begin(), types.end()})});
}

void checkNonRoot(const Pod& pod, Findings& out) {
  const auto ofPod = flagAt(pod.spec, "runAsNonRoot");
  std::vector<std::string> bad, silent, details;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    const auto own = flagAt(container, "runAsNonRoot");
    if (own == false) bad.push_back(name);
    if (!own && ofPod != true) silent.push_back(name);
  });
  if (bad.empty() && silent.empty()) return;
  if (ofPod == false) details.emplace_back("pod must not set securityContext.runAsNonRoot=false");
  if (!bad.empty()) details.push_back(containersText(bad) + " must not set securityContext.runAsNonRoot=false");
  if (ofPod != false && !silent.empty())
    details.push_back("pod or " + containersText(silent) + " must set securityContext.runAsNonRoot=true");
  out.push_back({"runAsNonRoot != true", joined(details, ", ")});
}

void checkUser(const Pod& pod, Findings& out) {
  if (!pod.since(23)) return;
  const auto isRoot = [](const json::object& of) {
    const auto* value = find(of, {"securityContext", "runAsUser"});
    return value != nullptr && asInt(*value) == 0;
  };
  std::vector<std::string> names, setters;
  if (isRoot(pod.spec)) setters.emplace_back("pod");
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    if (isRoot(container)) names.push_back(name);
  });
  if (!names.empty()) setters.push_back(containersText(names));
  if (!setters.empty()) out.push_back({"runAsUser=0", joined(setters, " and ") + " must not set runAsUser=0"});
}

void checkSeccomp(const Pod& pod, Findings& out) {
  if (!pod.since(19) || (pod.since(25) && pod.windows())) return;
  const auto typeOf = [](const json::object& of) {
    return stringAt(of, {"securityContext", "seccompProfile", "type"});
  };
  const auto good = [](std::string_view type) { return type == "RuntimeDefault" || type == "Localhost"; };
  const auto ofPod = typeOf(pod.spec);
  std::vector<std::string> bad, silent, details;
  eachContainer(pod, [&](const json::object& container, const std::string& name) {
    const auto own = typeOf(container);
    if (!own.empty() && !good(own)) bad.push_back(name);
    if (own.empty() && !good(ofPod)) silent.push_back(name);
  });
  if (bad.empty() && silent.empty()) return;
  const std::string not_ = " must not set securityContext.seccompProfile.type to \"Unconfined\"";
  if (!ofPod.empty() && !good(ofPod)) details.push_back("pod" + not_);
  if (!bad.empty()) details.push_back(containersText(bad) + not_);
  if (ofPod.empty() && !silent.empty())
    details.push_back("pod or " + containersText(silent) +
                      " must set securityContext.seccompProfile.type to \"RuntimeDefault\" or \"Localhost\"");
  out.push_back({"seccompProfile", joined(details, ", ")});
}

}  // namespace

void checkRestricted(const Pod& pod, Findings& out) {
  checkEscalation(pod, out);
  checkCapabilities(pod, out);
  checkVolumes(pod, out);
  checkNonRoot(pod, out);
  checkUser(pod, out);
  checkSeccomp(pod, out);
}

}  // namespace steer::pod_security
