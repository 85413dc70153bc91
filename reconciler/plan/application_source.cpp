#include "reconciler/plan/application_source.h"

#include <algorithm>

#include "reconciler/plan/application_graph.h"
#include "reconciler/plan/application_policy.h"

namespace steer {
namespace {

bool staysInside(std::string_view path) {
  if (path.starts_with("/")) return false;
  while (!path.empty()) {
    const auto end = std::min(path.find('/'), path.size());
    if (path.substr(0, end) == "..") return false;
    path.remove_prefix(std::min(end + 1, path.size()));
  }
  return true;
}

std::string withoutDot(std::string path) {
  while (path.starts_with("./")) path.erase(0, 2);
  while (path.ends_with("/")) path.pop_back();
  return path == "." ? "" : path;
}

std::string textOf(const WantedObject& w) {
  return std::string(stringAt(w.body, {"kind"})) + " " + (w.ref.ns.empty() ? "" : w.ref.ns + "/") + w.ref.name;
}

/// Whom it waits for: those it names, and the one that declares it.
std::vector<std::string> waitsFor(const DeclaredApplication& a) {
  auto out = dependenciesOf(a.spec, a.ns);
  if (!a.parent.empty()) out.push_back(a.parent);
  return out;
}

/// What two applications declare both, told once for each pair of them.
void findOverlaps(const std::vector<DeclaredApplication>& applications, Diagnostics& out) {
  struct Overlap {
    std::size_t count = 0;
    SourcePos place{};
    std::string first{};
  };
  std::map<ObjectRef, const DeclaredApplication*> declared;
  std::map<std::pair<std::string, std::string>, Overlap> overlaps;
  for (const auto& application : applications)
    for (const auto& w : application.wanted) {
      const auto [known, isNew] = declared.emplace(w.ref, &application);
      if (isNew) continue;
      auto& overlap = overlaps[{known->second->label, application.label}];
      if (overlap.count++ == 0) overlap = {1, w.source, textOf(w)};
    }
  for (const auto& [who, overlap] : overlaps) {
    const bool one = overlap.count == 1;
    out.add({Severity::error, overlap.place, overlap.first, "",
             "is declared by application " + who.first + " and by application " + who.second +
                 (one ? "" : ", as are " + std::to_string(overlap.count - 1) + " more objects"),
             "let one of them not read it: narrow a path, or name it in a .steerignore"});
  }
}

}  // namespace

std::string plainAddress(std::string_view url) {
  if (url.starts_with("file://")) url.remove_prefix(7);
  while (url.ends_with("/") && url.size() > 1) url.remove_suffix(1);
  if (url.ends_with(".git")) url.remove_suffix(4);
  while (url.ends_with("/") && url.size() > 1) url.remove_suffix(1);
  return std::string(url);
}

bool sameRepository(std::string_view a, std::string_view b) { return !a.empty() && plainAddress(a) == plainAddress(b); }

NestedSource nestedSource(const AskedSource& asked, const SourceIdentity& source) {
  constexpr std::string_view kTags = "refs/tags/";
  const auto& revision = asked.revision;
  const bool same = asked.url.empty() || std::any_of(source.urls.begin(), source.urls.end(), [&](const auto& known) {
                      return sameRepository(known, asked.url);
                    });
  if (!same) return {std::nullopt, "reads another repository"};
  if (!asked.semver.empty()) return {std::nullopt, "is pinned to semver " + asked.semver};
  const bool tag = revision.starts_with(kTags);
  const auto name = tag ? revision.substr(kTags.size()) : revision;
  if (!revision.empty() && revision != source.revision && name != source.revision && revision != source.commit) {
    if (tag) return {std::nullopt, "is pinned to tag " + name};
    if (name.size() == 40 && name.find_first_not_of("0123456789abcdef") == std::string::npos)
      return {std::nullopt, "is pinned to commit " + name};
    if (!source.revision.empty()) return {std::nullopt, "follows branch " + name};
  }
  auto path = withoutDot(asked.path);
  if (!staysInside(path)) return {std::nullopt, "reads " + path + ", which leaves the repository"};
  return {std::move(path), ""};
}

Diagnostics applicationFindings(const std::vector<DeclaredApplication>& applications,
                                const std::vector<std::string>& elsewhere) {
  Diagnostics out;
  ApplicationGraph graph;
  std::map<std::string, const DeclaredApplication*> byLabel;
  for (const auto& a : applications) {
    graph[a.label] = waitsFor(a);
    byLabel[a.label] = &a;
  }
  for (const auto& cycle : dependencyCycles(graph))
    out.add({Severity::error, byLabel.at(cycle.front())->place, "Application " + cycle.front(), "spec.dependsOn",
             "applications wait for each other: " + cycleText(cycle), "take one of these dependencies out"});
  for (const auto& a : applications) {
    for (const auto& dependency : graph[a.label])
      if (!graph.contains(dependency) && std::find(elsewhere.begin(), elsewhere.end(), dependency) == elsewhere.end())
        out.add({Severity::warning, a.place, "Application " + a.label, "spec.dependsOn",
                 "waits for application " + dependency + ", which is neither here nor in the cluster", ""});
    for (const auto& [path, problem] : policyProblems(a.spec))
      out.add({Severity::error, a.place, "Application " + a.label, path, problem, ""});
  }
  findOverlaps(applications, out);
  out.sort();
  return out;
}

std::vector<DeclaredApplication> inOrder(std::vector<DeclaredApplication> applications) {
  std::vector<DeclaredApplication> out;
  std::map<std::string, bool> placed;
  for (const auto& a : applications) placed[a.label] = false;
  const auto ready = [&](const DeclaredApplication& a) {
    const auto waits = waitsFor(a);
    return std::all_of(waits.begin(), waits.end(), [&](const auto& label) {
      const auto it = placed.find(label);
      return it == placed.end() || it->second;
    });
  };
  while (!applications.empty()) {
    auto next = std::find_if(applications.begin(), applications.end(), ready);
    if (next == applications.end()) next = applications.begin();  // a cycle, which is a finding
    placed[next->label] = true;
    out.push_back(std::move(*next));
    applications.erase(next);
  }
  return out;
}

}  // namespace steer
