#include "schemas/names.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <vector>

#include "schemas/validate.h"

namespace steer {
namespace {

bool isLower(char c) { return c >= 'a' && c <= 'z'; }
bool isDigit(char c) { return c >= '0' && c <= '9'; }
bool isAlnum(char c) { return isLower(c) || isDigit(c) || (c >= 'A' && c <= 'Z'); }

bool isDnsLabel(std::string_view s) {
  if (s.empty() || s.front() == '-' || s.back() == '-') return false;
  return std::all_of(s.begin(), s.end(), [](char c) { return isLower(c) || isDigit(c) || c == '-'; });
}

/// Letters and digits at both ends, "-", "_" and "." between.
bool isWord(std::string_view s) {
  if (s.empty() || !isAlnum(s.front()) || !isAlnum(s.back())) return false;
  return std::all_of(s.begin(), s.end(), [](char c) { return isAlnum(c) || c == '-' || c == '_' || c == '.'; });
}

NameProblem tooLong(std::size_t limit) { return "must be no more than " + std::to_string(limit) + " characters"; }

}  // namespace

NameProblem checkAddress(std::string_view text) {
  std::array<unsigned char, 16> bytes{};
  const std::string address(text);
  for (const int family : {AF_INET, AF_INET6})
    if (::inet_pton(family, address.c_str(), bytes.data()) == 1) return std::nullopt;
  return "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)";
}

NameProblem checkDns1123Label(std::string_view name) {
  if (name.size() > 63) return tooLong(63);
  if (!isDnsLabel(name))
    return "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and "
           "end with an alphanumeric character (e.g. 'my-name' or '123-abc')";
  return std::nullopt;
}

NameProblem checkDns1123Subdomain(std::string_view name) {
  if (name.size() > 253) return tooLong(253);
  std::string_view rest = name;
  while (true) {
    const auto dot = rest.find('.');
    if (!isDnsLabel(rest.substr(0, dot)))
      return "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
             "start and end with an alphanumeric character (e.g. 'example.com')";
    if (dot == std::string_view::npos) return std::nullopt;
    rest.remove_prefix(dot + 1);
  }
}

NameProblem checkDns1035Label(std::string_view name) {
  if (name.size() > 63) return tooLong(63);
  if (!isDnsLabel(name) || !isLower(name.front()))
    return "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
           "character, and end with an alphanumeric character (e.g. 'my-name' or 'abc-123')";
  return std::nullopt;
}

NameProblem checkQualifiedName(std::string_view name) {
  const auto slash = name.find('/');
  auto local = name;
  if (slash != std::string_view::npos) {
    const auto prefix = name.substr(0, slash);
    local = name.substr(slash + 1);
    if (prefix.empty()) return "prefix part must be non-empty";
    if (const auto problem = checkDns1123Subdomain(prefix)) return "prefix part " + *problem;
  }
  if (local.empty()) return "name part must be non-empty";
  if (local.size() > 63) return "name part must be no more than 63 characters";
  if (!isWord(local))
    return "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
           "alphanumeric character (e.g. 'MyName' or 'my.name')";
  return std::nullopt;
}

NameProblem checkLabelValue(std::string_view value) {
  if (value.size() > 63) return tooLong(63);
  if (!value.empty() && !isWord(value))
    return "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
           "start and end with an alphanumeric character (e.g. 'MyValue' or 'my_value')";
  return std::nullopt;
}

NameProblem checkConfigKey(std::string_view key) {
  if (key.size() > 253) return tooLong(253);
  const bool ok = !key.empty() && std::all_of(key.begin(), key.end(),
                                              [](char c) { return isAlnum(c) || c == '-' || c == '_' || c == '.'; });
  if (!ok)
    return "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name' or "
           "'KEY_NAME')";
  if (key == ".") return "must not be '.'";
  if (key.substr(0, 2) == "..") return "must not start with '..'";
  return std::nullopt;
}

NameProblem checkEnvName(std::string_view name) {
  // Since 1.30 any printable ASCII but "=" is allowed.
  const bool ok = std::all_of(name.begin(), name.end(), [](char c) { return c >= ' ' && c <= '~' && c != '='; });
  if (!ok) return "a valid environment variable name must consist only of printable ASCII characters other than '='";
  return std::nullopt;
}

NameProblem checkPortName(std::string_view name) {
  if (name.size() > 15) return tooLong(15);
  const bool letters =
      std::all_of(name.begin(), name.end(), [](char c) { return isLower(c) || isDigit(c) || c == '-'; });
  if (!letters) return "must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)";
  if (std::none_of(name.begin(), name.end(), isLower)) return "must contain at least one letter (a-z)";
  if (name.find("--") != std::string_view::npos) return "must not contain consecutive hyphens";
  if (name.front() == '-' || name.back() == '-') return "must not begin or end with a hyphen";
  return std::nullopt;
}

NameProblem checkPathSegment(std::string_view name) {
  if (name == "." || name == "..") return "may not be '" + std::string(name) + "'";
  for (const auto* part : {"/", "%"})
    if (name.find(part) != std::string_view::npos) return "may not contain '" + std::string(part) + "'";
  return std::nullopt;
}

NameProblem checkDomainPath(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos || slash == 0 || slash + 1 == name.size())
    return "must be a domain-prefixed path (such as \"acme.io/foo\")";
  if (auto problem = checkDns1123Subdomain(name.substr(0, slash))) return problem;
  const auto path = name.substr(slash + 1);
  const auto good = [](char c) {
    return isAlnum(c) || std::string_view("/-._~:@!$&'()*+,;=").find(c) != std::string_view::npos;
  };
  if (!std::all_of(path.begin(), path.end(), good)) return "Invalid path";
  return std::nullopt;
}

std::size_t editDistance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1);
  std::vector<std::size_t> last(b.size() + 1);
  std::vector<std::size_t> row(b.size() + 1);
  for (std::size_t j = 0; j <= b.size(); ++j) last[j] = j;
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::size_t replace = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
      row[j] = std::min({replace, last[j] + 1, row[j - 1] + 1});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

std::string nearestName(std::string_view word, const std::vector<std::string>& names) {
  const auto lower = [](std::string_view s) {
    std::string out(s);
    for (auto& c : out)
      if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
    return out;
  };
  const auto wanted = lower(word);
  // A wrong letter case alone is always near enough; else one slip per three letters.
  std::size_t best = std::max<std::size_t>(1, word.size() / 3) + 1;
  std::string found;
  for (const auto& name : names) {
    const auto known = lower(name);
    const bool begun = wanted.size() >= 3 && known.substr(0, wanted.size()) == wanted;
    if (const auto distance = begun ? 1 : editDistance(wanted, known); distance < best) {
      best = distance;
      found = name;
    }
  }
  return found;
}

std::string nearestValid(std::string_view name, NameCheck check) {
  if (name.find_first_of("*$%{}") != std::string_view::npos) return {};  // a pattern is no misspelt name
  const auto spelt = [&](char filler, bool lower, bool dots) {
    std::string out;
    for (char c : name) {
      if (lower && c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
      const bool punctuation = c == '-' || c == '_' || (dots && (c == '.' || c == '/'));
      const bool keep = isAlnum(c) || (punctuation && (!lower || c != '_'));
      out += keep && (filler != '_' || isAlnum(c)) ? c : filler;
    }
    const auto first = out.find_first_not_of("-._/");
    const auto last = out.find_last_not_of("-._/");
    return first == std::string::npos ? std::string() : out.substr(first, last - first + 1);
  };
  for (const auto& candidate :
       {spelt('-', false, true), spelt('-', true, true), spelt('-', true, false), spelt('_', false, false)})
    if (!candidate.empty() && candidate != name && !check(candidate)) return candidate;
  return {};
}

}  // namespace steer
