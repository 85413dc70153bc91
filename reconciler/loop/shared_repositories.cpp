#include "reconciler/loop/shared_repositories.h"

#include <algorithm>

#include "core/barrier.h"
#include "reconciler/git/remote_url.h"
#include "reconciler/plan/fingerprint.h"

namespace steer {

// A clone holds whatever its credentials opened, so whoever reads it must hold the same ones. The key therefore names
// the Secret itself, with its namespace, and not what is in it: an application without the Secret, or with one of
// another namespace, gets a clone of its own and must reach the remote by itself, whatever others have read. Rights to
// a Secret are rights to what it opens; a rotated password makes no new clone. The known hosts count because they
// decide whom a reader trusts to be the remote, and the password in an address because it is a credential as well.
std::string repositoryKey(const ApplicationSpec& spec, const RemoteCredentials& base) {
  const auto url = RemoteUrl::parse(spec.source.url);
  Fingerprint print;
  print.add(url.ok() ? url->url : spec.source.url);
  if (url.ok()) print.add(url->user).add(url->password);
  for (const auto& text :
       {spec.credentials.secretNamespace, spec.credentials.secretName, spec.credentials.knownHosts, base.sshKeyFile,
        base.sshKeyPassphrase, base.knownHostsFile, base.username, base.passwordFile, base.caFile})
    print.add(text);
  // What leads to this machine is read by those alone who may go there.
  if (base.reach == Reach::network) print.add("network");
  return print.hex().substr(0, 16);
}

std::shared_ptr<Repository> SharedRepositories::open(const std::string& key, const SourceOptions& source) {
  auto& repository = all_[key];
  if (!repository) repository = std::make_shared<Repository>(source, dir_ + "/" + key, executor_, transfers_, waker_);
  return repository;
}

std::optional<Time> SharedRepositories::step(Time now) {
  std::optional<Time> next;
  for (const auto& [key, repository] : all_) {
    std::optional<Time> at;
    if (barrier::run("the repository " + key, [&] { at = repository->step(now); })) at = now + seconds(1);
    if (at && (!next || *at < *next)) next = at;
  }
  return next;
}

bool SharedRepositories::asked() const {
  return std::any_of(all_.begin(), all_.end(), [](const auto& entry) { return entry.second->asked(); });
}

std::vector<std::string> SharedRepositories::dropUnused() {
  std::vector<std::string> out;
  for (auto it = all_.begin(); it != all_.end();) {
    if (it->second->followed() || it->second->busy()) {
      ++it;
      continue;
    }
    out.push_back(it->first);
    it = all_.erase(it);
  }
  return out;
}

}  // namespace steer
