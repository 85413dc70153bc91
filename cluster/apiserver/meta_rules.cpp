#include "cluster/apiserver/meta_rules.h"

#include <cctype>

#include "cluster/apiserver/status_error.h"

namespace steer {
namespace {

constexpr std::size_t kAnnotationBytes = 256 * 1024;

bool lowerOrDigit(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); }
bool alnum(char c) { return lowerOrDigit(c) || (c >= 'A' && c <= 'Z'); }

bool isDnsLabel(std::string_view s) {
  if (s.empty() || s.size() > 63 || !lowerOrDigit(s.front()) || !lowerOrDigit(s.back())) return false;
  for (const char c : s)
    if (!lowerOrDigit(c) && c != '-') return false;
  return true;
}

bool isDnsSubdomain(std::string_view s) {
  if (s.empty() || s.size() > 253) return false;
  while (true) {
    const auto dot = s.find('.');
    const auto part = s.substr(0, dot);
    if (part.empty() || !lowerOrDigit(part.front()) || !lowerOrDigit(part.back())) return false;
    for (const char c : part)
      if (!lowerOrDigit(c) && c != '-') return false;
    if (dot == std::string_view::npos) return true;
    s.remove_prefix(dot + 1);
  }
}

bool isQualifiedPart(std::string_view s) {
  if (s.empty() || s.size() > 63 || !alnum(s.front()) || !alnum(s.back())) return false;
  for (const char c : s)
    if (!alnum(c) && c != '-' && c != '_' && c != '.') return false;
  return true;
}

void validateAnnotations(const json::object& annotations, std::vector<Cause>& causes) {
  std::size_t total = 0;
  for (const auto& [key, value] : annotations) {
    std::string lower(key);
    for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (const auto why = qualifiedKeyProblem(lower); !why.empty())
      causes.push_back(invalidValue("metadata.annotations", "\"" + std::string(key) + "\": " + std::string(why)));
    total += key.size() + (value.is_string() ? value.get_string().size() : 0);
  }
  if (total > kAnnotationBytes)
    causes.push_back({"FieldValueTooLong", "metadata.annotations", "Too long: may not be more than 262144 bytes"});
}

}  // namespace

std::string_view nameProblem(std::string_view name, NameRule rule) {
  switch (rule) {
    case NameRule::dnsSubdomain:
      return isDnsSubdomain(name)
                 ? ""
                 : "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, "
                   "'-' or '.', and must start and end with an alphanumeric character";
    case NameRule::dnsLabel:
      return isDnsLabel(name) ? ""
                              : "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', "
                                "and must start and end with an alphanumeric character";
    case NameRule::dnsLabel1035:
      return isDnsLabel(name) && name.front() >= 'a'
                 ? ""
                 : "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an "
                   "alphabetic character, and end with an alphanumeric character";
    case NameRule::pathSegment:
      if (name == "." || name == "..") return "may not be '.' or '..'";
      return name.find('/') != name.npos || name.find('%') != name.npos ? "may not contain '/' or '%'" : "";
  }
  return "";
}

std::string_view labelValueProblem(std::string_view value) {
  return value.empty() || isQualifiedPart(value)
             ? ""
             : "a valid label must be an empty string or consist of at most 63 alphanumeric characters, '-', '_' or "
               "'.', and must start and end with an alphanumeric character";
}

std::string_view qualifiedKeyProblem(std::string_view key) {
  const auto slash = key.find('/');
  const bool good = slash == key.npos ? isQualifiedPart(key)
                                      : isDnsSubdomain(key.substr(0, slash)) && isQualifiedPart(key.substr(slash + 1));
  return good ? ""
              : "name part must consist of at most 63 alphanumeric characters, '-', '_' or '.', and must start and end "
                "with an alphanumeric character, with an optional DNS subdomain prefix and '/'";
}

void validateLabels(const json::object& labels, const std::string& path, std::vector<Cause>& causes) {
  for (const auto& [key, value] : labels) {
    if (const auto why = qualifiedKeyProblem(key); !why.empty())
      causes.push_back(invalidValue(path, "\"" + std::string(key) + "\": " + std::string(why)));
    const auto* text = value.if_string();
    if (text == nullptr) continue;
    if (const auto why = labelValueProblem(view(*text)); !why.empty())
      causes.push_back(invalidValue(path, "\"" + std::string(view(*text)) + "\": " + std::string(why)));
  }
}

void validateMetadata(const json::object& object, NameRule rule, std::vector<Cause>& causes) {
  const auto& meta = objectAt(object, {"metadata"});
  const auto name = stringAt(meta, {"name"});
  if (name.empty()) {
    causes.push_back(requiredValue("metadata.name", "name or generateName is required"));
  } else if (const auto why = nameProblem(name, rule); !why.empty()) {
    causes.push_back(invalidValue("metadata.name", "\"" + std::string(name) + "\": " + std::string(why)));
  }
  validateLabels(objectAt(meta, {"labels"}), "metadata.labels", causes);
  validateAnnotations(objectAt(meta, {"annotations"}), causes);
  for (const auto& item : arrayAt(meta, {"finalizers"}))
    if (const auto* text = item.if_string())
      if (const auto why = qualifiedKeyProblem(view(*text)); !why.empty())
        causes.push_back(
            invalidValue("metadata.finalizers", "\"" + std::string(view(*text)) + "\": " + std::string(why)));
}

}  // namespace steer
