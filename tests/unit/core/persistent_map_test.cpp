#include "core/persistent_map.h"

#include <catch2/catch.hpp>
#include <map>
#include <random>

using steer::PersistentMap;

TEST_CASE("a persistent map agrees with std::map under random edits, and copies stay as they were") {
  std::mt19937 rng(7);
  PersistentMap<int> map;
  std::map<std::string, int> model;
  std::vector<std::pair<PersistentMap<int>, std::map<std::string, int>>> copies;
  for (int i = 0; i < 5000; ++i) {
    const std::string key = "k" + std::to_string(rng() % 400);
    if (rng() % 3 == 0) {
      CHECK(map.erase(key) == (model.erase(key) == 1));
    } else {
      map.insert(key, i);
      model[key] = i;
    }
    if (i % 500 == 0) copies.emplace_back(map, model);
  }
  copies.emplace_back(map, model);
  for (const auto& [copy, expected] : copies) {
    std::map<std::string, int> seen;
    std::string last;
    copy.each([&](std::string_view k, int v) {
      CHECK(last < k);
      last = k;
      seen[std::string(k)] = v;
    });
    CHECK(seen == expected);
    CHECK(copy.size() == expected.size());
  }
}

TEST_CASE("prefix visits just the keys that start with it, in order") {
  PersistentMap<int> map;
  for (const char* k : {"a", "b/1", "b/2", "b0", "c"}) map.insert(k, 1);
  std::string seen;
  map.prefix("b/", [&](std::string_view k, int) { seen += std::string(k) + " "; });
  CHECK(seen == "b/1 b/2 ");
}
