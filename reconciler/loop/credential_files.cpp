#include "reconciler/loop/credential_files.h"

#include <fcntl.h>
#include <unistd.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <optional>

namespace steer {
namespace fs = std::filesystem;
namespace {

constexpr std::size_t kLargest = 1 << 20;

std::optional<std::string> fromBase64(std::string_view text) {
  std::string out;
  std::uint32_t group = 0;
  int bits = 0;
  for (const char c : text) {
    if (c == '\n' || c == '\r') continue;
    if (c == '=') break;
    static constexpr std::string_view letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = letters.find(c);
    if (value == std::string_view::npos) return std::nullopt;
    group = group << 6U | static_cast<std::uint32_t>(value);
    bits += 6;
    if (bits < 8) continue;
    bits -= 8;
    out += static_cast<char>(group >> static_cast<unsigned>(bits) & 255U);
  }
  return out;
}

/// Only its owner may read it at any moment; unchanged files are left alone.
Result<void> writePrivately(const std::string& file, const std::string& content) {
  std::ifstream in(file, std::ios::binary);
  if (in && std::string{std::istreambuf_iterator<char>(in), {}} == content) return {};
  const std::string fresh = file + ".new";
  (void)::unlink(fresh.c_str());
  const int fd = ::open(fresh.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (fd < 0) return makeError(Errc::io, "cannot write a credentials file");
  const auto written = ::write(fd, content.data(), content.size());
  const bool ok = ::close(fd) == 0 && written == static_cast<ssize_t>(content.size());
  if (!ok || std::rename(fresh.c_str(), file.c_str()) != 0)
    return makeError(Errc::io, "cannot write a credentials file");
  return {};
}

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
    return writePrivately(into, content);
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
