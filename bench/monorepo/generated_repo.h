#pragma once
// GeneratedRepo: a bare repository with very many manifests: teams with a namespace each, and
// applications of twenty objects, one a file. Written through `git fast-import`.
#include <string>

struct GeneratedRepo {
  std::string dir;
  int teams = 0;
  int applicationsPerTeam = 0;

  /// teams × (1 + 20 × applicationsPerTeam) manifests.
  static GeneratedRepo make(const std::string& dir, int teams, int applicationsPerTeam);
  int manifests() const { return teams * (1 + 20 * applicationsPerTeam); }
  int directories() const { return 1 + teams * (1 + applicationsPerTeam); }
  /// Commits another value in one ConfigMap; `value` must be another one each time.
  void changeOne(int team, int application, const std::string& value) const;
};
