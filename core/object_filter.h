#pragma once
// Dropping members of an object in one pass that keeps the order of the others: erasing them one by one costs the
// whole object each time. Thread rule: pure.
#include <algorithm>
#include <utility>

#include "core/json.h"

namespace steer {

/// Drops the members for which `drop` says true. `drop` sees each member once, in order, and may change its value.
template <class Drop>
void dropMembers(json::object& object, Drop drop) {
  auto member = object.begin();
  while (member != object.end() && !drop(*member)) ++member;
  if (member == object.end()) return;
  json::object kept(object.storage());
  kept.reserve(object.size());
  for (auto before = object.begin(); before != member; ++before)
    kept.emplace(before->key(), std::move(before->value()));
  for (++member; member != object.end(); ++member)
    if (!drop(*member)) kept.emplace(member->key(), std::move(member->value()));
  object = std::move(kept);
}

}  // namespace steer
