#include "core/address_credentials.h"

#include <algorithm>
#include <cctype>

namespace steer {
namespace {

constexpr std::string_view kHidden = "(sensitive)";

bool ofScheme(char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '+' || c == '-' || c == '.'; }

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  return out;
}

bool isSecretName(std::string_view name) {
  const auto low = lower(name);
  for (const std::string_view word : {"token", "password", "passwd", "secret"})
    if (low.find(word) != std::string::npos) return true;
  return false;
}

/// Up to '@': what of it may be shown.
std::string shownUser(std::string_view scheme, std::string_view user) {
  if (scheme == "http" || scheme == "https") return std::string(kHidden);
  const auto colon = user.find(':');
  if (colon == std::string_view::npos) return std::string(user);
  return std::string(user.substr(0, colon + 1)) + std::string(kHidden);
}

/// "?a=b&token=c" with the values of secret names hidden.
std::string shownQuery(std::string_view query) {
  std::string out;
  while (!query.empty()) {
    const auto end = std::min(query.find('&', 1), query.size());
    const auto pair = query.substr(0, end);
    const auto equals = pair.find('=');
    const bool hide =
        equals != std::string_view::npos && equals + 1 < pair.size() && isSecretName(pair.substr(0, equals));
    out += hide ? std::string(pair.substr(0, equals + 1)) + std::string(kHidden) : std::string(pair);
    query.remove_prefix(end);
  }
  return out;
}

/// From behind "://" to the end of the address.
std::string shownAddress(std::string_view scheme, std::string_view rest) {
  std::string out;
  auto authority = rest.substr(0, rest.find_first_of("/?#"));
  // "user:pass/word@host": a slash that somebody forgot to write as %2F.
  const auto colon = authority.rfind(':');
  const auto port = colon == std::string_view::npos ? std::string_view() : authority.substr(colon + 1);
  if (authority.find('@') == std::string_view::npos && port.find_first_not_of("0123456789") != std::string_view::npos &&
      !authority.starts_with('['))
    authority = rest;
  if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
    out = shownUser(scheme, authority.substr(0, at));
    rest.remove_prefix(at);
  }
  const auto query = std::min(rest.find('?'), rest.size());
  return out + std::string(rest.substr(0, query)) + shownQuery(rest.substr(query));
}

}  // namespace

std::string withoutCredentials(std::string_view text) {
  constexpr std::string_view mark = "://";
  std::string out;
  for (auto at = text.find(mark); at != std::string_view::npos; at = text.find(mark)) {
    auto begin = at;
    while (begin > 0 && ofScheme(text[begin - 1])) --begin;
    const auto end = std::min(text.find_first_of(" \t\r\n\"'<>`,;", at), text.size());
    out += text.substr(0, at + mark.size());
    out += shownAddress(lower(text.substr(begin, at - begin)), text.substr(at + mark.size(), end - at - mark.size()));
    text.remove_prefix(end);
  }
  return out + std::string(text);
}

json::value withoutCredentials(const json::value& value) {
  if (const auto* text = value.if_string()) {
    if (view(*text).find("://") == std::string_view::npos) return value;
    return json::value(withoutCredentials(view(*text)));
  }
  json::value out = value;
  if (auto* members = out.if_object())
    for (auto& member : *members) member.value() = withoutCredentials(member.value());
  if (auto* items = out.if_array())
    for (auto& item : *items) item = withoutCredentials(item);
  return out;
}

bool holdsCredentials(std::string_view url) { return withoutCredentials(url) != url; }

}  // namespace steer
