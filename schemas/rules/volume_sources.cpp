// Where volumes come from, in pods, persistent volumes and attachments alike.
#include "schemas/rules/volume_sources.h"

#include "core/quantity.h"
#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

using Check = void (*)(const FieldPath& at, const json::object& source, VolumeHolder holder, RuleReport& report);

void requireEach(const FieldPath& at, const json::object& source, std::initializer_list<const char*> fields,
                 RuleReport& report) {
  for (const auto* field : fields) checkPresent(at, source, field, report);
}

/// A partition or a logical unit: 0 to 255.
void checkByte(const FieldPath& at, const json::object& source, const char* field, RuleReport& report) {
  const auto n = number(source, field);
  if (n < 0 || n > 255) report.invalid(at.field(field), n, "must be between 0 and 255, inclusive");
}

/// A secret named by a persistent volume stands in a namespace.
void checkSecretRef(const FieldPath& at, const json::object& source, const char* field, VolumeHolder holder,
                    RuleReport& report) {
  const auto* ref = part(source, field);
  if (ref == nullptr) return;
  const auto here = at.field(field);
  checkPresent(here, *ref, "name", report);
  if (holder == VolumeHolder::persistent) checkPresent(here, *ref, "namespace", report);
}

void checkDisk(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"pdName"}, report);
  checkByte(at, s, "partition", report);
}

void checkBlockStore(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"volumeID"}, report);
  checkByte(at, s, "partition", report);
}

void checkHostPath(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  if (!checkPresent(at, s, "path", report)) return;
  checkNoBacksteps(at.field("path"), text(s, "path"), report);
  checkEnum(at.field("type"), text(s, "type"),
            {"BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"}, report);
}

void checkNfs(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"server", "path"}, report);
  if (!text(s, "path").starts_with('/'))
    report.invalid(at.field("path"), quoted(text(s, "path")), "must be an absolute path");
}

bool isIscsiName(std::string_view name) {
  const auto hex = [](std::string_view part) {
    return part.find_first_not_of("0123456789abcdefABCDEF") == std::string_view::npos;
  };
  if (name.starts_with("iqn.")) {
    const auto rest = name.substr(4);
    const bool dated = rest.size() > 8 && rest.substr(0, 4).find_first_not_of("0123456789") == std::string_view::npos &&
                       rest[4] == '-' && rest.substr(5, 2).find_first_not_of("0123456789") == std::string_view::npos &&
                       rest[7] == '.';
    return dated && name.find_first_of(" \t\n") == std::string_view::npos;
  }
  if (name.starts_with("eui.")) return name.size() == 20 && hex(name.substr(4));
  return name.starts_with("naa.") && name.size() > 4 && hex(name.substr(4));
}

void checkIscsi(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  requireEach(at, s, {"targetPortal"}, report);
  const auto name = text(s, "iqn");
  if (name.empty()) report.required(at.field("iqn"));
  else if (!isIscsiName(name)) report.invalid(at.field("iqn"), quoted(name), "must be valid format");
  checkByte(at, s, "lun", report);
  const bool chap = flag(s, "chapAuthDiscovery") || flag(s, "chapAuthSession");
  const auto* secret = part(s, "secretRef");
  if (chap && secret == nullptr) report.required(at.field("secretRef"));
  if (secret != nullptr && holder == VolumeHolder::persistent) {
    const auto ref = at.field("secretRef");
    checkPresent(ref, *secret, "name", report);
  }
  if (given(s, "initiatorName") != nullptr && !isIscsiName(text(s, "initiatorName")))
    report.invalid(at.field("initiatorname"), quoted(text(s, "initiatorName")), "must be valid format");
}

void checkGluster(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  requireEach(at, s, {"endpoints", "path"}, report);
  if (holder == VolumeHolder::persistent && given(s, "endpointsNamespace") != nullptr)
    report.check(at.field("endpointsNamespace"), text(s, "endpointsNamespace"), checkDns1123Label);
}

void checkFlexVolume(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"driver"}, report);
  const auto options = at.field("options");
  for (const auto& [key, value] : members(s, "options")) {
    const std::string_view name(key.data(), key.size());
    const auto domain = name.substr(0, name.find('/'));
    const bool reserved =
        name.find('/') != std::string_view::npos && (isOneOf(domain, {"kubernetes.io", "k8s.io"}) ||
                                                     domain.ends_with(".kubernetes.io") || domain.ends_with(".k8s.io"));
    if (reserved) report.invalid(options.key(name), quoted(name), "kubernetes.io and k8s.io namespaces are reserved");
  }
}

void checkRbd(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  if (items(s, "monitors").empty()) report.required(at.field("monitors"));
  requireEach(at, s, {"image"}, report);
}

void checkCinder(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  requireEach(at, s, {"volumeID"}, report);
  checkSecretRef(at, s, "secretRef", holder, report);
}

void checkCephFs(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  if (items(s, "monitors").empty()) report.required(at.field("monitors"));
}

void checkFlocker(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  const auto name = text(s, "datasetName");
  const bool byUuid = !text(s, "datasetUUID").empty();
  if (name.empty() && !byUuid) report.required(at, "one of datasetName and datasetUUID is required");
  if (!name.empty() && byUuid)
    report.invalid(at, "resource", "datasetName and datasetUUID can not be specified simultaneously");
  if (name.find('/') != std::string_view::npos)
    report.invalid(at.field("datasetName"), quoted(name), "must not contain '/'");
}

void checkFibre(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  const bool names = !items(s, "targetWWNs").empty();
  const bool ids = !items(s, "wwids").empty();
  if (!names && !ids)
    return report.required(at.field("targetWWNs"), "must specify either targetWWNs or wwids, but not both");
  if (names && ids)
    report.invalid(at.field("targetWWNs"), nullptr, "targetWWNs and wwids can not be specified simultaneously");
  if (!names) return;
  if (given(s, "lun") == nullptr) report.required(at.field("lun"), "lun is required if targetWWNs is specified");
  else checkByte(at, s, "lun", report);
}

void checkAzureFile(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  requireEach(at, s, {"secretName", "shareName"}, report);
  if (holder == VolumeHolder::persistent && given(s, "secretNamespace") != nullptr &&
      text(s, "secretNamespace").empty())
    report.required(at.field("secretNamespace"));
}

void checkVsphere(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"volumePath"}, report);
}

void checkQuobyte(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  constexpr std::size_t kLongestTenant = 64;
  const auto registry = text(s, "registry");
  if (registry.empty())
    report.required(at.field("registry"), "must be a host:port pair or multiple pairs separated by commas");
  else if (text(s, "tenant").size() > kLongestTenant)
    report.required(at.field("tenant"), "must be a UUID and may not exceed a length of 64 characters");
  else
    for (auto rest = registry; !rest.empty();) {
      const auto pair = rest.substr(0, rest.find(','));
      rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
      const auto colon = pair.rfind(':');
      const bool good = colon != std::string_view::npos &&
                        (pair.find(':') == colon || (pair.starts_with('[') && pair[colon - 1] == ']'));
      if (!good)
        report.invalid(at.field("registry"), quoted(registry),
                       "must be a host:port pair or multiple pairs separated by commas");
    }
  requireEach(at, s, {"volume"}, report);
}

void checkAzureDisk(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  const auto uri = text(s, "diskURI");
  requireEach(at, s, {"diskName", "diskURI"}, report);
  if (given(s, "cachingMode") != nullptr)
    checkEnum(at.field("cachingMode"), text(s, "cachingMode"), {"None", "ReadOnly", "ReadWrite"}, report,
              Empty::unsupported);
  if (given(s, "kind") != nullptr)
    checkEnum(at.field("kind"), text(s, "kind"), {"Dedicated", "Managed", "Shared"}, report, Empty::unsupported);
  const bool managed = text(s, "kind") == "Managed";
  if (managed && !uri.starts_with("/subscriptions/"))
    report.unsupported(
        at.field("diskURI"), quoted(uri),
        {"/subscriptions/{sub-id}/resourcegroups/{group-name}/providers/microsoft.compute/disks/{disk-id}"});
  if (!managed && given(s, "kind") != nullptr && !uri.starts_with("https://"))
    report.unsupported(at.field("diskURI"), quoted(uri),
                       {"https://{account-name}.blob.core.windows.net/{container-name}/{disk-name}.vhd"});
}

void checkPhoton(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"pdID"}, report);
}

void checkPortworx(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"volumeID"}, report);
}

void checkScaleIo(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  requireEach(at, s, {"gateway", "system", "volumeName"}, report);
}

void checkStorageOs(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  if (checkPresent(at, s, "volumeName", report))
    report.check(at.field("volumeName"), text(s, "volumeName"), checkDns1123Label);
  if (const auto ns = text(s, "volumeNamespace"); !ns.empty())
    report.check(at.field("volumeNamespace"), ns, checkDns1123Label);
  checkSecretRef(at, s, "secretRef", holder, report);
}

void checkCsi(const FieldPath& at, const json::object& s, VolumeHolder holder, RuleReport& report) {
  checkDriverName(at.field("driver"), text(s, "driver"), report);
  if (holder == VolumeHolder::pod) {
    if (const auto* ref = part(s, "nodePublishSecretRef"); ref != nullptr) {
      const auto here = at.field("nodePublishSecretRef");
      checkPresent(here, *ref, "name", report);
    }
    return;
  }
  requireEach(at, s, {"volumeHandle"}, report);
  for (const auto* field : {"controllerPublishSecretRef", "controllerExpandSecretRef", "nodePublishSecretRef",
                            "nodeExpandSecretRef", "nodeStageSecretRef"})
    checkSecretRef(at, s, field, holder, report);
}

void checkLocal(const FieldPath& at, const json::object& s, VolumeHolder, RuleReport& report) {
  if (checkPresent(at, s, "path", report)) checkNoBacksteps(at.field("path"), text(s, "path"), report);
}

struct Source {
  std::string_view field;
  std::string_view said;  ///< as findings about its inside name it
  std::string_view kind;  ///< as a second source is forbidden; empty: it never is
  Check check;
};

constexpr Source kSources[] = {
    {"hostPath", "hostPath", "hostPath", checkHostPath},
    {"gcePersistentDisk", "persistentDisk", "gcePersistentDisk", checkDisk},
    {"awsElasticBlockStore", "awsElasticBlockStore", "awsElasticBlockStore", checkBlockStore},
    {"nfs", "nfs", "nfs", checkNfs},
    {"iscsi", "iscsi", "iscsi", checkIscsi},
    {"glusterfs", "glusterfs", "glusterfs", checkGluster},
    {"flexVolume", "flexVolume", "", checkFlexVolume},
    {"rbd", "rbd", "rbd", checkRbd},
    {"cinder", "cinder", "cinder", checkCinder},
    {"cephfs", "cephfs", "cephFS", checkCephFs},
    {"flocker", "flocker", "flocker", checkFlocker},
    {"fc", "fc", "fc", checkFibre},
    {"azureFile", "azureFile", "azureFile", checkAzureFile},
    {"vsphereVolume", "vsphereVolume", "vsphereVolume", checkVsphere},
    {"quobyte", "quobyte", "quobyte", checkQuobyte},
    {"azureDisk", "azureDisk", "azureDisk", checkAzureDisk},
    {"photonPersistentDisk", "photonPersistentDisk", "photonPersistentDisk", checkPhoton},
    {"portworxVolume", "portworxVolume", "portworxVolume", checkPortworx},
    {"scaleIO", "scaleIO", "scaleIO", checkScaleIo},
    {"storageos", "storageos", "storageos", checkStorageOs},
    {"csi", "csi", "csi", checkCsi},
    {"local", "local", "local", checkLocal},
};

}  // namespace

std::size_t checkVolumeSources(const FieldPath& at, const json::object& holder, VolumeHolder kind, std::size_t before,
                               RuleReport& report) {
  std::size_t count = before;
  for (const auto& source : kSources) {
    if (source.field == "local" && kind == VolumeHolder::pod) continue;
    const auto* said = part(holder, source.field);
    if (said == nullptr) continue;
    if (++count > 1 && !source.kind.empty()) {
      report.forbidden(at.field(source.kind), "may not specify more than 1 volume type");
      continue;
    }
    const auto here = at.field(source.said);
    source.check(here, *said, kind, report);
  }
  return count;
}

void checkDriverName(const FieldPath& at, std::string_view name, RuleReport& report) {
  constexpr std::size_t kLongest = 63;
  if (name.empty()) report.required(at);
  if (name.size() > kLongest) report.tooLong(at, "may not be more than 63 bytes");
  std::string lowered(name);
  for (auto& c : lowered)
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  if (name.empty()) return;
  if (const auto problem = checkDns1123Subdomain(lowered)) report.invalid(at, quoted(name), *problem);
}

}  // namespace steer
