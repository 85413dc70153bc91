#include "cluster/apiserver/transport/token_file.h"

#include <fstream>
#include <sstream>

#include "cluster/apiserver/transport/certificate.h"
#include "cluster/apiserver/transport/pki.h"
#include "core/private_file.h"
#include "core/rfc3339.h"

namespace steer {

Result<std::unique_ptr<TokenFile>> TokenFile::open(std::string path) {
  std::unique_ptr<TokenFile> out(new TokenFile(path));
  std::ifstream in(path);
  std::string line;
  for (std::size_t number = 1; std::getline(in, line); ++number) {
    if (line.empty() || line.front() == '#') continue;
    std::istringstream words(line);
    Entry entry;
    std::string groups, group;
    if (!(words >> entry.secret >> entry.identity.user))
      return makeError(Errc::io,
                       path + ":" + std::to_string(number) + ": expected \"<secret> <user> <group>,<group>\"");
    std::string end;
    words >> groups >> end;
    entry.until = parseTime(end);
    // A token is no node any more: nodes show certificates.
    if (entry.identity.user.starts_with("system:node:") || (!end.empty() && !entry.until)) continue;
    std::istringstream list(groups);
    while (std::getline(list, group, ',')) entry.identity.groups.push_back(group);
    out->byHash_.with([&](auto& entries) { entries.insert_or_assign(sha256Hex(entry.secret), entry); });
  }
  return out;
}

Result<std::string> TokenFile::secretFor(const std::string& user, const std::vector<std::string>& groups) {
  auto entries = byHash_.lock();
  for (const auto& [hash, entry] : *entries)
    if (entry.identity.user == user && entry.identity.groups == groups) return entry.secret;
  return add(*entries, {randomHex(16), {user, groups}, {}});
}

Result<std::string> TokenFile::temporarySecretFor(const std::string& user, const std::vector<std::string>& groups,
                                                  Time now, Time until) {
  auto entries = byHash_.lock();
  for (const auto& [hash, entry] : *entries)
    if (entry.identity.user == user && entry.identity.groups == groups && entry.until &&
        *entry.until - now > (until - now) / 2)
      return entry.secret;
  std::erase_if(*entries, [&](const auto& entry) { return entry.second.until && *entry.second.until <= now; });
  return add(*entries, {randomHex(16), {user, groups}, until});
}

Result<std::string> TokenFile::add(Entries& entries, Entry fresh) const {
  std::string text;
  auto addLine = [&](const Entry& entry) {
    text += entry.secret + " " + entry.identity.user + " ";
    for (std::size_t i = 0; i < entry.identity.groups.size(); ++i)
      text += (i == 0 ? "" : ",") + entry.identity.groups[i];
    if (entry.until) text += " " + formatTime(*entry.until);
    text += '\n';
  };
  for (const auto& [hash, entry] : entries) addLine(entry);
  addLine(fresh);
  STEER_CHECK(writePrivateFile(path_, text));
  const std::string secret = fresh.secret;
  entries.insert_or_assign(sha256Hex(secret), std::move(fresh));
  return secret;
}

std::optional<Identity> TokenFile::find(const std::string& secret, Time now) const {
  const std::string hash = sha256Hex(secret);
  return byHash_.with([&](const auto& entries) -> std::optional<Identity> {
    const auto it = entries.find(hash);
    if (it == entries.end() || (it->second.until && *it->second.until <= now)) return std::nullopt;
    return it->second.identity;
  });
}

}  // namespace steer
