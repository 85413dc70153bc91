#include "cli/cluster/source_flags.h"
#include "core/folder.h"

#include <filesystem>

namespace steer::cli {

void SourceFlags::addTo(const CommandLine& command) {
  command.option("--repo", repo, "Repository to follow: URL (https://, ssh://, file://) or directory");
  command.option("--branch", branch, "Branch, tag or commit (default: the repository's own)");
  command.option("--path", path, "Directory of manifests in the repository (default: all of it)");
  command.option("--ssh-key", sshKey, "Private key file for ssh:// repositories");
  command.option("--known-hosts", knownHosts, "Known hosts file for ssh:// (default: ~/.ssh/known_hosts)");
  command.option("--repo-password-file", tokenFile, "File with the password or token for https://");
  command
      .option("--allow-source", allowed,
              "Pattern of repositories on this machine that applications with an account may read, too")
      .oneValueEach();
  command
      .option("--pod-security-default", podSecurity,
              "Pod security standard that namespaces without a label enforce: privileged, baseline, restricted")
      .oneOf({"privileged", "baseline", "restricted"});
  command.option("--controllers", controllers,
                 "Controllers that run, by Kubernetes' names: \"*\" all, NAME this one, -NAME not this one "
                 "(\"*,-deployment-controller\")");
  command.option("--disable-admission-plugins", disabledAdmission,
                 "Admission that is left out, by Kubernetes' names: LimitRanger, PodSecurity, ResourceQuota, "
                 "ServiceAccount, TaintNodesByCondition");
  command.flag("--accept-loss", acceptLoss, "Start although the end of the state is lost, with what is left of it");
  command.option("--interval", intervalSeconds, "Seconds between looks at a remote repository").between(1, 86400);
}

PodSecurityLevel SourceFlags::podSecurityDefault() const {
  if (podSecurity == "baseline") return PodSecurityLevel::baseline;
  return podSecurity == "restricted" ? PodSecurityLevel::restricted : PodSecurityLevel::privileged;
}

Result<SourceOptions> SourceFlags::options() const {
  SourceOptions out;
  std::error_code ec;
  out.url = std::filesystem::is_directory(repo, ec) ? absolutePath(repo).lexically_normal().string() : repo;
  out.revision = branch;
  out.path = path;
  for (const auto& [flag, file] :
       {std::pair{"--ssh-key", sshKey}, {"--known-hosts", knownHosts}, {"--repo-password-file", tokenFile}})
    if (!file.empty() && !std::filesystem::is_regular_file(file, ec))
      return makeError(Errc::io, std::string(flag) + ": " + file + " is not a file that can be read");
  out.credentials.sshKeyFile = sshKey;
  out.credentials.knownHostsFile = knownHosts;
  out.credentials.passwordFile = tokenFile;
  out.interval = seconds(intervalSeconds);
  return out;
}

}  // namespace steer::cli
