// Volumes of pods.
#include <set>

#include "core/quantity.h"
#include "schemas/rules/pod_rules.h"
#include "schemas/rules/volume_sources.h"

namespace steer {
namespace {

constexpr std::int64_t kMostMode = 0777;

void checkMode(const FieldPath& at, const json::object& source, const char* field, RuleReport& report) {
  const auto* mode = given(source, field);
  const auto n = mode == nullptr ? std::nullopt : asInt(*mode);
  if (n && (*n < 0 || *n > kMostMode))
    report.invalid(at.field(field), *mode, "must be a number between 0 and 0777 (octal), both inclusive");
}

void checkItems(const FieldPath& at, const json::object& source, RuleReport& report) {
  eachObject(at, source, "items", [&](const FieldPath& here, const json::object& item) {
    checkPresent(here, item, "key", report);
    if (checkPresent(here, item, "path", report)) checkLocalPath(here.field("path"), text(item, "path"), report);
    checkMode(here, item, "mode", report);
  });
}

/// One file of a downward volume; findings name the volume, not the item.
void checkDownwardFile(const FieldPath& at, const json::object& file, RuleReport& report) {
  if (checkPresent(at, file, "path", report)) checkLocalPath(at.field("path"), text(file, "path"), report);
  const auto* ref = part(file, "fieldRef");
  const auto* resource = part(file, "resourceFieldRef");
  const auto fieldRef = at.field("fieldRef");
  const auto resourceRef = at.field("resourceFieldRef");
  if (ref != nullptr) {
    checkFieldRef(fieldRef, *ref, FieldUse::volume, report);
    if (resource != nullptr)
      report.invalid(at, "resource", "fieldRef and resourceFieldRef can not be specified simultaneously");
  } else if (resource != nullptr) {
    checkResourceFieldRef(resourceRef, *resource, FieldUse::volume, report);
  } else {
    report.required(at, "one of fieldRef and resourceFieldRef is required");
  }
  checkMode(at, file, "mode", report);
}

void checkTokenProjection(const FieldPath& at, const FieldPath& volume, const json::object& token, RuleReport& report) {
  constexpr std::int64_t kLeast = 600;
  constexpr std::int64_t kMost = std::int64_t{1} << 32;
  const auto seconds = number(token, "expirationSeconds", 3600);
  if (seconds < kLeast)
    report.invalid(at.field("expirationSeconds"), seconds, "may not specify a duration less than 10 minutes");
  if (seconds > kMost)
    report.invalid(at.field("expirationSeconds"), seconds, "may not specify a duration larger than 2^32 seconds");
  if (checkPresent(volume, token, "path", report)) checkLocalPath(volume.field("path"), text(token, "path"), report);
}

void checkSource(const FieldPath& here, const FieldPath& volume, const json::object& source, RuleReport& report) {
  std::size_t count = 0;
  for (const auto* kind : {"secret", "configMap", "downwardAPI", "serviceAccountToken"}) {
    const auto* said = part(source, kind);
    if (said == nullptr) continue;
    const auto inside = here.field(kind);
    if (++count > 1) {
      report.forbidden(inside, "may not specify more than 1 volume type per source");
      continue;
    }
    const std::string_view name = kind;
    if (name == "secret" || name == "configMap") {
      checkPresent(inside, *said, "name", report);
      checkItems(inside, *said, report);
    } else if (name == "downwardAPI") {
      eachObject(inside, *said, "items",
                 [&](const FieldPath&, const json::object& file) { checkDownwardFile(inside, file, report); });
    } else {
      checkTokenProjection(inside, volume, *said, report);
    }
  }
}

/// Files of one volume must not stand at one path.
void checkProjected(const FieldPath& at, const json::object& projected, RuleReport& report) {
  std::set<std::string, std::less<>> paths;
  const auto claim = [&](const FieldPath& here, std::string_view path) {
    if (!path.empty() && !paths.emplace(path).second) report.invalid(here, quoted(path), "conflicting duplicate paths");
  };
  eachObject(at, projected, "sources", [&](const FieldPath& here, const json::object& source) {
    checkSource(here, at, source, report);
    for (const auto* kind : {"secret", "configMap", "downwardAPI"})
      for (const auto& item : arrayAt(source, {kind, "items"})) claim(here, stringAt(item, {"path"}));
    claim(here, stringAt(source, {"serviceAccountToken", "path"}));
  });
  checkMode(at, projected, "defaultMode", report);
}

using Check = void (*)(const FieldPath& at, const json::object& source, RuleReport& report);

struct Source {
  const char* field;
  Check check;
};

constexpr Source kSources[] = {
    {"emptyDir",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       const auto* limit = given(s, "sizeLimit");
       const auto amount = limit == nullptr ? Result<Quantity>(Quantity()) : Quantity::fromJson(*limit);
       if (amount.ok() && amount.value() < Quantity())
         report.forbidden(at.field("sizeLimit"), "SizeLimit field must be a valid resource quantity");
     }},
    {"gitRepo",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       checkPresent(at, s, "repository", report);
       checkDescendingPath(at.field("directory"), text(s, "directory"), report);
     }},
    {"secret",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       checkPresent(at, s, "secretName", report);
       checkMode(at, s, "defaultMode", report);
       checkItems(at, s, report);
     }},
    {"configMap",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       checkPresent(at, s, "name", report);
       checkMode(at, s, "defaultMode", report);
       checkItems(at, s, report);
     }},
    {"persistentVolumeClaim",
     [](const FieldPath& at, const json::object& s, RuleReport& report) { checkPresent(at, s, "claimName", report); }},
    {"downwardAPI",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       checkMode(at, s, "defaultMode", report);
       eachObject(at, s, "items",
                  [&](const FieldPath&, const json::object& file) { checkDownwardFile(at, file, report); });
     }},
    {"projected", checkProjected},
    {"image",
     [](const FieldPath& at, const json::object& s, RuleReport& report) {
       checkPresent(at, s, "reference", report);
       checkEnum(at.field("pullPolicy"), text(s, "pullPolicy"), {"Always", "IfNotPresent", "Never"}, report);
     }},
};

/// The claim of an ephemeral volume is named after the pod and the volume.
void checkEphemeral(const FieldPath& at, const json::object& source, std::string_view podName, std::string_view volume,
                    RuleReport& report) {
  const auto here = at.field("volumeClaimTemplate");
  if (const auto* claim = part(source, "volumeClaimTemplate")) checkClaimTemplate(here, *claim, report);
  else report.required(here);
  if (podName.empty()) return;
  const auto name = std::string(podName) + "-" + std::string(volume);
  if (const auto problem = checkDns1123Subdomain(name))
    report.invalid(at, quoted(name), "the name of its claim is wrong: " + *problem);
}

}  // namespace

void checkNoBacksteps(const FieldPath& at, std::string_view path, RuleReport& report) {
  const auto whole = path;
  while (true) {
    const auto end = path.find('/');
    if (path.substr(0, end) == "..") return report.invalid(at, quoted(whole), "must not contain '..'");
    if (end == std::string_view::npos) return;
    path.remove_prefix(end + 1);
  }
}

void checkDescendingPath(const FieldPath& at, std::string_view path, RuleReport& report) {
  if (path.starts_with('/')) report.invalid(at, quoted(path), "must be a relative path");
  checkNoBacksteps(at, path, report);
}

void checkLocalPath(const FieldPath& at, std::string_view path, RuleReport& report) {
  checkDescendingPath(at, path, report);
  if (path.starts_with("..") && !path.starts_with("../")) report.invalid(at, quoted(path), "must not start with '..'");
}

void checkPodVolumes(const FieldPath& at, const json::object& spec, std::string_view podName, PodScope& scope,
                     RuleReport& report) {
  eachObject(at, spec, "volumes", [&](const FieldPath& here, const json::object& volume) {
    const auto name = text(volume, "name");
    if (name.empty()) report.required(here.field("name"));
    else report.check(here.field("name"), name, checkDns1123Label);
    const bool block = part(volume, "persistentVolumeClaim") != nullptr || part(volume, "ephemeral") != nullptr;
    if (!name.empty() && !scope.volumes.emplace(name, block).second) report.duplicate(here.field("name"), quoted(name));
    std::size_t count = 0;
    for (const auto& source : kSources) {
      const auto* said = part(volume, source.field);
      if (said == nullptr) continue;
      const auto inside = here.field(source.field);
      if (++count > 1) report.forbidden(inside, "may not specify more than 1 volume type");
      else source.check(inside, *said, report);
    }
    if (const auto* ephemeral = part(volume, "ephemeral")) {
      const auto inside = here.field("ephemeral");
      if (++count > 1) report.forbidden(inside, "may not specify more than 1 volume type");
      else checkEphemeral(inside, *ephemeral, podName, name, report);
    }
    if (checkVolumeSources(here, volume, VolumeHolder::pod, count, report) == 0)
      report.required(here, "must specify a volume type");
  });
}

}  // namespace steer
