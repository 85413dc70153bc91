#include "cluster/apiserver/pod_policies.h"

#include <map>
#include <optional>

#include "core/log.h"
#include "core/object.h"

namespace steer {
namespace {

struct PodText {
  const json::object& annotations;
  const json::object& spec;
};

/// Where the template of a kind that makes pods stands; nothing for others.
std::optional<PodText> templateIn(const json::object& object) {
  static const std::vector<std::vector<std::string_view>> kPlaces{
      {"spec", "template"}, {"spec", "jobTemplate", "spec", "template"}, {"template"}};
  for (const auto& path : kPlaces) {
    const json::value* at = nullptr;
    for (const auto step : path) {
      at = at == nullptr ? find(object, {step}) : find(*at, {step});
      if (at == nullptr) break;
    }
    if (at == nullptr || arrayAt(*at, {"spec", "containers"}).empty()) continue;
    return PodText{objectAt(*at, {"metadata", "annotations"}), objectAt(*at, {"spec"})};
  }
  return std::nullopt;
}

std::string breach(const PodSecurityStandard& standard, const PodText& pod) {
  return textOf(checkPodSecurity(standard, pod.annotations, pod.spec));
}

void noteFor(const PodSecurityPolicy& policy, const PodText& pod, const std::string& what,
             std::vector<std::string>& warnings) {
  if (const auto why = breach(policy.audit, pod); !why.empty())
    log::info("pod security", {{"object", what}, {"would violate", policy.audit.text()}, {"how", why}});
  if (const auto why = breach(policy.warn, pod); !why.empty())
    warnings.push_back("would violate PodSecurity \"" + policy.warn.text() + "\": " + why);
}

bool sameSpec(const json::object* before, const json::object& after) {
  return before != nullptr && objectAt(*before, {"spec"}) == objectAt(after, {"spec"}) &&
         objectAt(*before, {"template"}) == objectAt(after, {"template"});
}

/// A namespace that enforces more than before tells of the pods that would not be let in any more.
void warnOfExisting(const Snapshot& view, const json::object* before, const json::object& after,
                    PodSecurityLevel otherwise, std::vector<std::string>& warnings) {
  if (before == nullptr) return;
  const auto now = podSecurityOf(objectAt(after, {"metadata", "labels"}), otherwise).enforce;
  if (now == podSecurityOf(objectAt(*before, {"metadata", "labels"}), otherwise).enforce) return;
  const std::string name(stringAt(after, {"metadata", "name"}));
  std::map<std::string, std::pair<std::string, int>> byBreach;
  view.each("pods", name, [&](const ObjectPtr& pod) {
    const auto why = breach(now, {pod->annotations(), pod->spec()});
    if (why.empty()) return;
    auto& [first, others] = byBreach[why];
    if (first.empty()) first = pod->name();
    else ++others;
  });
  if (byBreach.empty()) return;
  warnings.push_back("existing pods in namespace \"" + name + "\" violate the new PodSecurity enforce level \"" +
                     now.text() + "\"");
  for (const auto& [why, who] : byBreach)
    warnings.push_back(who.first + (who.second == 0 ? "" : " (and " + std::to_string(who.second) + " other pods)") +
                       ": " + why);
}

}  // namespace

Result<void> admitPodSecurity(const Snapshot& view, const KindSchema& kind, const json::object* before,
                              const json::object& after, PodSecurityLevel otherwise,
                              std::vector<std::string>& warnings) {
  const auto resource = kind.resource();
  if (resource == "namespaces") {
    warnOfExisting(view, before, after, otherwise, warnings);
    return {};
  }
  const bool pod = resource == "pods";
  const auto text =
      pod ? std::optional(PodText{objectAt(after, {"metadata", "annotations"}), objectAt(after, {"spec"})})
          : templateIn(after);
  if (!text || sameSpec(before, after)) return {};
  const std::string ns(stringAt(after, {"metadata", "namespace"})), name(stringAt(after, {"metadata", "name"}));
  const auto home = view.get("namespaces", "", ns);
  static const json::object none;
  const auto policy = podSecurityOf(home ? home->labels() : none, otherwise);
  if (pod)
    if (const auto why = breach(policy.enforce, *text); !why.empty())
      return makeError(Errc::forbidden, "pods \"" + name + "\" is forbidden: violates PodSecurity \"" +
                                            policy.enforce.text() + "\": " + why);
  noteFor(policy, *text, resource + " " + ns + "/" + name, warnings);
  return {};
}

}  // namespace steer
