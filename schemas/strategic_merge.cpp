#include <algorithm>

#include "schemas/merge.h"

namespace steer {
namespace {

constexpr std::string_view kOrder = "$setElementOrder/";
constexpr std::string_view kDelete = "$deleteFromPrimitiveList/";

Error malformed(const std::string& what) { return makeError(Errc::badRequest, "strategic merge patch: " + what); }

const json::array* listAt(const json::object& patch, std::string_view prefix, std::string_view name) {
  const auto* value = patch.if_contains(std::string(prefix) + std::string(name));
  return value == nullptr ? nullptr : value->if_array();
}

bool isDirective(std::string_view key) { return key.starts_with("$"); }

std::size_t indexIn(const json::array& list, const json::value& wanted, const std::string& key) {
  const auto keyOf = [&](const json::value& v) -> const json::value* {
    const auto* o = v.if_object();
    return o == nullptr || key.empty() ? &v : o->if_contains(key);
  };
  const auto* mine = keyOf(wanted);
  for (std::size_t i = 0; i < list.size(); ++i) {
    const auto* theirs = keyOf(list[i]);
    if (mine != nullptr && theirs != nullptr && *mine == *theirs) return i;
  }
  return list.size();
}

/// Items that the order names stand as it says; the others keep their places in the live list between them.
json::array inOrder(const json::array& merged, const json::array& live, const json::array& order,
                    const std::string& key) {
  std::vector<const json::value*> named;
  std::vector<const json::value*> others;
  for (const auto& wanted : order)
    if (const auto at = indexIn(merged, wanted, key); at < merged.size()) named.push_back(&merged[at]);
  for (const auto& item : merged)
    if (indexIn(order, item, key) == order.size()) others.push_back(&item);
  std::stable_sort(others.begin(), others.end(),
                   [&](const auto* a, const auto* b) { return indexIn(live, *a, key) < indexIn(live, *b, key); });
  json::array out;
  auto left = others.begin();
  auto right = named.begin();
  while (left != others.end() && right != named.end()) {
    const auto l = indexIn(live, **left, key);
    const auto r = indexIn(live, **right, key);
    const bool leftFirst = l < live.size() && r < live.size() && l < r;
    out.push_back(leftFirst ? **left++ : **right++);
  }
  for (; left != others.end(); ++left) out.push_back(**left);
  for (; right != named.end(); ++right) out.push_back(**right);
  return out;
}

Result<json::object> mergeObjects(const TypeSchema* type, const FieldSchema* mapOf, json::object document,
                                  const json::object& patch);

Result<json::value> withoutDirectives(const TypeSchema* type, const FieldSchema* mapOf, const json::value& patch) {
  const auto* o = patch.if_object();
  if (o == nullptr) return patch;
  STEER_TRY(auto merged, mergeObjects(type, mapOf, {}, *o));
  return json::value(std::move(merged));
}

Result<json::array> mergeKeyed(const FieldSchema& field, json::array live, const json::array& patch) {
  const auto& key = field.mergeKey;
  json::array out = std::move(live);
  for (const auto& item : patch)
    if (stringAt(item, {"$patch"}) == "replace") out.clear();
  for (const auto& item : patch) {
    const auto* o = item.if_object();
    if (o == nullptr) return malformed("items of " + field.name + " must be objects");
    const auto directive = stringAt(item, {"$patch"});
    if (directive == "replace" && o->size() == 1) continue;
    if (!directive.empty() && directive != "delete" && directive != "merge" && directive != "replace")
      return malformed("unknown $patch directive in " + field.name);
    if (!o->contains(key)) return malformed("an item of " + field.name + " does not contain its merge key: " + key);
    const auto at = indexIn(out, item, key);
    if (directive == "delete") {
      if (at < out.size()) out.erase(out.begin() + static_cast<std::ptrdiff_t>(at));
      continue;
    }
    auto body = *o;
    body.stable_erase("$patch");
    const bool known = at < out.size() && out[at].is_object();
    STEER_TRY(auto merged, mergeObjects(field.type, nullptr, known ? out[at].get_object() : json::object(), body));
    if (known) out[at] = std::move(merged);
    else out.push_back(std::move(merged));
  }
  return out;
}

json::array mergePrimitives(json::array live, const json::array& patch, const json::array* gone) {
  if (gone != nullptr)
    for (const auto& item : *gone) live.erase(std::remove(live.begin(), live.end(), item), live.end());
  for (const auto& item : patch)
    if (std::find(live.begin(), live.end(), item) == live.end()) live.push_back(item);
  return live;
}

Result<json::value> mergeList(const FieldSchema* field, const json::value* live, const json::object& patch,
                              const std::string& name) {
  const auto* member = patch.if_contains(name);
  const json::array items = member != nullptr && member->is_array() ? member->get_array() : json::array();
  if (field == nullptr || !field->mergeList) return json::value(items);
  const json::array before = live != nullptr && live->is_array() ? live->get_array() : json::array();
  json::array merged;
  if (field->type != nullptr && !field->mergeKey.empty()) {
    STEER_TRY(merged, mergeKeyed(*field, before, items));
  } else {
    merged = mergePrimitives(before, items, listAt(patch, kDelete, name));
  }
  if (const auto* order = listAt(patch, kOrder, name)) merged = inOrder(merged, before, *order, field->mergeKey);
  return json::value(std::move(merged));
}

Result<void> mergeMember(const TypeSchema* type, const FieldSchema* mapOf, json::object& document,
                         const json::object& patch, const std::string& name) {
  const auto* field = type == nullptr ? mapOf : type->field(name);
  const auto* said = patch.if_contains(name);
  auto* live = document.if_contains(name);
  if (said == nullptr || said->is_array()) {
    // Only a directive speaks of a list that the document lacks: nothing to order or delete.
    if (said == nullptr && live == nullptr) return {};
    STEER_TRY(auto list, mergeList(field, live, patch, name));
    document[name] = std::move(list);
  } else if (said->is_null()) {
    document.stable_erase(name);
  } else if (const auto* o = said->if_object()) {
    const bool isMap = field != nullptr && field != mapOf && field->shape == Shape::map;
    const auto* inner = field == nullptr || isMap ? nullptr : field->type;
    const auto* innerMap = isMap ? field : nullptr;
    if (live != nullptr && live->is_object()) {
      STEER_TRY(auto merged, mergeObjects(inner, innerMap, std::move(live->get_object()), *o));
      document[name] = std::move(merged);
    } else {
      STEER_TRY(auto fresh, withoutDirectives(inner, innerMap, *said));
      document[name] = std::move(fresh);
    }
  } else {
    document[name] = *said;
  }
  return {};
}

Result<json::object> mergeObjects(const TypeSchema* type, const FieldSchema* mapOf, json::object document,
                                  const json::object& patch) {
  if (const auto* directive = patch.if_contains("$patch")) {
    const auto word = directive->is_string() ? view(directive->get_string()) : std::string_view();
    if (word == "delete") return json::object();
    if (word == "replace") document.clear();
    else if (word != "merge") return malformed("unknown $patch directive");
  }
  if (const auto* keep = patch.if_contains("$retainKeys")) {
    if (!keep->is_array()) return malformed("$retainKeys must be a list");
    for (auto member = document.begin(); member != document.end();) {
      const json::value name(member->key());
      const auto& list = keep->get_array();
      const bool retained = std::find(list.begin(), list.end(), name) != list.end();
      member = retained ? std::next(member) : document.stable_erase(member);
    }
  }
  for (const auto& [key, value] : patch) {
    std::string name(key.data(), key.size());
    if (isDirective(name)) {
      // An order or a deletion may come without its list.
      const auto prefix = name.starts_with(kOrder) ? kOrder : name.starts_with(kDelete) ? kDelete : std::string_view();
      if (prefix.empty()) continue;
      name = name.substr(prefix.size());
      if (patch.contains(name)) continue;
    }
    STEER_CHECK(mergeMember(type, mapOf, document, patch, name));
  }
  return document;
}

}  // namespace

Result<json::value> applyStrategicMerge(const TypeSchema* type, json::value document, const json::value& patch) {
  const auto* said = patch.if_object();
  if (said == nullptr) return malformed("must be an object");
  auto* live = document.if_object();
  STEER_TRY(auto merged, mergeObjects(type, nullptr, live == nullptr ? json::object() : std::move(*live), *said));
  return json::value(std::move(merged));
}

}  // namespace steer
