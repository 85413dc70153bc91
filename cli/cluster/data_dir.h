#pragma once
// Where a cluster keeps its things on this machine. Plain paths; only ensure() touches the disk.
#include <filesystem>
#include <string>

#include "core/result.h"

namespace steer::cli {

struct DataDir {
  std::filesystem::path root;

  /// --data-dir, else $STEER_DATA_DIR, else /var/lib/steersman for root and ~/.local/share/steersman for others.
  static DataDir choose(const std::string& flag);

  std::filesystem::path stateDb() const { return root / "state.db"; }
  std::filesystem::path pki() const { return root / "pki"; }
  std::filesystem::path kubeconfig() const { return root / "kubeconfig"; }
  std::filesystem::path agentToken() const { return root / "agent-token"; }
  std::filesystem::path nodes() const { return root / "nodes"; }
  std::filesystem::path source() const { return root / "source"; }
  std::filesystem::path clusterJson() const { return root / "cluster.json"; }

  /// Makes the folders, mode 0700.
  Result<void> ensure() const;
};

/// Writes a file whole or not at all (temporary name, fsync, rename), with the mode given.
Result<void> writeFileAtomically(const std::filesystem::path& path, const std::string& text, unsigned mode = 0600);
Result<std::string> readFile(const std::filesystem::path& path);

}  // namespace steer::cli
