// The rules of k8s.io/apimachinery/pkg/util/strategicpatch, as a server applies a patch. Linear in document and patch.
#include <algorithm>
#include <unordered_map>
#include <unordered_set>

#include "core/object_filter.h"
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

/// What tells items of a list apart: the merge key's value, or the item itself.
std::string identity(const json::value& item, const std::string& key) {
  const auto* o = item.if_object();
  if (o == nullptr || key.empty()) return jsonText(item);
  const auto* value = o->if_contains(key);
  return value == nullptr ? std::string() : jsonText(*value);
}

/// Where each item stands first.
class Positions {
 public:
  Positions(const json::array& list, const std::string& key) {
    positions_.reserve(list.size());
    for (std::size_t i = 0; i < list.size(); ++i) add(identity(list[i], key), i);
  }
  void add(std::string identity, std::size_t at) { positions_.emplace(std::move(identity), at); }
  const std::size_t* find(const std::string& identity) const {
    const auto at = positions_.find(identity);
    return at == positions_.end() ? nullptr : &at->second;
  }

 private:
  std::unordered_map<std::string, std::size_t> positions_;
};

/// Items that the order names stand as it says, and before others unless the live list has those in front of them.
json::array inOrder(json::array merged, const json::array& live, const json::array& order, const std::string& key) {
  struct Item {
    std::size_t index = 0;              ///< in merged
    std::size_t rank = 0;               ///< in the order
    const std::size_t* live = nullptr;  ///< in the live list
  };
  const Positions ranks(order, key);
  const Positions places(live, key);
  std::vector<Item> named;
  std::vector<Item> others;
  for (std::size_t i = 0; i < merged.size(); ++i) {
    const auto id = identity(merged[i], key);
    const auto* rank = ranks.find(id);
    (rank == nullptr ? others : named).push_back({i, rank == nullptr ? 0 : *rank, places.find(id)});
  }
  std::stable_sort(named.begin(), named.end(), [](const Item& a, const Item& b) { return a.rank < b.rank; });
  json::array out;
  out.reserve(merged.size());
  auto left = others.begin();
  auto right = named.begin();
  while (left != others.end() || right != named.end()) {
    const bool both = left != others.end() && right != named.end();
    const bool leftFirst =
        both ? left->live != nullptr && right->live != nullptr && *left->live < *right->live : right == named.end();
    out.push_back(std::move(merged[(leftFirst ? left++ : right++)->index]));
  }
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

/// What the $patch words of a list ask for.
struct ListWords {
  bool replace = false;
  std::unordered_set<std::string> deleted;
  std::vector<const json::object*> items;
};

Result<ListWords> readWords(const FieldSchema& field, const json::array& patch) {
  ListWords out;
  for (const auto& item : patch) {
    const auto* o = item.if_object();
    if (o == nullptr) return malformed("items of " + field.name + " must be objects");
    const auto word = stringAt(item, {"$patch"});
    if (word == "replace") {
      out.replace = true;
      if (o->size() > 1) out.items.push_back(o);
      continue;
    }
    if (!word.empty() && word != "delete" && word != "merge")
      return malformed("unknown $patch directive in " + field.name);
    if (!o->contains(field.mergeKey))
      return malformed("an item of " + field.name + " does not contain its merge key: " + field.mergeKey);
    if (word == "delete") out.deleted.insert(identity(item, field.mergeKey));
    else out.items.push_back(o);
  }
  return out;
}

Result<json::array> mergeKeyed(const FieldSchema& field, json::array live, const json::array& patch) {
  const auto& key = field.mergeKey;
  STEER_TRY(const ListWords words, readWords(field, patch));
  json::array out;
  if (!words.replace)
    for (auto& item : live)
      if (words.deleted.empty() || !words.deleted.contains(identity(item, key))) out.push_back(std::move(item));
  const json::array before = words.replace ? json::array() : out;
  Positions positions(out, key);
  json::array order;
  for (const auto* item : words.items) {
    auto body = *item;
    body.stable_erase("$patch");
    const auto id = identity(*item, key);
    const auto* at = positions.find(id);
    const bool known = at != nullptr && out[*at].is_object();
    STEER_TRY(auto merged,
              mergeObjects(field.type, nullptr, known ? std::move(out[*at].get_object()) : json::object(), body));
    if (known) {
      out[*at] = std::move(merged);
    } else {
      positions.add(id, out.size());
      out.push_back(std::move(merged));
    }
    if (const auto* name = item->if_contains(key)) order.push_back(json::object{{key, *name}});
  }
  return inOrder(std::move(out), before, order, key);
}

json::array mergePrimitives(json::array live, const json::array& patch, const json::array* gone) {
  if (gone != nullptr) {
    const Positions deleted(*gone, "");
    live.erase(std::remove_if(live.begin(), live.end(),
                              [&](const auto& item) { return deleted.find(identity(item, "")) != nullptr; }),
               live.end());
  }
  if (patch.empty()) return live;
  std::unordered_set<std::string> seen;
  json::array both;
  for (const json::array* list : {static_cast<const json::array*>(&live), &patch})
    for (const auto& item : *list)
      if (seen.insert(identity(item, "")).second) both.push_back(item);
  return inOrder(std::move(both), live, patch, "");
}

Result<json::value> mergeList(const FieldSchema* field, const json::value* live, const json::object& patch,
                              const std::string& name) {
  const auto* member = patch.if_contains(name);
  const bool said = member != nullptr && member->is_array();
  const json::array items = said ? member->get_array() : json::array();
  if (field == nullptr || !field->mergeList) return json::value(items);
  const bool lives = live != nullptr && live->is_array();
  const json::array before = lives ? live->get_array() : json::array();
  json::array merged;
  if (field->type != nullptr && !field->mergeKey.empty()) {
    if (said && !lives) {
      // Nothing to merge with: as it was said, but for its directives.
      for (const auto& item : items)
        if (const auto word = stringAt(item, {"$patch"}); word.empty() || word == "merge") {
          STEER_TRY(auto body, withoutDirectives(field->type, nullptr, item));
          merged.push_back(std::move(body));
        }
    } else {
      STEER_TRY(merged, mergeKeyed(*field, before, items));
    }
  } else {
    merged = mergePrimitives(before, items, listAt(patch, kDelete, name));
  }
  if (const auto* order = listAt(patch, kOrder, name))
    merged = inOrder(std::move(merged), before, *order, field->mergeKey);
  return json::value(std::move(merged));
}

/// `document` loses members by becoming null: the caller drops them in one pass.
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
  } else if (const auto* o = said->if_object()) {
    const bool isMap = field != nullptr && field != mapOf && field->shape == Shape::map;
    const auto* inner = field == nullptr || isMap ? nullptr : field->type;
    const auto* innerMap = isMap ? field : nullptr;
    const bool whole = field != nullptr && field->mergeReplace;
    if (live != nullptr && live->is_object() && !whole) {
      STEER_TRY(auto merged, mergeObjects(inner, innerMap, std::move(live->get_object()), *o));
      document[name] = std::move(merged);
    } else {
      STEER_TRY(auto fresh, withoutDirectives(inner, innerMap, *said));
      document[name] = std::move(fresh);
    }
  } else if (!said->is_null()) {
    document[name] = *said;
  }
  return {};
}

Result<void> retainKeys(json::object& document, const json::object& patch) {
  const auto* keep = patch.if_contains("$retainKeys");
  if (keep == nullptr) return {};
  if (!keep->is_array()) return malformed("$retainKeys must be a list");
  const Positions names(keep->get_array(), "");
  dropMembers(document, [&](const auto& member) { return names.find(jsonText(json::value(member.key()))) == nullptr; });
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
  STEER_CHECK(retainKeys(document, patch));
  bool drops = false;
  for (const auto& [key, value] : patch) {
    std::string name(key.data(), key.size());
    if (isDirective(name)) {
      // An order or a deletion may come without its list.
      const auto prefix = name.starts_with(kOrder) ? kOrder : name.starts_with(kDelete) ? kDelete : std::string_view();
      if (prefix.empty()) continue;
      name = name.substr(prefix.size());
      if (patch.contains(name)) continue;
    }
    drops = drops || value.is_null();
    STEER_CHECK(mergeMember(type, mapOf, document, patch, name));
  }
  if (drops)
    dropMembers(document, [&](const auto& member) {
      const auto* said = patch.if_contains(member.key());
      return said != nullptr && said->is_null();
    });
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
