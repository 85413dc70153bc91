#include "cluster/apiserver/admission/pod_security.h"

#include <algorithm>
#include <charconv>
#include <optional>

#include "cluster/apiserver/admission/pod_security_checks.h"

namespace steer {
namespace {

constexpr std::string_view kPrefix = "pod-security.kubernetes.io/";

std::optional<PodSecurityLevel> levelOf(std::string_view word) {
  for (const auto level : {PodSecurityLevel::privileged, PodSecurityLevel::baseline, PodSecurityLevel::restricted})
    if (word == levelName(level)) return level;
  return std::nullopt;
}

std::optional<int> minorOf(std::string_view version) {
  if (version == "latest") return PodSecurityStandard::kLatest;
  constexpr std::string_view kMajor = "v1.";
  if (!version.starts_with(kMajor)) return std::nullopt;
  version.remove_prefix(kMajor.size());
  int minor = 0;
  const auto [end, ec] = std::from_chars(version.data(), version.data() + version.size(), minor);
  const bool good = ec == std::errc{} && end == version.data() + version.size() &&
                    (version.size() == 1 || version.front() != '0') && version.front() != '-';
  return good ? std::optional(minor) : std::nullopt;
}

/// A label of this family; null when there is none.
const json::string* labelOf(const json::object& labels, const std::string& name) {
  const auto* value = labels.if_contains(std::string(kPrefix) + name);
  return value == nullptr ? nullptr : value->if_string();
}

void readStandard(const json::object& labels, const std::string& mode, PodSecurityLevel unreadable,
                  PodSecurityStandard& out, PodSecurityPolicy& policy) {
  if (const auto* level = labelOf(labels, mode)) {
    const auto known = levelOf(view(*level));
    out.level = known.value_or(unreadable);
    if (!known)
      policy.problems.emplace_back(
          std::string(kPrefix) + mode,
          "\"" + std::string(view(*level)) + "\": must be one of privileged, baseline, restricted");
  }
  if (const auto* version = labelOf(labels, mode + "-version")) {
    const auto known = minorOf(view(*version));
    out.minor = known.value_or(PodSecurityStandard::kLatest);
    if (!known)
      policy.problems.emplace_back(std::string(kPrefix) + mode + "-version",
                                   "\"" + std::string(view(*version)) + "\": must be \"latest\" or \"v1.x\"");
  }
}

}  // namespace

std::string_view levelName(PodSecurityLevel level) {
  switch (level) {
    case PodSecurityLevel::privileged:
      return "privileged";
    case PodSecurityLevel::baseline:
      return "baseline";
    case PodSecurityLevel::restricted:
      return "restricted";
  }
  return "";
}

std::string PodSecurityStandard::text() const {
  return std::string(levelName(level)) + ":" + (minor == kLatest ? "latest" : "v1." + std::to_string(minor));
}

PodSecurityPolicy podSecurityOf(const json::object& labels, PodSecurityLevel otherwise) {
  PodSecurityPolicy out;
  out.enforce.level = otherwise;
  readStandard(labels, "enforce", PodSecurityLevel::restricted, out.enforce, out);
  readStandard(labels, "audit", PodSecurityLevel::privileged, out.audit, out);
  readStandard(labels, "warn", PodSecurityLevel::privileged, out.warn, out);
  return out;
}

std::vector<PodSecurityFinding> checkPodSecurity(const PodSecurityStandard& standard, const json::object& annotations,
                                                 const json::object& spec) {
  std::vector<PodSecurityFinding> out;
  if (standard.level == PodSecurityLevel::privileged) return out;
  const bool restricted = standard.level == PodSecurityLevel::restricted;
  const pod_security::Pod pod{annotations, spec, standard.minor};
  pod_security::checkHost(pod, !restricted, out);
  pod_security::checkKernel(pod, !restricted, out);
  if (restricted) pod_security::checkRestricted(pod, out);
  return out;
}

std::string textOf(const std::vector<PodSecurityFinding>& findings) {
  std::string out;
  for (const auto& finding : findings)
    out += (out.empty() ? "" : ", ") + finding.reason + (finding.detail.empty() ? "" : " (" + finding.detail + ")");
  return out;
}

namespace pod_security {

void eachContainer(const Pod& pod,
                   const std::function<void(const json::object& container, const std::string& name)>& visit) {
  for (const char* list : {"initContainers", "containers", "ephemeralContainers"})
    for (const auto& item : arrayAt(pod.spec, {list}))
      if (const auto* container = item.if_object()) visit(*container, std::string(stringAt(item, {"name"})));
}

std::string joined(const std::vector<std::string>& parts, const char* between) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : between) + part;
  return out;
}

std::string quotedList(const std::vector<std::string>& words) {
  std::string out;
  for (const auto& word : words) out += (out.empty() ? "\"" : ", \"") + word + "\"";
  return out;
}

std::string containersText(const std::vector<std::string>& names) {
  return (names.size() == 1 ? "container " : "containers ") + quotedList(names);
}

}  // namespace pod_security
}  // namespace steer
