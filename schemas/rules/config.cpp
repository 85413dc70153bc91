// Config maps, secrets and applications.
#include <set>

#include "schemas/formats.h"
#include "schemas/rules.h"

namespace steer {
namespace {

constexpr std::size_t kSizeLimit = 1024 * 1024;

std::size_t checkKeys(const json::object& object, const char* field, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field(field);
  std::size_t size = 0;
  for (const auto& [key, value] : objectAt(object, {field})) {
    const std::string_view name(key.data(), key.size());
    report.check(at.key(name), name, checkConfigKey);
    const auto* text = value.if_string();
    if (text == nullptr) continue;
    const bool encoded = std::string_view(field) == "binaryData";
    size += name.size() + (encoded ? base64Size(view(*text)) : text->size());
  }
  return size;
}

/// Keys that the type of a secret promises.
std::vector<std::string> keysOfType(std::string_view type) {
  if (type == "kubernetes.io/dockerconfigjson") return {".dockerconfigjson"};
  if (type == "kubernetes.io/dockercfg") return {".dockercfg"};
  if (type == "kubernetes.io/tls") return {"tls.crt", "tls.key"};
  if (type == "kubernetes.io/ssh-auth") return {"ssh-privatekey"};
  return {};
}

}  // namespace

void checkConfigMap(const json::object& object, RuleReport& report) {
  const auto size = checkKeys(object, "data", report) + checkKeys(object, "binaryData", report);
  const FieldPath root;
  const auto binary = root.field("binaryData");
  const auto& data = objectAt(object, {"data"});
  for (const auto& [key, value] : objectAt(object, {"binaryData"}))
    if (data.contains(key))
      report.invalid(binary.key({key.data(), key.size()}), nullptr, "duplicate of key present in data");
  if (size > kSizeLimit) report.tooLong(root.field("data"), "may not be more than 1048576 bytes");
}

void checkSecret(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto data = root.field("data");
  checkKeys(object, "stringData", report);
  std::size_t size = 0;
  for (const auto& [key, value] : objectAt(object, {"data"})) {
    const std::string_view name(key.data(), key.size());
    report.check(data.key(name), name, checkConfigKey);
    if (const auto* text = value.if_string()) size += base64Size(view(*text));
  }
  for (const auto& [key, value] : objectAt(object, {"stringData"}))
    if (const auto* text = value.if_string()) size += text->size();
  if (size > kSizeLimit) report.tooLong(data, "may not be more than 1048576 bytes");
  const auto has = [&](const std::string& key) {
    return objectAt(object, {"data"}).contains(key) || objectAt(object, {"stringData"}).contains(key);
  };
  const auto type = stringAt(object, {"type"});
  for (const auto& key : keysOfType(type))
    if (!has(key)) report.required(data.key(key));
  if (type == "kubernetes.io/basic-auth" && !has("username") && !has("password")) {
    report.required(data.key("username"));
    report.required(data.key("password"));
  }
}

void checkApplication(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto source = spec.field("source");
  const auto& said = objectAt(object, {"spec", "source"});
  const bool byRef = !stringAt(said, {"repositoryRef", "name"}).empty();
  const bool byUrl = !stringAt(said, {"url"}).empty();
  if (byRef && byUrl) report.forbidden(source.field("url"), "may not be used together with repositoryRef");
  const auto path = stringAt(said, {"path"});
  if (path.starts_with("/") || path.find("..") != std::string_view::npos)
    report.invalid(source.field("path"), json::value(jkey(path)), "must be a path inside the repository");
  const auto ns = stringAt(object, {"spec", "targetNamespace"});
  if (!ns.empty()) report.check(spec.field("targetNamespace"), ns, checkDns1123Label);
  const auto percent = intAt(object, {"spec", "deleteBudget", "percent"});
  const auto budget = spec.field("deleteBudget");
  if (percent < 0 || percent > 100)
    report.invalid(budget.field("percent"), percent, "must be between 0 and 100, inclusive");
}

}  // namespace steer
