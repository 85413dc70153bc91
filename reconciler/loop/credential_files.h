#pragma once
// CredentialFiles: writes what a Secret (or a spec) says about reaching a repository into files that
// only the server may read, because that is what libgit2's callbacks take. Secret entries, as Flux and
// git know them: username, password, identity (SSH key), passphrase, known_hosts,
// and ca.crt (the authorities to trust for https).
// Thread rule: one owner. Failure rule: an error names the Secret and the entry, never a value.
#include <string>

#include "core/object.h"
#include "core/result.h"
#include "reconciler/git/remote_access.h"
#include "reconciler/loop/application_spec.h"

namespace steer {

class CredentialFiles {
 public:
  /// dir: made with mode 0700 when something is written.
  explicit CredentialFiles(std::string dir) : dir_(std::move(dir)) {}

  /// secret: null when the spec names none. `base` gives what neither says.
  /// name: of the repository's key; those who share it write the same.
  Result<RemoteCredentials> write(const std::string& name, const CredentialsSpec& spec, const ObjectPtr& secret,
                                  RemoteCredentials base) const;
  void remove(const std::string& name) const;

 private:
  std::string dir_;
};

}  // namespace steer
