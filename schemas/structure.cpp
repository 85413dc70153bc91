#include "schemas/structure.h"

#include <algorithm>
#include <unordered_map>

namespace steer {
namespace {

std::string memberStep(json::string_view name) {
  std::string step;
  step.reserve(name.size() + 2);
  step = "f:";
  return step.append(name.data(), name.size());
}

bool isEmptyContainer(const json::value& v) {
  if (const auto* o = v.if_object()) return o->empty();
  if (const auto* a = v.if_array()) return a->empty();
  return v.is_null();
}

/// Whether the value has the JSON shape that the place stands for; else it is treated as a leaf.
bool fits(const Place& place, const json::value& v) {
  if (place.kind == Place::Kind::object || place.kind == Place::Kind::map) return v.is_object();
  return place.kind != Place::Kind::leaf && v.is_array();
}

void collect(const Place& place, const json::value& value, FieldSet& out) {
  if (!fits(place, value) || isEmptyContainer(value)) {
    out.addSelf();
    return;
  }
  if (const auto* o = value.if_object()) {
    for (const auto& [name, member] : *o)
      collect(place.member({name.data(), name.size()}), member, out.child(memberStep(name)));
    return;
  }
  for (const auto& item : value.get_array()) {
    auto& node = out.child(stepOf(place, item));
    node.addSelf();
    if (place.kind == Place::Kind::keyedList) collect(place.element(), item, node);
  }
}

void compare(const Place& place, const json::value& before, const json::value& after, FieldSet& changed,
             FieldSet& removed);

void compareMembers(const Place& place, const json::object& before, const json::object& after, FieldSet& changed,
                    FieldSet& removed) {
  for (const auto& [name, value] : after) {
    const auto here = place.member({name.data(), name.size()});
    const auto* old = before.if_contains(name);
    if (old == nullptr) {
      auto& node = changed.child(memberStep(name));
      if (fits(here, value)) node.addSelf();
      collect(here, value, node);
    } else if (*old != value) {
      compare(here, *old, value, changed.child(memberStep(name)), removed.child(memberStep(name)));
    }
  }
  for (const auto& [name, value] : before)
    if (!after.contains(name)) {
      auto& node = removed.child(memberStep(name));
      node.addSelf();
      collect(place.member({name.data(), name.size()}), value, node);
    }
}

using Items = std::unordered_map<std::string, const json::value*>;

Items itemsOf(const Place& place, const json::array& list) {
  Items out;
  for (const auto& item : list) out.emplace(stepOf(place, item), &item);
  return out;
}

void compareItems(const Place& place, const json::array& before, const json::array& after, FieldSet& changed,
                  FieldSet& removed) {
  const auto old = itemsOf(place, before);
  const auto fresh = itemsOf(place, after);
  const auto add = [&](FieldSet& set, const std::string& step, const json::value& item) {
    auto& node = set.child(step);
    node.addSelf();
    if (place.kind == Place::Kind::keyedList) collect(place.element(), item, node);
  };
  for (const auto& [step, item] : fresh) {
    const auto at = old.find(step);
    if (at == old.end()) add(changed, step, *item);
    else if (*at->second != *item)
      compare(place.element(), *at->second, *item, changed.child(step), removed.child(step));
  }
  for (const auto& [step, item] : old)
    if (!fresh.contains(step)) add(removed, step, *item);
}

void compare(const Place& place, const json::value& before, const json::value& after, FieldSet& changed,
             FieldSet& removed) {
  if (before == after) return;
  if (!fits(place, before) || !fits(place, after) || isEmptyContainer(after)) {
    changed.addSelf();
    if (fits(place, before)) collect(place, before, removed);
    if (fits(place, after)) collect(place, after, changed);
    return;
  }
  if (before.is_object()) compareMembers(place, before.get_object(), after.get_object(), changed, removed);
  else compareItems(place, before.get_array(), after.get_array(), changed, removed);
}

std::size_t positionOf(const Place& place, const json::array& list, const std::string& step) {
  std::size_t i = 0;
  while (i < list.size() && stepOf(place, list[i]) != step) ++i;
  return i;
}

/// Applied items stand in the order their author gave them, items of others keep their places around. A fixed
/// point: merging the same again changes nothing.
json::array mergeItems(const Place& place, json::array live, const json::array& applied) {
  std::unordered_map<std::string, std::size_t> position;
  for (std::size_t i = 0; i < live.size(); ++i) position.emplace(stepOf(place, live[i]), i);
  std::vector<std::string> steps;
  std::vector<std::size_t> slots;  // places in live of items that applied names
  std::vector<json::value> merged;
  for (const auto& item : applied) {
    steps.push_back(stepOf(place, item));
    const auto at = position.find(steps.back());
    if (at == position.end()) continue;
    slots.push_back(at->second);
    merged.push_back(place.kind == Place::Kind::set ? item : mergeApplied(place.element(), live[at->second], item));
  }
  std::sort(slots.begin(), slots.end());
  for (std::size_t i = 0; i < slots.size(); ++i) live[slots[i]] = std::move(merged[i]);
  if (slots.size() == applied.size()) return live;
  // A new item follows the item that precedes it in applied.
  std::size_t next = slots.empty() ? live.size() : slots.front();
  for (std::size_t i = 0; i < applied.size(); ++i) {
    if (position.contains(steps[i])) {
      next = positionOf(place, live, steps[i]) + 1;
    } else {
      live.insert(live.begin() + static_cast<std::ptrdiff_t>(next), applied[i]);
      position.emplace(steps[i], next++);
    }
  }
  return live;
}

/// A part of the specification that one manager alone asked for and asks for no longer: what defaulting
/// added inside goes with it, or a dropped probe would leave a port-less, refused rest behind.
bool dropsWhole(const Place& here, std::string_view name, const FieldSet* needed) {
  return here.kind == Place::Kind::object && needed == nullptr && name != "metadata" && name != "spec" &&
         name != "status";
}

bool removeMembers(const Place& place, json::object& object, const FieldSet& gone, const FieldSet& kept) {
  bool touched = false;
  for (const auto& [step, node] : gone.children()) {
    if (!step.starts_with("f:")) continue;
    const auto name = std::string_view(step).substr(2);
    auto* member = object.if_contains(jkey(name));
    if (member == nullptr) continue;
    const auto* needed = kept.find(step);
    const auto here = place.member(name);
    if (dropsWhole(here, name, needed)) {
      object.stable_erase(jkey(name));
      touched = true;
      continue;
    }
    const bool empty =
        fits(here, *member) && removeFields(here, *member, node, needed == nullptr ? FieldSet() : *needed);
    const bool whole = node.self() && (needed == nullptr || needed->empty()) && (!fits(here, *member) || empty);
    if (whole || (empty && needed == nullptr)) {
      object.stable_erase(jkey(name));
      touched = true;
    }
  }
  return touched && object.empty();
}

bool removeItems(const Place& place, json::array& list, const FieldSet& gone, const FieldSet& kept) {
  bool touched = false;
  for (auto item = list.begin(); item != list.end();) {
    const auto step = stepOf(place, *item);
    const auto* node = gone.find(step);
    const auto* needed = kept.find(step);
    if (node != nullptr && node->self() && (needed == nullptr || needed->empty())) {
      // The item is ours alone: what others or defaulting added inside goes with it.
      item = list.erase(item);
      touched = true;
      continue;
    }
    if (node != nullptr && place.kind == Place::Kind::keyedList)
      removeFields(place.element(), *item, *node, needed == nullptr ? FieldSet() : *needed);
    ++item;
  }
  return touched && list.empty();
}

}  // namespace

Place Place::ofField(const FieldSchema& field) {
  if (field.shape == Shape::object && field.type != nullptr && !field.mapAtomic) return ofObject(*field.type);
  if (field.shape == Shape::map && !field.mapAtomic) return {Kind::map, nullptr, &field};
  if (field.shape == Shape::list && field.listType == ListType::set) return {Kind::set, nullptr, &field};
  if (field.shape == Shape::list && field.listType == ListType::map) return {Kind::keyedList, nullptr, &field};
  return {};
}

Place Place::member(std::string_view name) const {
  if (kind == Kind::map) return element();
  if (kind != Kind::object) return {};
  const auto* known = type->field(name);
  return known == nullptr ? Place{} : ofField(*known);
}

Place Place::element() const {
  if (field == nullptr || field->type == nullptr || field->type->mapAtomic) return {};
  return ofObject(*field->type);
}

std::string stepOf(const Place& list, const json::value& item) {
  if (list.kind == Place::Kind::set) return "v:" + jsonText(item);
  json::object keys;
  auto names = list.field->listKeys;
  std::sort(names.begin(), names.end());
  const auto* object = item.if_object();
  for (const auto& name : names) {
    const auto* value = object == nullptr ? nullptr : object->if_contains(name);
    if (value != nullptr && !value->is_null()) {
      keys.emplace(name, *value);
    } else if (list.field->type != nullptr) {
      // A key that was left out has its default: a port without protocol is the TCP port.
      const auto* key = list.field->type->field(name);
      if (key != nullptr && key->defaultValue) keys.emplace(name, *key->defaultValue);
    }
  }
  return "k:" + jsonText(keys);
}

FieldSet fieldsOf(const Place& place, const json::value& value) {
  FieldSet out;
  collect(place, value, out);
  return out;
}

FieldChanges compareFields(const Place& place, const json::value& before, const json::value& after) {
  FieldChanges out;
  compare(place, before, after, out.changed, out.removed);
  // The walk makes nodes on its way; an intersection with itself leaves only the full ones.
  out.changed = out.changed.intersect(out.changed);
  out.removed = out.removed.intersect(out.removed).minus(out.changed);
  return out;
}

json::value mergeApplied(const Place& place, json::value live, const json::value& applied) {
  if (!fits(place, live) || !fits(place, applied)) return applied;
  if (place.kind == Place::Kind::set || place.kind == Place::Kind::keyedList)
    return mergeItems(place, std::move(live.get_array()), applied.get_array());
  auto& object = live.get_object();
  for (const auto& [name, value] : applied.get_object()) {
    auto* mine = object.if_contains(name);
    if (mine == nullptr) object.emplace(name, value);
    else *mine = mergeApplied(place.member({name.data(), name.size()}), std::move(*mine), value);
  }
  return live;
}

bool removeFields(const Place& place, json::value& value, const FieldSet& gone, const FieldSet& kept) {
  if (auto* object = value.if_object()) return removeMembers(place, *object, gone, kept);
  if (auto* list = value.if_array()) return removeItems(place, *list, gone, kept);
  return false;
}

}  // namespace steer
