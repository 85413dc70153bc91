#include "cli/inventory.h"

#include <algorithm>
#include <cctype>

#include "reconciler/loop/application_spec.h"
#include "reconciler/plan/fingerprint.h"

namespace steer::cli {
namespace {

constexpr int kDeepest = 20;          ///< applications that declare applications
constexpr std::size_t kLongest = 40;  ///< of a repository's name in a label of 63 characters
constexpr std::size_t kShownNames = 3;

std::string withoutSlashes(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.starts_with('/')) path.erase(0, 1);
  while (path.ends_with('/')) path.pop_back();
  return path == "." ? "" : path;
}

/// Reads specs with what they inherit from the applications that declare them.
class Specs {
 public:
  Specs(const std::map<std::string, ObjectPtr>& applications, const std::map<std::string, ObjectPtr>& repositories)
      : applications_(applications), repositories_(repositories) {}

  ApplicationSpec of(const Object& application, int depth = 0) const {
    const auto ref = stringAt(application.spec(), {"source", "repositoryRef", "name"});
    const auto known = repositories_.find(application.ns() + "/" + std::string(ref));
    const ObjectPtr repository = ref.empty() || known == repositories_.end() ? nullptr : known->second;
    const auto parent = applications_.find(std::string(application.label(kApplicationLabel)));
    if (!namesNoRepository(application) || parent == applications_.end() || depth == kDeepest)
      return readApplicationSpec(application, repository);
    const auto above = of(*parent->second, depth + 1);
    return readApplicationSpec(application, repository, &above);
  }

 private:
  const std::map<std::string, ObjectPtr>& applications_;
  const std::map<std::string, ObjectPtr>& repositories_;
};

bool readsSameRepository(const GivenSource& source, const FollowedApplication& app) {
  return std::any_of(app.commits.begin(), app.commits.end(),
                     [&](const auto& commit) { return source.commits.contains(commit); }) ||
         std::any_of(source.identity.urls.begin(), source.identity.urls.end(),
                     [&](const auto& url) { return sameRepository(url, app.url); });
}

/// "fleet" of "https://example.org/teams/fleet"; only what a label may hold, and no dot, which parts namespaces.
std::string nameOf(const std::string& address) {
  const auto begin = address.find_last_of("/:");
  std::string out = address.substr(begin == std::string::npos ? 0 : begin + 1, kLongest);
  for (auto& c : out)
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '-' && c != '_') c = '-';
  return out;
}

std::string ownName(const SourceIdentity& identity) {
  if (identity.home.empty()) return "cli_default";
  const auto address = plainAddress(identity.home);
  return "cli_" + nameOf(address) + "_" + Fingerprint().add(address).hex().substr(0, 8);
}

std::string followsText(const FollowedApplication& app) {
  return "application " + app.label + " follows " + app.url + (app.revision.empty() ? "" : " " + app.revision) +
         (app.path.empty() ? "" : " " + app.path);
}

std::string namesText(const std::vector<std::string>& names) {
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), kShownNames); ++i) out += (i == 0 ? "" : ", ") + names[i];
  return names.size() > kShownNames ? out + " and " + std::to_string(names.size() - kShownNames) + " more" : out;
}

}  // namespace

std::vector<FollowedApplication> followedApplications(const std::map<std::string, ObjectPtr>& applications,
                                                      const std::map<std::string, ObjectPtr>& repositories) {
  const Specs specs(applications, repositories);
  std::vector<FollowedApplication> out;
  for (const auto& [label, object] : applications) {
    const auto spec = specs.of(*object);
    FollowedApplication app{label, spec.source.url, spec.source.revision, withoutSlashes(spec.source.path)};
    app.suspended = spec.settings.suspend;
    for (const char* field : {"commit", "lastAppliedCommit"})
      if (const auto commit = stringAt(object->status(), {field}); !commit.empty()) app.commits.emplace_back(commit);
    out.push_back(std::move(app));
  }
  return out;
}

Result<std::string> inventoryFor(const GivenSource& source, const std::vector<FollowedApplication>& followed) {
  std::vector<std::string> nearest;
  std::size_t depth = 0;
  const auto asked = source.path ? withoutSlashes(*source.path) : "";
  for (const auto& app : followed) {
    if (!source.path || !readsSameRepository(source, app)) continue;
    const bool inside = app.path.empty() || asked == app.path || asked.starts_with(app.path + "/");
    if (!inside || app.path.size() < depth) continue;
    if (app.path.size() > depth) nearest.clear();
    depth = app.path.size();
    nearest.push_back(app.label);
  }
  if (nearest.size() > 1)
    return makeError(Errc::badRequest, "applications " + namesText(nearest) +
                                           " follow this source; say with --application which of them is meant");
  return nearest.empty() ? ownName(source.identity) : nearest.front();
}

std::vector<std::string> trespasses(const PlanSet& plans, const std::vector<FollowedApplication>& followed) {
  std::set<std::string> planned;
  for (const auto& plan : plans.plans) planned.insert(plan.application);
  std::vector<std::string> out;
  for (const auto& app : followed) {
    if (app.suspended) continue;
    std::vector<std::string> deleted, taken;
    for (const auto& plan : plans.plans)
      for (const auto& c : plan.changes) {
        if (c.action == PlanAction::remove && plan.application == app.label) deleted.push_back(c.text());
        if (c.movedFrom == app.label && !planned.contains(app.label)) taken.push_back(c.text());
      }
    if (!deleted.empty())
      out.push_back(followsText(app) + ", and " + namesText(deleted) +
                    " would be deleted there: delete by a commit, leave it with --no-prune, or name another inventory "
                    "with --application");
    if (!taken.empty())
      out.push_back(followsText(app) + ", and " + namesText(taken) + " would be taken from it: change it by a commit" +
                    ", or plan it as a part of that application with --application " + app.label);
  }
  return out;
}

}  // namespace steer::cli
