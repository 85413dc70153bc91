// Reading kubeconfig files, as kubectl writes them.
#include <array>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "cluster/client/http_client.h"

#include "core/base64.h"
#include "core/yaml.h"

namespace steer {
namespace {

Result<std::string> fileText(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) return makeError(Errc::io, "cannot read " + path + ": " + std::strerror(errno));
  std::ostringstream text;
  text << in.rdbuf();
  return text.str();
}

const json::value* named(const json::value& config, std::string_view list, std::string_view name,
                         std::string_view member) {
  for (const auto& item : arrayAt(config, {list}))
    if (stringAt(item, {"name"}) == name) return find(item, {member});
  return nullptr;
}

/// The PEM text of "<key>-data" (base64) or of the file that "<key>" names, relative to the config.
Result<std::string> pemOf(const json::value& from, const std::string& key, const std::string& configPath) {
  if (const auto data = stringAt(from, {key + "-data"}); !data.empty()) {
    auto text = fromBase64(data);
    if (!text) return makeError(Errc::invalid, configPath + ": " + key + "-data is not base64");
    return std::move(*text);
  }
  const auto file = stringAt(from, {key});
  if (file.empty()) return std::string();
  const auto path = std::filesystem::path(configPath).parent_path() / std::filesystem::path(std::string(file));
  return fileText(path.string());
}

}  // namespace

Result<HttpClientOptions> readKubeconfig(const std::string& path, const std::string& context) {
  STEER_TRY(const auto text, fileText(path));
  Diagnostics findings;
  const auto documents = parseYaml(text, path, findings, {.quotes = YamlLimits::Quotes::never});
  if (findings.hasErrors()) return makeError(Errc::invalid, findings.text());
  const auto invalid = [&](const std::string& what) { return makeError(Errc::invalid, path + ": " + what); };
  if (documents.empty() || !documents.front().value.is_object()) return invalid("this is not a kubeconfig");
  const auto& config = documents.front().value;
  const std::string wanted = context.empty() ? std::string(stringAt(config, {"current-context"})) : context;
  const auto* chosen = named(config, "contexts", wanted, "context");
  if (chosen == nullptr) return invalid("there is no context \"" + wanted + "\"");
  const auto* cluster = named(config, "clusters", stringAt(*chosen, {"cluster"}), "cluster");
  if (cluster == nullptr) return invalid("there is no cluster for context \"" + wanted + "\"");
  HttpClientOptions out;
  out.server = stringAt(*cluster, {"server"});
  if (out.server.empty()) return invalid("the cluster of context \"" + wanted + "\" has no server");
  STEER_TRY(out.caPem, pemOf(*cluster, "certificate-authority", path));
  if (const auto* user = named(config, "users", stringAt(*chosen, {"user"}), "user"); user != nullptr) {
    STEER_TRY(out.clientCertificatePem, pemOf(*user, "client-certificate", path));
    STEER_TRY(out.clientKeyPem, pemOf(*user, "client-key", path));
    out.token = stringAt(*user, {"token"});
    if (const auto file = stringAt(*user, {"tokenFile"}); out.token.empty() && !file.empty()) {
      STEER_TRY(out.token, fileText(std::string(file)));
      while (!out.token.empty() && out.token.back() == '\n') out.token.pop_back();
    }
  }
  return out;
}

}  // namespace steer
