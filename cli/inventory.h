#pragma once
// Whose objects a command line applies. What the cluster follows by itself is never mixed up with what a person
// applies by hand: without --application the inventory is that of the application which follows this very
// source, else one that no Application can have. Pure.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "core/object.h"
#include "core/result.h"
#include "reconciler/plan/application_source.h"
#include "reconciler/plan/plan_set.h"

namespace steer::cli {

/// An Application of the cluster that its reconciler applies by itself.
struct FollowedApplication {
  std::string label;
  std::string url;
  std::string revision;                ///< as people write it; empty = the repository's own
  std::string path;                    ///< without slashes at the ends
  std::vector<std::string> commits{};  ///< that its status names
  bool suspended = false;
};

/// applications: by label; repositories: GitRepositories by "namespace/name".
std::vector<FollowedApplication> followedApplications(const std::map<std::string, ObjectPtr>& applications,
                                                      const std::map<std::string, ObjectPtr>& repositories);

/// What a command line was given.
struct GivenSource {
  SourceIdentity identity{};
  /// Inside its repository; nothing for a plain directory, and for several paths.
  std::optional<std::string> path{};
  /// Which of the followed commits its repository holds: a clone, whatever its remotes are called.
  std::set<std::string> commits{};
};

/// The application that follows this source, or the directory around it; else a name of its own after the repository,
/// "cli_fleet_3fa2c1d0". Errors: badRequest when several applications follow it.
Result<std::string> inventoryFor(const GivenSource& source, const std::vector<FollowedApplication>& followed);

/// Why these plans must not be carried out from a command line; empty when they may: they delete what a followed
/// application owns, or take it over.
std::vector<std::string> trespasses(const PlanSet& plans, const std::vector<FollowedApplication>& followed);

}  // namespace steer::cli
