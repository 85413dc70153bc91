#pragma once
// The applications of a source: the one that is asked for, and those whose Application objects it
// holds and that read the same source, and so on down. Each is read once, so circles end.
// Thread rule: main thread. Failure rule: what cannot be read is an error; what is wrong in the
// manifests, or among the applications, are findings.
#include <map>
#include <set>
#include <string>
#include <vector>

#include "cli/source_tree.h"
#include "core/diagnostics.h"
#include "core/object.h"

namespace steer::cli {

struct NestedRequest {
  std::string application;                ///< label of the one that is asked for
  std::string defaultNamespace;           ///< for its objects that name none
  std::set<std::string> namespaces;       ///< that the cluster has
  std::vector<std::string> applications;  ///< labels of those that the cluster has
  /// The GitRepositories that the cluster has, by "namespace/name"; those of the source go before them.
  std::map<std::string, ObjectPtr> repositories{};
  ObjectPtr live{};  ///< the Application that is asked for, where the cluster has it: its `include` counts
};

struct NestedApplications {
  std::vector<DeclaredApplication> all;  ///< in the order in which they are carried out
  Diagnostics findings;                  ///< in manifests: their objects are in quarantine
  Diagnostics disputes;                  ///< among applications; with an error nothing can be planned
  std::vector<std::string> notes;        ///< applications that were left out, and why
};

Result<NestedApplications> readApplications(SourceReader& source, const NestedRequest& request);

}  // namespace steer::cli
