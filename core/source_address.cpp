#include "core/source_address.h"

#include <arpa/inet.h>
#include <fnmatch.h>

#include <algorithm>
#include <filesystem>

#include "core/ip_address.h"

namespace steer {
namespace {

struct Parts {
  std::string scheme;  ///< empty: a directory
  std::string host;    ///< lower case, without brackets and the dot at the end
  std::string port;
  std::string path;
};

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

std::string cleanPath(std::string_view path) {
  path.remove_prefix(std::min(path.find_first_not_of('/'), path.size()));
  return std::filesystem::path("/" + std::string(path)).lexically_normal().string();
}

void readAuthority(std::string_view authority, Parts& out) {
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
  if (authority.starts_with('[')) {
    const auto end = authority.find(']');
    out.host = lower(authority.substr(1, end == std::string_view::npos ? end : end - 1));
    if (end != std::string_view::npos && authority.substr(end + 1).starts_with(':'))
      out.port = authority.substr(end + 2);
  } else {
    const auto colon = authority.rfind(':');
    out.host = lower(authority.substr(0, colon));
    if (colon != std::string_view::npos) out.port = authority.substr(colon + 1);
  }
  while (out.host.ends_with('.')) out.host.pop_back();
}

Parts partsOf(std::string_view url) {
  Parts out;
  const auto scheme = url.find("://");
  if (scheme == std::string_view::npos) {
    const auto colon = url.find(':'), slash = url.find('/');
    if (colon == std::string_view::npos || (slash != std::string_view::npos && slash < colon)) {
      out.path = cleanPath(url);
      return out;
    }
    out.scheme = "ssh";
    readAuthority(url.substr(0, colon), out);
    out.path = cleanPath(url.substr(colon + 1));
    return out;
  }
  out.scheme = lower(url.substr(0, scheme));
  const auto rest = url.substr(scheme + 3);
  if (out.scheme == "file") {
    out.scheme.clear();
    out.path = cleanPath(rest);
    return out;
  }
  const auto end = rest.find_first_of("/?#\\");
  readAuthority(rest.substr(0, end), out);
  out.path = cleanPath(end == std::string_view::npos ? "" : rest.substr(end));
  return out;
}

}  // namespace

bool namesThisMachine(std::string_view url) {
  const auto parts = partsOf(url);
  const auto& host = parts.host;
  if (parts.scheme.empty() || host.empty() || host.find('%') != std::string::npos) return true;
  for (const std::string_view name : {"localhost", "localhost.localdomain", "ip6-localhost", "ip6-loopback"})
    if (host == name) return true;
  if (host.ends_with(".localhost")) return true;
  in_addr number{};
  if (inet_aton(host.c_str(), &number) != 0) {  // also 127.1, 0x7f000001 and 2130706433
    char text[INET_ADDRSTRLEN] = "";
    return inet_ntop(AF_INET, &number, text, sizeof text) == nullptr || isLocalAddress(text);
  }
  return host.find(':') != std::string::npos && isLocalAddress(host);
}

std::string comparableSource(std::string_view url) {
  const auto parts = partsOf(url);
  if (parts.scheme.empty()) return parts.path;
  return parts.scheme + "://" + urlHostOf(parts.host) + (parts.port.empty() ? "" : ":" + parts.port) + parts.path;
}

bool anyCovers(const std::vector<std::string>& patterns, std::string_view url) {
  const auto text = comparableSource(url);
  return std::any_of(patterns.begin(), patterns.end(), [&](const std::string& pattern) {
    const auto plain = pattern.starts_with("file://") ? pattern.substr(7) : pattern;
    return ::fnmatch(plain.c_str(), text.c_str(), FNM_NOESCAPE) == 0;
  });
}

}  // namespace steer
