// Config maps, secrets, namespaces, leases, signing requests and applications.
#include <set>

#include "core/address_credentials.h"
#include "core/base64.h"
#include "schemas/formats.h"
#include "schemas/rules/reading.h"

namespace steer {
namespace {

constexpr std::size_t kSizeLimit = 1024 * 1024;

/// Keys in order; returns the bytes of the values.
std::size_t checkKeys(const FieldPath& at, const json::object& data, bool encoded, RuleReport& report) {
  std::size_t size = 0;
  for (const auto& [key, value] : data) {
    const std::string_view name(key.data(), key.size());
    report.check(at.key(name), name, checkConfigKey);
    if (const auto* text = value.if_string()) size += encoded ? base64Size(view(*text)) : text->size();
  }
  return size;
}

/// Who may read an Application reads its address, too.
void checkAddress(const FieldPath& at, std::string_view url, RuleReport& report) {
  if (holdsCredentials(url))
    report.invalid(at, nullptr,
                   "must hold neither user, password nor token: put them into a Secret, and name it in secretRef");
}

/// Keys that the type of a secret promises.
std::vector<std::string> keysOfType(std::string_view type) {
  if (type == "kubernetes.io/dockerconfigjson") return {".dockerconfigjson"};
  if (type == "kubernetes.io/dockercfg") return {".dockercfg"};
  if (type == "kubernetes.io/tls") return {"tls.crt", "tls.key"};
  if (type == "kubernetes.io/ssh-auth") return {"ssh-privatekey"};
  return {};
}

bool isJsonObject(const json::value& encoded) {
  const auto* text = encoded.if_string();
  if (text == nullptr) return false;
  const auto parsed = parseJson(fromBase64(view(*text)).value_or(""));
  return parsed.ok() && parsed.value().is_object();
}

/// "example.com/serving": a domain of at least two parts and a path.
NameProblem checkSignerName(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == std::string_view::npos)
    return "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  const auto domain = name.substr(0, slash);
  if (domain.empty() || slash + 1 == name.size() || name.find('/', slash + 1) != std::string_view::npos)
    return "must be a fully qualified domain and path of the form 'example.com/signer-name'";
  if (auto problem = checkDns1123Subdomain(domain)) return problem;
  if (domain.find('.') == std::string_view::npos)
    return "should be a domain with at least two segments separated by dots";
  return checkDns1123Subdomain(name.substr(slash + 1));
}

}  // namespace

void checkConfigMap(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto data = root.field("data");
  const auto binary = root.field("binaryData");
  const auto& plain = members(object, "data");
  const auto size =
      checkKeys(data, plain, false, report) + checkKeys(binary, members(object, "binaryData"), true, report);
  for (const auto& [key, value] : members(object, "binaryData"))
    if (plain.contains(key))
      report.invalid(binary.key({key.data(), key.size()}), nullptr, "duplicate of key present in data");
  if (size > kSizeLimit) report.tooLong(FieldPath(), "may not be more than 1048576 bytes");
}

void checkSecret(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto data = root.field("data");
  const auto& said = members(object, "data");
  if (checkKeys(data, said, true, report) > kSizeLimit) report.tooLong(data, "may not be more than 1048576 bytes");
  const auto type = text(object, "type");
  for (const auto& key : keysOfType(type)) {
    const auto* value = said.if_contains(key);
    if (value == nullptr) report.required(data.key(key));
    else if (type.starts_with("kubernetes.io/docker") && !isJsonObject(*value))
      report.invalid(data.key(key), nullptr, "the value is not a JSON object");
  }
  if (type == "kubernetes.io/basic-auth" && !said.contains("username") && !said.contains("password")) {
    report.required(data.key("username"));
    report.required(data.key("password"));
  }
  if (type == "kubernetes.io/service-account-token" &&
      stringAt(object, {"metadata", "annotations", "kubernetes.io/service-account.name"}).empty()) {
    const auto annotations = root.path("metadata.annotations");
    report.required(annotations.key("kubernetes.io/service-account.name"));
  }
}

void checkServiceAccount(const json::object&, RuleReport&) {}

void checkNamespace(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  for (const auto& item : arrayAt(object, {"spec", "finalizers"}))
    if (item.is_string()) checkFinalizerName(spec.field("finalizers"), view(item.get_string()), report);
}

void checkLease(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  if (given(spec, "leaseDurationSeconds") != nullptr && number(spec, "leaseDurationSeconds") <= 0)
    report.invalid(at.field("leaseDurationSeconds"), number(spec, "leaseDurationSeconds"), "must be greater than 0");
  checkNotNegative(at, spec, "leaseTransitions", report);
  const auto* strategy = given(spec, "strategy");
  if (given(spec, "preferredHolder") != nullptr && (strategy == nullptr || text(spec, "strategy").empty()))
    report.forbidden(at.field("preferredHolder"), "may only be specified if `strategy` is defined");
}

void checkSigningRequest(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto at = root.field("spec");
  const auto& spec = members(object, "spec");
  const auto request = fromBase64(text(spec, "request")).value_or("");
  if (request.find("-----BEGIN CERTIFICATE REQUEST-----") == std::string::npos)
    report.invalid(at.field("request"), nullptr, "PEM block type must be CERTIFICATE REQUEST");
  if (items(spec, "usages").empty()) report.required(at.field("usages"));
  const std::vector<std::string> known{"any",
                                       "cert sign",
                                       "client auth",
                                       "code signing",
                                       "content commitment",
                                       "crl sign",
                                       "data encipherment",
                                       "decipher only",
                                       "digital signature",
                                       "email protection",
                                       "encipher only",
                                       "ipsec end system",
                                       "ipsec tunnel",
                                       "ipsec user",
                                       "key agreement",
                                       "key encipherment",
                                       "microsoft sgc",
                                       "netscape sgc",
                                       "ocsp signing",
                                       "s/mime",
                                       "server auth",
                                       "signing",
                                       "timestamping"};
  std::set<std::string, std::less<>> seen;
  eachText(at, spec, "usages", [&](const FieldPath& here, std::string_view usage) {
    checkEnum(here, usage, known, report, Empty::unsupported);
    if (!seen.emplace(usage).second) report.duplicate(here, quoted(usage));
  });
  const auto signer = text(spec, "signerName");
  const auto here = at.field("signerName");
  if (signer.empty()) report.required(here);
  else if (signer == "kubernetes.io/legacy-unknown")
    report.invalid(here, quoted(signer), "the legacy signerName is not allowed via this API version");
  else report.check(here, signer, checkSignerName(signer));
  constexpr std::int64_t kShortest = 600;
  if (given(spec, "expirationSeconds") != nullptr && number(spec, "expirationSeconds") < kShortest)
    report.invalid(at.field("expirationSeconds"), number(spec, "expirationSeconds"),
                   "may not specify a duration less than 600 seconds (10 minutes)");
}

void checkApplication(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  const auto source = spec.field("source");
  const auto& said = objectAt(object, {"spec", "source"});
  const bool byRef = !stringAt(said, {"repositoryRef", "name"}).empty();
  const bool byUrl = !stringAt(said, {"url"}).empty();
  if (byRef && byUrl) report.forbidden(source.field("url"), "may not be used together with repositoryRef");
  checkAddress(source.field("url"), stringAt(said, {"url"}), report);
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

void checkGitRepository(const json::object& object, RuleReport& report) {
  const FieldPath root;
  const auto spec = root.field("spec");
  checkAddress(spec.field("url"), stringAt(object, {"spec", "url"}), report);
}

}  // namespace steer
