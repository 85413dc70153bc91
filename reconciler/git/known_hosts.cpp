#include "reconciler/git/known_hosts.h"

#include <fnmatch.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <array>
#include <fstream>
#include <sstream>

namespace steer {
namespace {

std::string decodeBase64(const std::string& text) {
  if (text.empty() || text.size() % 4 != 0) return "";
  std::string out(text.size() / 4 * 3, '\0');
  const int n = EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                                reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (n < 0) return "";
  std::size_t padding = 0;
  while (padding < 2 && text[text.size() - 1 - padding] == '=') ++padding;
  out.resize(static_cast<std::size_t>(n) - padding);
  return out;
}

/// "|1|salt|hash": hash = HMAC-SHA1(salt, name).
bool hashedMatch(const std::string& pattern, const std::string& name) {
  const auto bar = pattern.find('|', 3);
  if (bar == std::string::npos) return false;
  const std::string salt = decodeBase64(pattern.substr(3, bar - 3));
  const std::string expected = decodeBase64(pattern.substr(bar + 1));
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned int size = 0;
  HMAC(EVP_sha1(), salt.data(), static_cast<int>(salt.size()), reinterpret_cast<const unsigned char*>(name.data()),
       name.size(), digest.data(), &size);
  return !expected.empty() && expected == std::string(reinterpret_cast<const char*>(digest.data()), size);
}

}  // namespace

KnownHosts KnownHosts::parse(std::string_view text) {
  KnownHosts out;
  std::istringstream in{std::string(text)};
  for (std::string row; std::getline(in, row);) {
    std::istringstream words(row);
    std::string word;
    if (!(words >> word) || word.front() == '#') continue;
    Line line;
    if (word.front() == '@') {
      // Certificate authorities sign host certificates, which libssh2 does not offer to us.
      if (word != "@revoked") continue;
      line.revoked = true;
      words >> word;
    }
    std::istringstream names(word);
    for (std::string name; std::getline(names, name, ',');) line.patterns.push_back(name);
    std::string type;
    std::string key;
    if (!(words >> type >> key)) continue;
    line.key = decodeBase64(key);
    if (!line.key.empty()) out.lines_.push_back(std::move(line));
  }
  return out;
}

Result<KnownHosts> KnownHosts::load(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in) return makeError(Errc::notFound, "cannot read the known hosts file " + file);
  std::stringstream text;
  text << in.rdbuf();
  return parse(text.str());
}

bool KnownHosts::matches(const Line& line, const std::string& name) {
  bool found = false;
  for (const auto& pattern : line.patterns) {
    if (pattern.starts_with("|1|")) {
      found = found || hashedMatch(pattern, name);
    } else if (pattern.starts_with("!")) {
      if (fnmatch(pattern.c_str() + 1, name.c_str(), FNM_NOESCAPE) == 0) return false;
    } else if (pattern == name ||
               (pattern.front() != '[' && fnmatch(pattern.c_str(), name.c_str(), FNM_NOESCAPE) == 0)) {
      found = true;
    }
  }
  return found;
}

KnownHosts::Verdict KnownHosts::check(const std::string& host, int port, std::string_view key) const {
  const std::string name = port == 0 || port == 22 ? host : "[" + host + "]:" + std::to_string(port);
  Verdict verdict = Verdict::unknownHost;
  for (const auto& line : lines_) {
    if (!matches(line, name)) continue;
    if (line.revoked && line.key == key) return Verdict::revoked;
    if (line.revoked) continue;
    if (line.key == key) verdict = Verdict::known;
    else if (verdict == Verdict::unknownHost) verdict = Verdict::keyDiffers;
  }
  return verdict;
}

}  // namespace steer
