#include "schemas/pod_admission.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include "schemas/default_rules.h"

namespace steer {
namespace {

constexpr int kTolerationSeconds = 300;

/// The amount as it stands; nullptr when nothing or zero is asked for.
const json::value* amountOf(const json::value& container, std::string_view list, std::string_view resource) {
  const auto* amount = find(container, {"resources", list, resource});
  if (amount == nullptr || amount->is_null()) return nullptr;
  if (amount->is_number()) return asInt(*amount) == 0 ? nullptr : amount;
  const auto* text = amount->if_string();
  if (text == nullptr) return nullptr;
  const bool zero = std::none_of(text->begin(), text->end(), [](char c) { return c >= '1' && c <= '9'; });
  return zero ? nullptr : amount;
}

void tolerate(json::array& tolerations, std::string_view taint) {
  for (const auto& toleration : tolerations) {
    const auto key = stringAt(toleration, {"key"});
    const auto effect = stringAt(toleration, {"effect"});
    if ((key == taint || key.empty()) && (effect == "NoExecute" || effect.empty())) return;
  }
  tolerations.push_back(json::object{{"key", jkey(taint)},
                                     {"operator", "Exists"},
                                     {"effect", "NoExecute"},
                                     {"tolerationSeconds", kTolerationSeconds}});
}

bool mountsThere(const json::value& container) {
  const auto& mounts = arrayAt(container, {"volumeMounts"});
  return std::any_of(mounts.begin(), mounts.end(),
                     [](const json::value& m) { return stringAt(m, {"mountPath"}) == kApiAccessPath; });
}

constexpr int kTokenSeconds = 3607;  ///< Kubernetes' own: an hour and a bit, to be told from what people ask for

}  // namespace

bool lacksApiAccess(const json::object& pod) {
  for (const auto* list : {"containers", "initContainers"})
    for (const auto& container : arrayAt(pod, {"spec", list}))
      if (!mountsThere(container)) return true;
  return false;
}

std::string apiAccessName(const json::object& pod) {
  static constexpr std::string_view kAlphabet = "bcdfghjklmnpqrstvwxz2456789";
  std::string seed(stringAt(pod, {"metadata", "namespace"}));
  seed += "/" + std::string(stringAt(pod, {"metadata", "name"}));
  const auto& volumes = arrayAt(pod, {"spec", "volumes"});
  for (;; seed += "+") {
    std::uint64_t hash = 14695981039346656037ULL;  // FNV-1a
    for (const char c : seed) hash = (hash ^ static_cast<unsigned char>(c)) * 1099511628211ULL;
    std::string name = std::string(kApiAccessVolume) + "-";
    for (int i = 0; i < 5; ++i, hash /= kAlphabet.size()) name += kAlphabet[hash % kAlphabet.size()];
    if (std::none_of(volumes.begin(), volumes.end(), [&](const auto& v) { return stringAt(v, {"name"}) == name; }))
      return name;
  }
}

json::object apiAccessVolume(std::string name) {
  json::array sources{
      json::object{{"serviceAccountToken", json::object{{"expirationSeconds", kTokenSeconds}, {"path", "token"}}}},
      json::object{
          {"configMap", json::object{{"name", "kube-root-ca.crt"},
                                     {"items", json::array{json::object{{"key", "ca.crt"}, {"path", "ca.crt"}}}}}}},
      json::object{{"downwardAPI",
                    json::object{{"items", json::array{json::object{
                                               {"path", "namespace"},
                                               {"fieldRef", json::object{{"apiVersion", "v1"},
                                                                         {"fieldPath", "metadata.namespace"}}}}}}}}}};
  return {{"name", std::move(name)},
          {"projected", json::object{{"defaultMode", 0644}, {"sources", std::move(sources)}}}};
}

void addApiAccess(json::object& pod, json::object volume) {
  auto& spec = ensureObject(pod, "spec");
  const std::string name(stringAt(volume, {"name"}));
  ensureArray(spec, "volumes").push_back(std::move(volume));
  for (const auto* list : {"containers", "initContainers"}) {
    auto* containers = spec.if_contains(list);
    if (containers == nullptr || !containers->is_array()) continue;
    for (auto& container : containers->get_array()) {
      if (!container.is_object() || mountsThere(container)) continue;
      ensureArray(container.get_object(), "volumeMounts")
          .push_back(json::object{{"name", name}, {"readOnly", true}, {"mountPath", kApiAccessPath}});
    }
  }
}

std::string_view qosClassOf(const json::object& pod) {
  bool any = false;
  bool guaranteed = true;
  for (const auto* list : {"containers", "initContainers"})
    for (const auto& container : arrayAt(pod, {"spec", list}))
      for (const auto* resource : {"cpu", "memory"}) {
        const auto* request = amountOf(container, "requests", resource);
        const auto* limit = amountOf(container, "limits", resource);
        any = any || request != nullptr || limit != nullptr;
        guaranteed = guaranteed && request != nullptr && limit != nullptr && *request == *limit;
      }
  if (!any) return "BestEffort";
  return guaranteed ? "Guaranteed" : "Burstable";
}

void addDefaultTolerations(json::object& spec) {
  auto& tolerations = ensureArray(spec, "tolerations");
  tolerate(tolerations, "node.kubernetes.io/not-ready");
  tolerate(tolerations, "node.kubernetes.io/unreachable");
}

void applyPodAdmissionDefaults(json::object& pod) {
  auto& spec = ensureObject(pod, "spec");
  setIfZero(spec, "serviceAccountName", "default");
  spec["serviceAccount"] = spec["serviceAccountName"];
  setIfAbsent(spec, "priority", 0);
  setIfAbsent(spec, "preemptionPolicy", "PreemptLowerPriority");
  addDefaultTolerations(spec);
  const std::string qos(qosClassOf(pod));
  auto& status = ensureObject(pod, "status");
  setIfZero(status, "phase", "Pending");
  setIfZero(status, "qosClass", json::value(qos));
}

}  // namespace steer
