// Environment variables of containers, and the fields and resources of the pod that a container can read.
#include <array>

#include "core/quantity.h"
#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

struct Subscript {
  std::string_view path;
  std::string_view key;
  bool found = false;
};

/// "metadata.labels['a']" → metadata.labels, a.
Subscript subscriptOf(std::string_view path) {
  if (!path.ends_with("']")) return {path, {}, false};
  const auto inner = path.substr(0, path.size() - 2);
  const auto at = inner.find("['");
  if (at == std::string_view::npos || at == 0) return {path, {}, false};
  return {inner.substr(0, at), inner.substr(at + 2), true};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (auto& c : out)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  return out;
}

constexpr std::array<std::string_view, 15> kPaths{"metadata.annotations",
                                                  "metadata.labels",
                                                  "metadata.name",
                                                  "metadata.namespace",
                                                  "metadata.uid",
                                                  "spec.nodeName",
                                                  "spec.host",
                                                  "spec.restartPolicy",
                                                  "spec.serviceAccountName",
                                                  "spec.schedulerName",
                                                  "status.phase",
                                                  "status.hostIP",
                                                  "status.hostIPs",
                                                  "status.podIP",
                                                  "status.podIPs"};

/// A key of a ConfigMap or Secret. Here an empty name is a wrong one.
void checkKeyRef(const FieldPath& at, const json::object* ref, RuleReport& report) {
  if (ref == nullptr) return;
  report.check(at.field("name"), text(*ref, "name"), checkDns1123Subdomain);
  if (checkPresent(at, *ref, "key", report)) report.check(at.field("key"), text(*ref, "key"), checkConfigKey);
}

void checkValueFrom(const FieldPath& at, const json::object& variable, RuleReport& report) {
  const auto* from = part(variable, "valueFrom");
  if (from == nullptr) return;
  std::size_t sources = 0;
  for (const auto* name : {"fieldRef", "resourceFieldRef", "configMapKeyRef", "secretKeyRef"})
    sources += part(*from, name) != nullptr ? 1U : 0U;
  if (const auto* ref = part(*from, "fieldRef"))
    checkFieldRef(at.field("fieldRef"), *ref, FieldUse::environment, report);
  if (const auto* ref = part(*from, "resourceFieldRef"))
    checkResourceFieldRef(at.field("resourceFieldRef"), *ref, FieldUse::environment, report);
  checkKeyRef(at.field("configMapKeyRef"), part(*from, "configMapKeyRef"), report);
  checkKeyRef(at.field("secretKeyRef"), part(*from, "secretKeyRef"), report);
  if (sources == 0)
    report.invalid(at, "", "must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef` or `secretKeyRef`");
  else if (!text(variable, "value").empty()) report.invalid(at, "", "may not be specified when `value` is not empty");
  else if (sources > 1) report.invalid(at, "", "may not have more than one field specified at a time");
}

void checkSourceRef(const FieldPath& at, const json::object* ref, RuleReport& report) {
  if (ref != nullptr && checkPresent(at, *ref, "name", report))
    report.check(at.field("name"), text(*ref, "name"), checkDns1123Subdomain);
}

void checkDivisor(const FieldPath& at, std::string_view resource, const json::object& ref, RuleReport& report) {
  const auto* said = given(ref, "divisor");
  const auto amount = said == nullptr ? Result<Quantity>(Quantity()) : Quantity::fromJson(*said);
  if (!amount.ok() || amount.value().isZero()) return;
  const auto words = amount.value().text();
  const bool cpu = resource.ends_with(".cpu");
  const bool known =
      cpu ? isOneOf(words, {"1m", "1"})
          : isOneOf(words, {"1", "1k", "1M", "1G", "1T", "1P", "1E", "1Ki", "1Mi", "1Gi", "1Ti", "1Pi", "1Ei"});
  if (!known)
    report.invalid(at.field("divisor"), quoted(words),
                   cpu ? "only the divisors 1m and 1 are supported with the cpu resource"
                       : "only the divisors 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi and 1Ei are supported "
                         "with this resource");
}

}  // namespace

void checkFieldRef(const FieldPath& at, const json::object& ref, FieldUse use, RuleReport& report) {
  const auto version = text(ref, "apiVersion");
  if (version.empty()) return report.required(at.field("apiVersion"));
  if (!checkPresent(at, ref, "fieldPath", report)) return;
  const auto path = text(ref, "fieldPath");
  const auto here = at.field("fieldPath");
  const auto parts = subscriptOf(path);
  const bool map = isOneOf(parts.path, {"metadata.annotations", "metadata.labels"});
  if (version != "v1" || (parts.found ? !map : std::find(kPaths.begin(), kPaths.end(), path) == kPaths.end()))
    return report.invalid(here, quoted(path),
                          "error converting fieldPath: field label not supported: " + std::string(path));
  if (parts.found) {
    const auto key = parts.path == "metadata.annotations" ? lower(parts.key) : std::string(parts.key);
    if (const auto problem = checkQualifiedName(key)) report.invalid(at, quoted(parts.key), *problem);
    return;
  }
  const std::vector<std::string> known =
      use == FieldUse::environment ? std::vector<std::string>{"metadata.name",
                                                              "metadata.namespace",
                                                              "metadata.uid",
                                                              "spec.nodeName",
                                                              "spec.serviceAccountName",
                                                              "status.hostIP",
                                                              "status.hostIPs",
                                                              "status.podIP",
                                                              "status.podIPs"}
                                   : std::vector<std::string>{"metadata.annotations", "metadata.labels",
                                                              "metadata.name", "metadata.namespace", "metadata.uid"};
  const std::string meant = path == "spec.host" ? "spec.nodeName" : std::string(path);
  if (std::find(known.begin(), known.end(), meant) == known.end()) report.unsupported(here, quoted(path), known);
}

void checkResourceFieldRef(const FieldPath& at, const json::object& ref, FieldUse use, RuleReport& report) {
  if (use == FieldUse::volume && text(ref, "containerName").empty()) return report.required(at.field("containerName"));
  if (!checkPresent(at, ref, "resource", report)) return;
  const auto resource = text(ref, "resource");
  const std::vector<std::string> known{"limits.cpu",   "limits.ephemeral-storage",   "limits.memory",
                                       "requests.cpu", "requests.ephemeral-storage", "requests.memory"};
  const bool huge = resource.starts_with("limits.hugepages-") || resource.starts_with("requests.hugepages-");
  if (!huge && std::find(known.begin(), known.end(), resource) == known.end())
    report.unsupported(at.field("resource"), quoted(resource), known);
  else checkDivisor(at, resource, ref, report);
}

void checkEnvironment(const FieldPath& at, const json::object& container, RuleReport& report) {
  eachObject(at, container, "env", [&](const FieldPath& here, const json::object& variable) {
    if (checkPresent(here, variable, "name", report))
      report.check(here.field("name"), text(variable, "name"), checkEnvName);
    checkValueFrom(here.field("valueFrom"), variable, report);
  });
  const auto list = at.field("envFrom");
  eachObject(at, container, "envFrom", [&](const FieldPath& here, const json::object& source) {
    if (const auto prefix = text(source, "prefix"); !prefix.empty())
      report.check(here.field("prefix"), prefix, checkEnvName);
    const auto* map = part(source, "configMapRef");
    const auto* secret = part(source, "secretRef");
    checkSourceRef(here.field("configMapRef"), map, report);
    checkSourceRef(here.field("secretRef"), secret, report);
    if (map == nullptr && secret == nullptr)
      report.invalid(list, "", "must specify one of: `configMapRef` or `secretRef`");
    else if (map != nullptr && secret != nullptr)
      report.invalid(list, "", "may not have more than one field specified at a time");
  });
}

}  // namespace steer
