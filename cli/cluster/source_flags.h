#pragma once
// The flags that name what a server follows: --repo, --branch, --path and how to reach it.
#include <string>

#include "reconciler/git/git_source.h"

namespace CLI {
class App;
}

namespace steer::cli {

struct SourceFlags {
  std::string repo;
  std::string branch;
  std::string path;
  std::string sshKey;
  std::string knownHosts;
  std::string tokenFile;
  int intervalSeconds = 15;

  std::vector<std::string> allowed{};
  void addTo(CLI::App& command);
  bool given() const { return !repo.empty(); }
  /// Errors: io when a named file cannot be read.
  Result<SourceOptions> options() const;
};

}  // namespace steer::cli
