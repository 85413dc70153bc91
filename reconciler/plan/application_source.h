#pragma once
// Applications inside a source: which of them read the same source, and what is wrong among them. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostics.h"
#include "reconciler/plan/plan.h"

namespace steer {

/// By what names a source is known.
struct SourceIdentity {
  std::vector<std::string> urls{};  ///< the repository and its remotes; empty for a plain directory
  std::string revision{};           ///< branch, tag or commit that was asked for; empty = whatever is there
  std::string commit{};             ///< that is read; empty for a plain directory
  /// The one address that it is named after: of its first remote, else its own; empty for a plain directory.
  std::string home{};
};

/// Where an Application finds its manifests: a path of the same source, or why it is another one.
struct NestedSource {
  std::optional<std::string> path{};
  std::string reason{};  ///< "reads another repository"
};

/// What an Application reads, with everything that its GitRepository and whoever declares it say.
struct AskedSource {
  std::string url{};
  std::string revision{};  ///< branch, refs/tags/TAG or commit; empty = whatever the repository shows
  std::string semver{};
  std::string path{};
};

/// An application that is pinned to another tag, range or commit than `source` was asked for does not follow it.
NestedSource nestedSource(const AskedSource& asked, const SourceIdentity& source);

/// An address without what may be left out of it: file://, a trailing slash, ".git".
std::string plainAddress(std::string_view url);
/// The same repository, written in another way: file://, a trailing slash, ".git".
bool sameRepository(std::string_view a, std::string_view b);

struct DeclaredApplication {
  std::string label;    ///< as in kApplicationLabel
  std::string ns;       ///< of the Application object
  SourcePos place{};    ///< of the Application object; empty for the one that was asked for
  json::object spec{};  ///< empty likewise
  std::vector<WantedObject> wanted{};
  std::set<ObjectRef> quarantined{};  ///< known by name, but wrong: left as they live
  bool complete = true;               ///< false: something could not be read, so nothing may be deleted
  std::string refusal{};              ///< why nothing of it may be applied; empty = it may
  bool leaves = false;                ///< nobody declares it any more: it goes, with what it owns
  std::string parent{};               ///< label of the one that declares it, and so must come before it
};

/// Cycles among dependsOn and declarations, objects that two applications declare, dependencies on nothing, and
/// policies that cannot be read. `elsewhere`: labels of applications that the cluster knows.
Diagnostics applicationFindings(const std::vector<DeclaredApplication>& applications,
                                const std::vector<std::string>& elsewhere);

/// Those that others depend on, and that declare others, first; otherwise as they stand. Members of a cycle
/// keep their order.
std::vector<DeclaredApplication> inOrder(std::vector<DeclaredApplication> applications);

}  // namespace steer
