#include "reconciler/loop/credential_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

#include "core/base64.h"
#include "core/private_file.h"

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLargest = 1 << 20;

std::string withLineEnd(std::string text) {
  if (!text.empty() && text.back() != '\n') text += '\n';
  return text;
}

}  // namespace

Result<RemoteCredentials> CredentialFiles::write(const std::string& name, const CredentialsSpec& spec,
                                                 const ObjectPtr& secret, RemoteCredentials base) const {
  const std::string dir = dir_ + "/" + name;
  const auto entry = [&](std::string_view field) -> Result<std::string> {
    const auto encoded = secret ? stringAt(secret->json(), {"data", field}) : std::string_view{};
    auto text = fromBase64(encoded);
    if (!text || text->size() > kLargest)
      return makeError(Errc::invalid, "entry " + std::string(field) + " of Secret " + spec.secretNamespace + "/" +
                                          spec.secretName + " cannot be used");
    return std::move(*text);
  };
  const auto save = [&](const std::string& content, const char* file, std::string& into) -> Result<void> {
    if (content.empty()) return {};
    std::error_code ec;
    fs::create_directories(dir, ec);
    fs::permissions(dir, fs::perms::owner_all, ec);
    into = dir + "/" + file;
    return writePrivateFile(into, content);
  };
  STEER_TRY(const auto username, entry("username"));
  STEER_TRY(const auto password, entry("password"));
  STEER_TRY(const auto identity, entry("identity"));
  STEER_TRY(const auto passphrase, entry("passphrase"));
  STEER_TRY(const auto hosts, entry("known_hosts"));
  STEER_TRY(const auto authority, entry("ca.crt"));
  STEER_CHECK(save(withLineEnd(authority), "ca.crt", base.caFile));
  if (!username.empty()) base.username = username;
  if (!passphrase.empty()) base.sshKeyPassphrase = passphrase;
  STEER_CHECK(save(password, "password", base.passwordFile));
  STEER_CHECK(save(withLineEnd(identity), "identity", base.sshKeyFile));
  STEER_CHECK(save(withLineEnd(hosts.empty() ? spec.knownHosts : hosts), "known_hosts", base.knownHostsFile));
  return base;
}

void CredentialFiles::remove(const std::string& name) const {
  std::error_code ec;
  fs::remove_all(dir_ + "/" + name, ec);
}

}  // namespace steer
