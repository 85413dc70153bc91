#include "schemas/rules/webhook_client.h"

#include "schemas/rules/reading.h"

namespace steer {
namespace {

bool isLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isHex(char c) { return isDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

bool escapesAreWhole(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i)
    if (text[i] == '%' && (i + 2 >= text.size() || !isHex(text[i + 1]) || !isHex(text[i + 2]))) return false;
  return true;
}

/// Takes what follows the first `mark` off the text.
std::string_view cutAt(std::string_view& text, char mark) {
  const auto at = text.find(mark);
  if (at == std::string_view::npos) return {};
  const auto rest = text.substr(at + 1);
  text = text.substr(0, at);
  return rest;
}

bool isHost(std::string_view host) {
  const auto inName = [](char c) {
    return isLetter(c) || isDigit(c) || static_cast<unsigned char>(c) >= 0x80 ||
           std::string_view("-_.~!$&'()*+,;=:[]<>\"%").find(c) != std::string_view::npos;
  };
  if (!std::all_of(host.begin(), host.end(), inName)) return false;
  const auto bracket = host.rfind(']');
  const auto colon = host.find(':', bracket == std::string_view::npos ? 0 : bracket);
  if (colon == std::string_view::npos) return escapesAreWhole(host);
  const auto port = host.substr(host.rfind(':') + 1);
  return std::all_of(port.begin(), port.end(), isDigit) && escapesAreWhole(host);
}

/// False when the text begins with what can be no scheme and yet ends with a colon.
bool takeScheme(std::string_view& text, UrlParts& parts) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (isLetter(c)) continue;
    if (isDigit(c) || c == '+' || c == '-' || c == '.') {
      if (i == 0) return true;
      continue;
    }
    if (c != ':') return true;
    if (i == 0) return false;
    parts.scheme = text.substr(0, i);
    text.remove_prefix(i + 1);
    return true;
  }
  return true;
}

void checkUrl(const FieldPath& at, std::string_view said, RuleReport& report) {
  const auto url = readUrl(said);
  if (!url.valid) return report.required(at, "url must be https://host[/path]");
  const auto wrong = [&](std::string_view value, const char* why) { report.invalid(at, quoted(value), why); };
  if (url.scheme != "https") wrong(url.scheme, "'https' is the only allowed URL scheme; write https://host[/path]");
  if (url.host.empty()) wrong(url.host, "host must be specified; write https://host[/path]");
  if (!url.user.empty()) report.invalid(at, nullptr, "user information is not permitted in the URL");
  if (!url.fragment.empty()) wrong(url.fragment, "fragments are not permitted in the URL");
  if (!url.query.empty()) wrong(url.query, "query parameters are not permitted in the URL");
}

void checkServicePath(const FieldPath& at, std::string_view path, RuleReport& report) {
  if (path.empty() || path == "/") return;
  if (path == "//") return report.invalid(at, quoted(path), "segment[0] may not be empty");
  if (!path.starts_with('/')) return report.invalid(at, quoted(path), "must start with a '/'");
  auto rest = path.substr(1);
  if (rest.ends_with('/')) rest.remove_suffix(1);
  for (std::size_t i = 0;; ++i) {
    const auto end = rest.find('/');
    const auto step = rest.substr(0, end);
    const auto problem = step.empty() ? NameProblem("may not be empty") : checkDns1123Subdomain(step);
    if (problem) report.invalid(at, quoted(path), "segment[" + std::to_string(i) + "] " + *problem);
    if (end == std::string_view::npos) return;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

UrlParts readUrl(std::string_view text) {
  UrlParts parts;
  const auto control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
  parts.fragment = cutAt(text, '#');
  parts.valid = std::none_of(text.begin(), text.end(), control) && takeScheme(text, parts);
  if (!parts.valid) return parts;
  parts.query = cutAt(text, '?');
  if (!text.starts_with('/')) {
    // Without a scheme the first segment may not look like one; with one there is no host.
    parts.valid = !parts.scheme.empty() || text.substr(0, text.find('/')).find(':') == std::string_view::npos;
    parts.valid = parts.valid && (!parts.scheme.empty() || escapesAreWhole(text));
    return parts;
  }
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const auto slash = std::min(text.find('/'), text.size());
    parts.host = text.substr(0, slash);
    text.remove_prefix(slash);
    if (const auto at = parts.host.rfind('@'); at != std::string_view::npos) {
      parts.user = parts.host.substr(0, at);
      parts.host.remove_prefix(at + 1);
    }
    parts.valid = isHost(parts.host) && escapesAreWhole(parts.user);
  }
  parts.valid = parts.valid && escapesAreWhole(text) && escapesAreWhole(parts.fragment);
  return parts;
}

void checkWebhookClient(const FieldPath& at, const json::object& client, RuleReport& report) {
  const auto* service = part(client, "service");
  const bool byUrl = given(client, "url") != nullptr;
  if (byUrl == (service != nullptr)) return report.required(at, "exactly one of url or service is required");
  if (byUrl) return checkUrl(at.field("url"), text(client, "url"), report);
  const auto here = at.field("service");
  checkPresent(here, *service, "name", report);
  checkPresent(here, *service, "namespace", report);
  checkPortNumber(here.field("port"), given(*service, "port"), report);
  if (given(*service, "path") != nullptr) checkServicePath(here.field("path"), text(*service, "path"), report);
}

}  // namespace steer
