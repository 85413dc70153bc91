// What an apply makes of an object: its word merged over the live one, and what it dropped taken out.
#include <algorithm>
#include <deque>
#include <unordered_map>
#include <unordered_set>

#include "schemas/structure.h"

namespace steer {
namespace {

constexpr std::size_t kSeveral = static_cast<std::size_t>(-1);

bool isBlank(const json::value& v) {
  if (const auto* o = v.if_object()) return o->empty();
  if (const auto* a = v.if_array()) return a->empty();
  return v.is_null();
}

/// The items of a list by step; kSeveral where a step stands more than once: such items are not merged.
class ItemIndex {
 public:
  ItemIndex(const Place& place, const json::array& list) : list_(list) {
    steps_.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) {
      steps_.push_back(stepOf(place, list[i]));
      const auto [at, fresh] = positions_.emplace(steps_.back(), i);
      if (!fresh) at->second = kSeveral;
    }
  }
  std::size_t size() const { return steps_.size(); }
  const std::string& step(std::size_t i) const { return steps_[i]; }
  bool has(const std::string& step) const { return positions_.contains(step); }
  const json::value* item(const std::string& step) const {
    const auto at = positions_.find(step);
    return at == positions_.end() || at->second == kSeveral ? nullptr : &list_[at->second];
  }

 private:
  const json::array& list_;
  std::vector<std::string> steps_;
  std::unordered_map<std::string, std::size_t> positions_;
};

/// One walk over both lists. Shared items stand in the order of the applied list, items of others keep their place.
class ListMerge {
 public:
  ListMerge(const Place& place, const json::array& live, const json::array& applied)
      : place_(place), live_(place, live), applied_(place, applied), liveItems_(live) {
    for (std::size_t i = 0; i < applied_.size(); ++i)
      if (live_.has(applied_.step(i))) shared_.push_back(applied_.step(i));
  }

  json::array run() {
    while (left_ < live_.size() || right_ < applied_.size()) {
      if (left_ < live_.size() && takeLeft()) continue;
      if (right_ < applied_.size()) takeRight();
    }
    return std::move(out_);
  }

 private:
  /// Whether this round is done.
  bool takeLeft() {
    const auto& step = live_.step(left_);
    if (right_ < applied_.size()) {
      if (step == applied_.step(right_)) {
        takeRight();
        ++left_;
        return true;
      }
      if (applied_.has(step) && !shared_.empty() && shared_.front() != step) {
        ++left_;  // shared, but its turn has not come
        return true;
      }
    }
    if (!applied_.has(step)) {
      out_.push_back(liveItems_[left_++]);
      return true;
    }
    if (merged_.contains(step)) ++left_;
    return false;
  }

  void takeRight() {
    const auto& step = applied_.step(right_++);
    merged_.insert(step);
    const auto* mine = applied_.item(step);
    const auto* theirs = live_.item(step);
    if (mine != nullptr) out_.push_back(theirs == nullptr ? *mine : mergeApplied(place_.element(), *theirs, *mine));
    if (!shared_.empty() && shared_.front() == step) shared_.pop_front();
  }

  const Place& place_;
  ItemIndex live_;
  ItemIndex applied_;
  const json::array& liveItems_;
  std::deque<std::string> shared_;
  std::unordered_set<std::string> merged_;
  std::size_t left_ = 0;
  std::size_t right_ = 0;
  json::array out_;
};

FieldSet selfOnly() {
  FieldSet out;
  out.addSelf();
  return out;
}

/// The set with every member that the schema names and that has something under it. A struct that was spoken of is
/// thereby one that can be dropped whole; keys of maps and items of lists are in the set themselves.
/// A deprecated copy goes and stays with its original.
FieldSet withNamedMembers(const Place& place, const FieldSet& set) {
  FieldSet::Children children;
  children.reserve(set.children().size());
  for (const auto& [step, node] : set.children()) {
    const bool member = step.starts_with("f:");
    const auto name = std::string_view(step).substr(std::min<std::size_t>(2, step.size()));
    auto under = withNamedMembers(member ? place.member(name) : place.element(), node);
    const bool named = member && place.kind == Place::Kind::object && place.type->field(name) != nullptr;
    if (named && !node.children().empty()) under.addSelf();
    children.emplace_back(step, std::move(under));
  }
  if (place.kind == Place::Kind::object)
    for (const auto& field : place.type->fields)
      if (!field.copyOf.empty() && set.find("f:" + field.copyOf) != nullptr)
        children.emplace_back("f:" + field.name, selfOnly());
  auto out = FieldSet::ofChildren(std::move(children));
  if (set.self()) out.addSelf();
  return out;
}

/// The value without the places in `gone`. What is left empty by it becomes null, which is absence.
json::value without(const Place& place, const json::value& value, const FieldSet& gone) {
  if (const auto* object = value.if_object(); object != nullptr && place.isMap()) {
    json::object out;
    out.reserve(object->size());
    for (const auto& [name, member] : *object) {
      const auto* node = gone.find("f:" + std::string(name.data(), name.size()));
      if (node != nullptr && node->self()) continue;
      if (node == nullptr) out.emplace(name, member);
      else out.emplace(name, without(place.member({name.data(), name.size()}), member, *node));
    }
    return out.empty() ? json::value() : json::value(std::move(out));
  }
  if (const auto* items = value.if_array(); items != nullptr && place.isList()) {
    json::array out;
    out.reserve(items->size());
    for (const auto& item : *items) {
      const auto* node = gone.find(stepOf(place, item));
      if (node != nullptr && node->self()) continue;
      if (node == nullptr) out.push_back(item);
      else out.push_back(without(place.element(), item, *node));
    }
    return out.empty() ? json::value() : json::value(std::move(out));
  }
  return value;
}

FieldSet membersOf(const Place& place, const json::value& value) {
  return withNamedMembers(place, fieldsOf(place, value));
}

}  // namespace

json::value mergeApplied(const Place& place, json::value live, const json::value& applied) {
  if (place.kind == Place::Kind::leaf || !place.fits(live) || !place.fits(applied)) return applied;
  if (isBlank(live)) return applied;
  if (applied.is_null() && place.isMap()) return applied;  // asked to be absent, whoever filled it in
  if (isBlank(applied)) return live;
  if (place.isList()) return ListMerge(place, live.get_array(), applied.get_array()).run();
  auto& object = live.get_object();
  for (const auto& [name, value] : applied.get_object()) {
    auto* mine = object.if_contains(name);
    if (mine == nullptr) object.emplace(name, value);
    else *mine = mergeApplied(place.member({name.data(), name.size()}), std::move(*mine), value);
  }
  return live;
}

json::value pruneDropped(const Place& place, json::value merged, const FieldSet& last, const FieldSet& owned) {
  const auto dropped = withNamedMembers(place, last);
  const auto all = membersOf(place, merged);
  // What others own inside of what goes comes back, and nothing goes that the manager did not own.
  const auto rest = membersOf(place, without(place, merged, dropped)).unionWith(withNamedMembers(place, owned));
  const auto kept = membersOf(place, without(place, merged, all.minus(rest)));
  const auto gone = all.minus(kept).intersect(dropped);
  return gone.empty() ? merged : without(place, merged, gone);
}

}  // namespace steer
