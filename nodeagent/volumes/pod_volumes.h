#pragma once
// PodVolumes: the directories of the pods of one node: their volumes, and the few files that the
// node gives each container. Everything of a pod lies in ROOT/pods/UID.
// Thread rule: thread-safe for different pods; one caller per pod.
// Failure rule: notFound = something referenced is not there yet (try again); others carry the path.
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/result.h"
#include "nodeagent/pod/environment.h"
#include "nodeagent/volumes/path_shield.h"

namespace steer {

class PodVolumes {
 public:
  /// shielded: directories of the node, besides `root`, that no pod sees.
  explicit PodVolumes(const std::filesystem::path& root, std::vector<std::string> shielded = {})
      : root_(root), shield_(withRoot(std::move(shielded), root), root / "empty") {}

  /// Lets mounts pass between the node and containers that ask for it (mountPropagation). Once, before any pod.
  Result<void> share();
  /// Makes every volume of the pod; what is there already stays. Volume name → path on the node.
  Result<std::map<std::string, std::string>> setUp(const Object& pod, const PodReferences& refs);
  /// Brings changed config maps and secrets into the running pod. Missing objects leave the old files.
  Result<void> refresh(const Object& pod, const PodReferences& refs);
  /// Where each volume lies, without making anything.
  std::map<std::string, std::string> paths(const Object& pod) const;
  /// subPath mounts of one container: mount path → path on the node that cannot be redirected by
  /// links inside the volume.
  Result<std::map<std::string, std::string>> subPaths(const Object& pod, const json::object& container,
                                                      std::uint32_t attempt, const PodReferences& refs);
  /// Points mounts of hostPath volumes to where they lead, and covers what no pod sees. Errors: forbidden.
  Result<void> shield(const Object& pod, const json::object& container, std::vector<ContainerMount>& mounts) const;
  /// An empty file for the container to leave its last words in.
  Result<std::string> terminationFile(const Object& pod, const std::string& container, std::uint32_t attempt);
  Result<std::string> writeHostsFile(const Object& pod, const std::string& content);

  /// Unmounts and deletes the volumes; the pod's other files stay.
  Result<void> release(const std::string& podUid);
  /// Unmounts and deletes all of the pod. Never follows a link or crosses a mount.
  Result<void> remove(const std::string& podUid);
  /// Pods that left something here.
  std::vector<std::string> podUids() const;

 private:
  std::filesystem::path podDir(const std::string& uid) const { return root_ / "pods" / uid; }
  std::filesystem::path volumeDir(const Object& pod, std::string_view volume) const {
    return podDir(pod.uid()) / "volumes" / volume;
  }
  Result<void> setUpOne(const Object& pod, const json::value& volume, const PodReferences& refs);

  static std::vector<std::string> withRoot(std::vector<std::string> shielded, const std::filesystem::path& root) {
    shielded.push_back(root.string());
    return shielded;
  }

  std::filesystem::path root_;
  PathShield shield_;
};

}  // namespace steer
