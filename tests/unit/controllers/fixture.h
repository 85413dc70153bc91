#pragma once
// Literals for tests of decisions: objects from short JSON, and a world to put them in.
#include <catch2/catch.hpp>
#include <string>
#include <vector>

#include "core/controller.h"
#include "core/rfc3339.h"

namespace steer::testing {

inline const Time kNow = *parseTime("2026-01-01T01:00:00Z");

inline ObjectPtr object(const std::string& text) {
  auto value = parseJson(text);
  REQUIRE(value.ok());
  return Object::make(value->as_object());
}

/// Applies what a decision asks for, as far as these tests need a server: names, uids, merge patches.
class World {
 public:
  Snapshot snapshot;

  void put(const std::string& resource, json::object body) {
    auto& metadata = ensureObject(body, "metadata");
    if (!metadata.contains("uid")) metadata["uid"] = "uid-" + std::to_string(++counter_);
    if (!metadata.contains("creationTimestamp")) metadata["creationTimestamp"] = formatTime(kNow);
    metadata["resourceVersion"] = std::to_string(++counter_);
    snapshot.put(resource, Object::make(std::move(body)));
  }
  void put(const std::string& resource, const std::string& text) { put(resource, object(text)->json()); }

  void apply(const std::vector<Write>& writes);
  void apply(const Decision& decision) { apply(decision.writes); }

 private:
  int counter_ = 0;
};

inline void merge(json::object& into, const json::object& patch) {
  for (const auto& [key, value] : patch) {
    if (value.is_null()) into.erase(key);
    else if (value.is_object() && into.contains(key) && into[key].is_object())
      merge(into[key].as_object(), value.as_object());
    else into[key] = value;
  }
}

inline void World::apply(const std::vector<Write>& writes) {
  for (const auto& write : writes) {
    const auto& target = write.target;
    if (write.verb == Write::Verb::remove) {
      snapshot.remove(target.resource, target.ns, target.name);
      continue;
    }
    json::object body = write.body.as_object();
    if (write.verb == Write::Verb::patch) {
      json::object live = snapshot.get(target)->json();
      merge(live, body);
      body = std::move(live);
    }
    if (write.verb == Write::Verb::create && target.name.empty())
      body["metadata"].as_object()["name"] =
          std::string(stringAt(body, {"metadata", "generateName"})) + std::to_string(++counter_);
    if (write.verb == Write::Verb::create) body["metadata"].as_object()["generation"] = 1;
    put(target.resource, std::move(body));
  }
}

inline std::size_t count(const Decision& decision, Write::Verb verb, const std::string& resource) {
  std::size_t n = 0;
  for (const auto& write : decision.writes)
    if (write.verb == verb && write.target.resource == resource && write.subresource.empty()) ++n;
  return n;
}

}  // namespace steer::testing
