#pragma once
// What strangers write and we read: one target a format. A target reads the input as the product does and answers
// whether what must always hold holds. The same targets run over their corpus and under seeded mutation in every build
// (fuzz_test.cpp), and under libFuzzer (fuzz_driver.cpp, scripts/fuzz). Inputs that failed once stay in corpus/NAME.
#include <string>
#include <string_view>
#include <vector>

namespace steer::fuzz {

struct Target {
  std::string name;
  bool (*holds)(std::string_view input);
  /// What mutations put in.
  std::vector<std::string> words{};
};

std::vector<Target> textTargets();      ///< YAML, manifests, JSON, patches, quantities, times
std::vector<Target> languageTargets();  ///< selectors, cron, versions and ranges, addresses of repositories
std::vector<Target> httpTargets();      ///< heads, bodies and targets of requests, tokens
std::vector<Target> wireTargets();      ///< protobuf, DNS
std::vector<Target> fileTargets();      ///< containers' logs, Git's objects

inline std::vector<Target> allTargets() {
  std::vector<Target> out;
  for (auto make : {textTargets, languageTargets, httpTargets, wireTargets, fileTargets})
    for (auto& target : make()) out.push_back(std::move(target));
  return out;
}

}  // namespace steer::fuzz
