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

std::string_view text(json::string_view name) { return {name.data(), name.size()}; }

bool isEmptyContainer(const json::value& v) {
  if (const auto* o = v.if_object()) return o->empty();
  if (const auto* a = v.if_array()) return a->empty();
  return v.is_null();
}

bool isNamedMember(const Place& place, std::string_view name) {
  return place.kind == Place::Kind::object && place.type->field(name) != nullptr;
}

FieldSet collect(const Place& place, const json::value& value) {
  FieldSet::Children children;
  if (place.kind == Place::Kind::leaf || !place.fits(value)) {
    FieldSet leaf;
    leaf.addSelf();
    return leaf;
  }
  if (const auto* o = value.if_object()) {
    children.reserve(o->size());
    for (const auto& [name, member] : *o) {
      auto node = collect(place.member(text(name)), member);
      const bool blank = member.is_null() || (member.is_object() && member.get_object().empty());
      if (blank || !isNamedMember(place, text(name))) node.addSelf();
      children.emplace_back(memberStep(name), std::move(node));
    }
  } else if (const auto* items = value.if_array()) {
    children.reserve(items->size());
    for (const auto& item : *items) {
      auto node = collect(place.element(), item);
      node.addSelf();
      children.emplace_back(stepOf(place, item), std::move(node));
    }
  }
  return FieldSet::ofChildren(std::move(children));
}

struct Sides {
  const json::value* before = nullptr;
  const json::value* after = nullptr;
};

FieldChanges compare(const Place& place, const Sides& sides);

/// Collects what differs under one place.
class Differences {
 public:
  void add(const std::string& step, FieldChanges changes) {
    if (!changes.changed.empty()) changed_.emplace_back(step, std::move(changes.changed));
    if (!changes.removed.empty()) removed_.emplace_back(step, std::move(changes.removed));
  }
  FieldChanges take() { return {FieldSet::ofChildren(std::move(changed_)), FieldSet::ofChildren(std::move(removed_))}; }

 private:
  FieldSet::Children changed_;
  FieldSet::Children removed_;
};

FieldSet selfOnly() {
  FieldSet out;
  out.addSelf();
  return out;
}

FieldChanges compareMembers(const Place& place, const json::object* before, const json::object* after) {
  Differences out;
  if (after != nullptr)
    for (const auto& [name, value] : *after) {
      const auto* old = before == nullptr ? nullptr : before->if_contains(name);
      out.add(memberStep(name), compare(place.member(text(name)), {old, &value}));
    }
  if (before != nullptr)
    for (const auto& [name, value] : *before)
      if (after == nullptr || !after->contains(name))
        out.add(memberStep(name), compare(place.member(text(name)), {&value, nullptr}));
  return out.take();
}

using Items = std::unordered_map<std::string, std::vector<const json::value*>>;

Items itemsOf(const Place& place, const json::array* list) {
  Items out;
  if (list != nullptr)
    for (const auto& item : *list) out[stepOf(place, item)].push_back(&item);
  return out;
}

bool sameItems(const std::vector<const json::value*>& a, const std::vector<const json::value*>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto* x, const auto* y) { return *x == *y; });
}

/// Items of one key, before and after. Several of one key are one value, and are marked as such.
FieldChanges compareItem(const Place& element, const std::vector<const json::value*>& before,
                         const std::vector<const json::value*>& after) {
  if (before.size() <= 1 && after.size() <= 1)
    return compare(element, {before.empty() ? nullptr : before[0], after.empty() ? nullptr : after[0]});
  FieldChanges out;
  if (before.size() >= 2 && after.size() >= 2) {
    if (!sameItems(before, after)) out.changed = selfOnly();
  } else if (before.size() >= 2) {
    if (!after.empty()) out = compare(element, {nullptr, after[0]});
    out.removed.addSelf();
  } else {
    if (!before.empty()) out = compare(element, {before[0], nullptr});
    out.changed.addSelf();
  }
  return out;
}

FieldChanges compareItems(const Place& place, const json::array* before, const json::array* after) {
  static const std::vector<const json::value*> kNone;
  const auto old = itemsOf(place, before);
  const auto fresh = itemsOf(place, after);
  const auto element = place.element();
  Differences out;
  for (const auto& [step, items] : fresh) {
    const auto at = old.find(step);
    out.add(step, compareItem(element, at == old.end() ? kNone : at->second, items));
  }
  for (const auto& [step, items] : old)
    if (!fresh.contains(step)) out.add(step, compareItem(element, items, kNone));
  return out.take();
}

FieldChanges compare(const Place& place, const Sides& sides) {
  const auto* before = sides.before;
  const auto* after = sides.after;
  FieldChanges out;
  if (before != nullptr && after != nullptr && *before == *after) return out;
  const auto blank = [](const json::value* v) { return v == nullptr || isEmptyContainer(*v); };
  const auto fits = [&](const json::value* v) { return v == nullptr || place.fits(*v); };
  const bool leaf = place.kind == Place::Kind::leaf || (blank(before) && blank(after)) || !fits(before) || !fits(after);
  if (!leaf && place.isMap())
    out = compareMembers(place, before == nullptr ? nullptr : before->if_object(),
                         after == nullptr ? nullptr : after->if_object());
  else if (!leaf)
    out = compareItems(place, before == nullptr ? nullptr : before->if_array(),
                       after == nullptr ? nullptr : after->if_array());
  if (after == nullptr) out.removed.addSelf();
  else if (before == nullptr || leaf) out.changed.addSelf();
  return out;
}

std::string pointerStep(std::string_view name) {
  std::string out = "/";
  for (const char c : name) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
  return out;
}

void findRepeated(const Place& place, const json::value& value, const std::string& path, const std::string& pointer,
                  std::vector<RepeatedItem>& out) {
  if (!place.fits(value)) return;
  if (const auto* o = value.if_object(); o != nullptr && place.isMap()) {
    for (const auto& [name, member] : *o) {
      const std::string word(name.data(), name.size());
      findRepeated(place.member(word), member, path + "." + word, pointer + pointerStep(word), out);
    }
  } else if (const auto* items = value.if_array(); items != nullptr && place.isList()) {
    std::unordered_map<std::string, std::size_t> seen;
    for (std::size_t i = 0; i < items->size(); ++i) {
      const auto step = stepOf(place, (*items)[i]);
      const auto here = pathTextOf(step);
      const auto at = pointer + "/" + std::to_string(i);
      if (++seen[step] == 2) out.push_back({path, at, here, place.field});
      findRepeated(place.element(), (*items)[i], path + here, at, out);
    }
  }
}

}  // namespace

bool Place::fits(const json::value& value) const {
  if (value.is_null()) return true;
  if (isMap()) return value.is_object();
  return isList() && value.is_array();
}

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
  if (field == nullptr || field->type == nullptr || field->type->mapAtomic || kind == Kind::set) return {};
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

FieldSet fieldsOf(const Place& place, const json::value& value) { return collect(place, value); }

FieldChanges compareFields(const Place& place, const json::value& before, const json::value& after) {
  return compare(place, {&before, &after});
}

std::vector<RepeatedItem> repeatedItems(const Place& place, const json::value& value) {
  std::vector<RepeatedItem> out;
  findRepeated(place, value, "", "", out);
  return out;
}

}  // namespace steer
