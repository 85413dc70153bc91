// Security contexts of containers and pods, and what an operating system excludes.
#include <set>

#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

constexpr std::int64_t kLastId = 2147483647;

void checkId(const FieldPath& at, const json::value* id, RuleReport& report) {
  const auto n = id == nullptr ? std::nullopt : asInt(*id);
  if (n && (*n < 0 || *n > kLastId)) report.invalid(at, *id, "must be between 0 and 2147483647, inclusive");
}

const std::vector<std::string> kProfiles{"Localhost", "RuntimeDefault", "Unconfined"};

void checkSeccomp(const FieldPath& at, const json::object* profile, RuleReport& report) {
  if (profile == nullptr) return;
  const auto type = text(*profile, "type");
  checkEnum(at.field("type"), type, kProfiles, report, Empty::required);
  const auto here = at.field("localhostProfile");
  const bool said = given(*profile, "localhostProfile") != nullptr;
  if (type == "Localhost") {
    if (!said) report.required(here, "must be set when seccomp type is Localhost");
    else checkDescendingPath(here, text(*profile, "localhostProfile"), report);
  } else if (said) {
    report.invalid(here, *given(*profile, "localhostProfile"), "can only be set when seccomp type is Localhost");
  }
}

void checkAppArmor(const FieldPath& at, const json::object* profile, RuleReport& report) {
  if (profile == nullptr) return;
  constexpr std::size_t kLongest = 4095;
  const auto type = text(*profile, "type");
  const auto here = at.field("localhostProfile");
  checkEnum(at.field("type"), type, kProfiles, report, Empty::required);
  const auto* said = given(*profile, "localhostProfile");
  if (type == "Localhost") {
    const auto name = text(*profile, "localhostProfile");
    const auto first = name.find_first_not_of(" \t\n\r");
    if (said == nullptr || first == std::string_view::npos)
      return report.required(here, "must be set when AppArmor type is Localhost");
    if (first != 0 || name.find_last_not_of(" \t\n\r") + 1 != name.size())
      report.invalid(here, *said, "must not be padded with whitespace");
    if (name.size() > kLongest) report.tooLong(here, "may not be more than 4095 bytes");
  } else if (said != nullptr && isOneOf(type, {"RuntimeDefault", "Unconfined"})) {
    report.invalid(here, *said, "can only be set when AppArmor type is Localhost");
  }
}

bool hasControl(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

/// "DOMAIN\user" or "user".
void checkWindowsUser(const FieldPath& at, std::string_view name, RuleReport& report) {
  constexpr std::size_t kLongestUser = 104;
  if (name.empty()) return report.invalid(at, "", "runAsUserName cannot be an empty string");
  if (hasControl(name)) report.invalid(at, quoted(name), "runAsUserName cannot contain control characters");
  const auto slash = name.find('\\');
  auto user = name;
  if (slash != std::string_view::npos) {
    const auto domain = name.substr(0, slash);
    user = name.substr(slash + 1);
    const bool netbios = !domain.empty() && domain.size() <= 15 && domain.front() != '.' &&
                         domain.find_first_of("\\/:*?\"<>|") == std::string_view::npos;
    std::string lowered(domain);
    for (auto& c : lowered)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    if (user.find('\\') != std::string_view::npos)
      report.invalid(at, quoted(name), "runAsUserName cannot contain more than one backslash");
    if (!netbios && checkDns1123Subdomain(lowered))
      report.invalid(at, quoted(name), "runAsUserName's Domain doesn't match the NetBios nor the DNS format");
  }
  if (user.empty()) report.invalid(at, quoted(name), "runAsUserName's User cannot be empty");
  if (user.size() > kLongestUser)
    report.invalid(at, quoted(name), "runAsUserName's User length must not be longer than 104 characters");
  if (!user.empty() && user.find_first_not_of(". ") == std::string_view::npos)
    report.invalid(at, quoted(name), "runAsUserName's User cannot contain only periods or spaces");
  if (user.find_first_of("\"/\\:;|=,+*?<>@[]") != std::string_view::npos)
    report.invalid(at, quoted(name),
                   "runAsUserName's User cannot contain the following characters: \"/\\:;|=,+*?<>@[]");
}

void checkWindowsOptions(const FieldPath& at, const json::object* options, RuleReport& report) {
  constexpr std::size_t kLargestSpec = 64 * 1024;
  if (options == nullptr) return;
  if (given(*options, "gmsaCredentialSpecName") != nullptr)
    report.check(at.field("gmsaCredentialSpecName"), text(*options, "gmsaCredentialSpecName"), checkDns1123Subdomain);
  if (given(*options, "gmsaCredentialSpec") != nullptr) {
    const auto spec = text(*options, "gmsaCredentialSpec");
    const auto here = at.field("gmsaCredentialSpec");
    if (spec.empty()) report.invalid(here, "", "gmsaCredentialSpec cannot be an empty string");
    else if (spec.size() > kLargestSpec) report.invalid(here, nullptr, "gmsaCredentialSpec size must be under 64 KiB");
  }
  if (given(*options, "runAsUserName") != nullptr)
    checkWindowsUser(at.field("runAsUserName"), text(*options, "runAsUserName"), report);
}

void checkEscalation(const FieldPath& at, const json::object& context, RuleReport& report) {
  const auto* allowed = given(context, "allowPrivilegeEscalation");
  if (allowed == nullptr || !allowed->is_bool() || allowed->get_bool()) return;
  if (flag(context, "privileged"))
    report.invalid(at, nullptr, "cannot set `allowPrivilegeEscalation` to false and `privileged` to true");
  for (const auto& capability : arrayAt(context, {"capabilities", "add"}))
    if (capability.is_string() && isOneOf(view(capability.get_string()), {"CAP_SYS_ADMIN"}))
      report.invalid(at, nullptr,
                     "cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN");
}

bool isSysctlName(std::string_view name) {
  if (name.empty() || name.size() > 253) return false;
  const auto word = [](std::string_view part) {
    const auto good = [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); };
    return !part.empty() && good(part.front()) && good(part.back()) &&
           std::all_of(part.begin(), part.end(), [&](char c) { return good(c) || c == '-' || c == '_'; });
  };
  while (true) {
    const auto end = name.find_first_of("./");
    if (!word(name.substr(0, end))) return false;
    if (end == std::string_view::npos) return true;
    name.remove_prefix(end + 1);
  }
}

void checkSysctls(const FieldPath& at, const json::object& context, const json::object& spec, RuleReport& report) {
  std::set<std::string, std::less<>> names;
  eachObject(at, context, "sysctls", [&](const FieldPath& here, const json::object& sysctl) {
    const auto name = text(sysctl, "name");
    const auto place = here.field("name");
    if (name.empty()) return report.required(place);
    if (!isSysctlName(name))
      return report.invalid(place, quoted(name),
                            "must have at most 253 characters and be words of lower case letters, "
                            "digits, '-' and '_' with '.' or '/' between them");
    if (!names.emplace(name).second) return report.duplicate(place, quoted(name));
    std::string dotted(name);
    std::replace(dotted.begin(), dotted.end(), '/', '.');
    const bool ipc = dotted.starts_with("kernel.shm") || dotted.starts_with("kernel.msg") || dotted == "kernel.sem" ||
                     dotted.starts_with("fs.mqueue.");
    if (dotted.starts_with("net.") && flag(spec, "hostNetwork"))
      report.invalid(place, quoted(name), "may not be specified when 'hostNetwork' is true");
    if (ipc && flag(spec, "hostIPC"))
      report.invalid(place, quoted(name), "may not be specified when 'hostIPC' is true");
  });
}

/// Every container with its place.
template <class Visit>
void eachContainer(const FieldPath& at, const json::object& spec, Visit visit) {
  for (const auto* list : {"initContainers", "containers", "ephemeralContainers"}) eachObject(at, spec, list, visit);
}

/// Pods of host process containers have them everywhere, and the host's network.
void checkHostProcess(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* pod = find(spec, {"securityContext", "windowsOptions", "hostProcess"});
  const bool podSays = pod != nullptr && pod->is_bool();
  const bool podWants = podSays && pod->get_bool();
  std::size_t with = 0;
  std::size_t without = 0;
  eachContainer(at, spec, [&](const FieldPath& here, const json::object& container) {
    const auto* own = find(container, {"securityContext", "windowsOptions", "hostProcess"});
    const bool says = own != nullptr && own->is_bool();
    if (says && podSays && own->get_bool() != podWants)
      report.invalid(here.path("securityContext.windowsOptions.hostProcess"), *own,
                     "pod hostProcess value must be identical if both are specified");
    const bool wants = says ? own->get_bool() : podWants;
    (wants ? with : without) += 1;
  });
  if (with > 0 && without > 0)
    report.invalid(at, nullptr,
                   "If pod contains any hostProcess containers then all containers must be HostProcess "
                   "containers");
  if (with == 0) return;
  if (!flag(spec, "hostNetwork"))
    report.invalid(at.field("hostNetwork"), false,
                   "hostNetwork must be true if pod contains any hostProcess containers");
}

void forbidFields(const FieldPath& at, const json::object* holder, std::initializer_list<const char*> fields,
                  const char* why, RuleReport& report) {
  if (holder == nullptr) return;
  for (const auto* field : fields) {
    const auto* value = given(*holder, field);
    if (value != nullptr && *value != json::value(false)) report.forbidden(at.field(field), why);
  }
}

}  // namespace

void checkSecurityContext(const FieldPath& at, const json::object* context, const PodScope& scope, RuleReport& report) {
  if (context == nullptr) return;
  checkId(at.field("runAsUser"), given(*context, "runAsUser"), report);
  checkId(at.field("runAsGroup"), given(*context, "runAsGroup"), report);
  if (given(*context, "procMount") != nullptr) {
    const auto mount = text(*context, "procMount");
    checkEnum(at.field("procMount"), mount, {"Default", "Unmasked"}, report, Empty::unsupported);
    if (scope.hostUsers && mount == "Unmasked")
      report.invalid(at.field("procMount"), quoted(mount), "`hostUsers` must be false to use `Unmasked`");
  }
  checkSeccomp(at.field("seccompProfile"), part(*context, "seccompProfile"), report);
  checkAppArmor(at.field("appArmorProfile"), part(*context, "appArmorProfile"), report);
  checkWindowsOptions(at.field("windowsOptions"), part(*context, "windowsOptions"), report);
  checkEscalation(at, *context, report);
}

void checkPodSecurity(const FieldPath& at, const json::object& spec, RuleReport& report) {
  checkHostProcess(at, spec, report);
  if (flag(spec, "hostPID") && flag(spec, "shareProcessNamespace"))
    report.invalid(at.path("securityContext.shareProcessNamespace"), true,
                   "ShareProcessNamespace and HostPID cannot both be enabled");
  const auto* users = given(spec, "hostUsers");
  if (users != nullptr && users->is_bool() && !users->get_bool())
    for (const auto* field : {"hostNetwork", "hostPID", "hostIPC"})
      if (flag(spec, field)) report.forbidden(at.field(field), "when `hostUsers` is false");
  const auto* context = part(spec, "securityContext");
  if (context == nullptr) return;
  const auto here = at.field("securityContext");
  for (const auto* field : {"fsGroup", "runAsUser", "runAsGroup"})
    checkId(here.field(field), given(*context, field), report);
  const auto groups = here.field("supplementalGroups");
  std::size_t i = 0;
  for (const auto& group : items(*context, "supplementalGroups")) checkId(groups.item(i++), &group, report);
  checkSysctls(here, *context, spec, report);
  const auto choice = [&](const char* field, const std::vector<std::string>& known) {
    if (given(*context, field) != nullptr)
      checkEnum(here.field(field), text(*context, field), known, report, Empty::unsupported);
  };
  choice("fsGroupChangePolicy", {"Always", "OnRootMismatch"});
  choice("supplementalGroupsPolicy", {"Merge", "Strict"});
  choice("seLinuxChangePolicy", {"MountOption", "Recursive"});
  checkSeccomp(here.field("seccompProfile"), part(*context, "seccompProfile"), report);
  checkAppArmor(here.field("appArmorProfile"), part(*context, "appArmorProfile"), report);
  checkWindowsOptions(here.field("windowsOptions"), part(*context, "windowsOptions"), report);
}

void checkPodOs(const FieldPath& at, const json::object& spec, RuleReport& report) {
  const auto* os = part(spec, "os");
  if (os == nullptr) return;
  const auto name = text(*os, "name");
  const auto place = at.field("os");
  if (name.empty()) return report.required(place.field("name"), "cannot be empty");
  const auto context = at.field("securityContext");
  const auto* podContext = part(spec, "securityContext");
  if (name == "linux") {
    constexpr auto kWhy = "windows options cannot be set for a linux pod";
    forbidFields(context, podContext, {"windowsOptions"}, kWhy, report);
    eachContainer(at, spec, [&](const FieldPath& here, const json::object& container) {
      const auto inside = here.field("securityContext");
      forbidFields(inside, part(container, "securityContext"), {"windowsOptions"}, kWhy, report);
    });
  } else if (name == "windows") {
    constexpr auto kWhy = "cannot be set for a windows pod";
    forbidFields(context, podContext,
                 {"appArmorProfile", "seLinuxOptions", "seccompProfile", "fsGroup", "fsGroupChangePolicy", "sysctls",
                  "runAsUser", "runAsGroup", "supplementalGroups", "supplementalGroupsPolicy"},
                 kWhy, report);
    if (podContext != nullptr) {
      if (given(spec, "hostUsers") != nullptr) report.forbidden(at.field("hostUsers"), kWhy);
      forbidFields(at, &spec, {"hostPID", "hostIPC"}, kWhy, report);
      if (given(spec, "shareProcessNamespace") != nullptr)
        report.forbidden(context.field("shareProcessNamespace"), kWhy);
    }
    eachContainer(at, spec, [&](const FieldPath& here, const json::object& container) {
      const auto inside = here.field("securityContext");
      const auto* own = part(container, "securityContext");
      forbidFields(inside, own,
                   {"appArmorProfile", "seLinuxOptions", "seccompProfile", "capabilities", "procMount", "runAsUser",
                    "runAsGroup"},
                   kWhy, report);
      for (const auto* field : {"readOnlyRootFilesystem", "privileged", "allowPrivilegeEscalation"})
        if (own != nullptr && given(*own, field) != nullptr) report.forbidden(inside.field(field), kWhy);
    });
  } else {
    report.unsupported(place, quoted(name), {"linux", "windows"});
  }
}

}  // namespace steer
