#include "cli/connection.h"

#include <cstdlib>
#include <filesystem>

#include "cli/cluster/data_dir.h"
#include "cluster/client/http_client.h"

namespace steer::cli {
namespace fs = std::filesystem;

std::string kubeconfigPath(const std::string& flag) {
  if (!flag.empty()) return flag;
  if (const char* env = std::getenv("KUBECONFIG"); env != nullptr && *env != '\0') {
    const std::string list(env);
    return list.substr(0, list.find(':'));
  }
  std::error_code ec;
  if (const auto local = DataDir::choose("").kubeconfig(); fs::exists(local, ec)) return local;
  if (const char* home = std::getenv("HOME"); home != nullptr)
    if (const auto usual = fs::path(home) / ".kube/config"; fs::exists(usual, ec)) return usual;
  return "";
}

Result<std::unique_ptr<Client>> connect(const std::string& kubeconfigFlag) {
  const auto path = kubeconfigPath(kubeconfigFlag);
  if (path.empty())
    return makeError(Errc::notFound,
                     "no kubeconfig: start a cluster with `steer up`, or name one with --kubeconfig or $KUBECONFIG");
  STEER_TRY(auto options, readKubeconfig(path));
  return makeHttpClient(std::move(options));
}

}  // namespace steer::cli
