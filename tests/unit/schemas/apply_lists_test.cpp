// Every list of every kind whose items have keys, or are a set: what was said of it is what is stored.
#include <functional>
#include <set>

#include "schema_test.h"
#include "schemas/defaults.h"
#include "schemas/managed_fields.h"
#include "schemas/merge.h"
#include "schemas/structure.h"

using namespace steer;
using namespace steer::test;

namespace {

/// A list somewhere in a kind, and how an object looks that has nothing but this list.
struct ListPlace {
  const KindSchema* kind = nullptr;
  std::string path;
  Place place;
  std::function<json::object(json::array)> object;
};

json::value keyValue(const FieldSchema& key, int n) {
  switch (key.scalar) {
    case Scalar::int32:
    case Scalar::int64:
      return n + 1;
    default:
      return json::value(("k" + std::to_string(n)).c_str());
  }
}

json::value itemOf(const FieldSchema& list, int n) {
  if (list.listType == ListType::set || list.type == nullptr) return keyValue(list, n);
  json::object item;
  for (const auto& key : list.listKeys) item[key] = keyValue(*list.type->field(key), n);
  return item;
}

using Wrap = std::function<json::object(json::array)>;

void findLists(const KindSchema& kind, const TypeSchema& type, const std::string& path,
               const std::function<json::object(json::object)>& wrap, std::set<const TypeSchema*> above,
               std::vector<ListPlace>& out) {
  if (!above.insert(&type).second) return;
  for (const auto& field : type.fields) {
    if (path.empty() && field.name == "status") continue;
    if (path == ".metadata" && field.name == "managedFields") continue;
    const auto here = path + "." + field.name;
    const auto place = Place::ofField(field);
    if (place.isList())
      out.push_back({&kind, here, place, [&field, wrap](json::array list) {
                       return wrap({{field.name, std::move(list)}});
                     }});
    if (field.type == nullptr) continue;
    const bool keyed = place.kind == Place::Kind::keyedList;
    if (!keyed && place.kind != Place::Kind::object) continue;
    findLists(
        kind, *field.type, here,
        [&field, keyed, wrap](json::object inner) {
          if (!keyed) return wrap({{field.name, std::move(inner)}});
          auto item = itemOf(field, 7).get_object();
          for (auto& [key, value] : inner) item[key] = value;
          return wrap({{field.name, json::array{std::move(item)}}});
        },
        above, out);
  }
}

std::vector<ListPlace> allLists() {
  std::vector<ListPlace> out;
  for (const auto* kind : SchemaRegistry::builtin().kinds())
    findLists(
        *kind, *kind->type, "",
        [kind](json::object inner) {
          json::object object{{"apiVersion", kind->gvk.apiVersion()}, {"kind", kind->gvk.kind}};
          object["metadata"] = json::object{{"name", "o"}};
          for (auto& [key, value] : inner) {
            if (key != "metadata") object[key] = std::move(value);
            else
              for (auto& [name, member] : value.get_object()) object["metadata"].as_object()[name] = member;
          }
          return object;
        },
        {}, out);
  return out;
}

/// The list at the place of an object, however deep; empty when it is not there.
json::array listIn(const json::value& value, std::string_view path) {
  if (const auto* items = value.if_array())
    return path.empty() ? *items : items->empty() ? json::array() : listIn((*items)[0], path);
  const auto* object = value.if_object();
  if (object == nullptr || path.empty()) return {};
  path.remove_prefix(1);
  const auto end = std::min(path.find('.'), path.size());
  const auto* member = object->if_contains(jkey(path.substr(0, end)));
  return member == nullptr ? json::array() : listIn(*member, path.substr(end));
}

std::vector<std::string> stepsOf(const Place& place, const json::array& list) {
  std::vector<std::string> out;
  for (const auto& item : list) out.push_back(stepOf(place, item));
  return out;
}

ApplyRequest by(const std::string& manager) { return {manager, "", true, "2026-01-01T00:00:00Z"}; }

json::object applied(const KindSchema& kind, const json::object* live, const json::object& said,
                     const std::string& who) {
  auto result = applyServerSide(kind, live, said, by(who));
  REQUIRE(result.ok());
  auto object = std::move(result).value();
  applyDefaults(kind, object);
  return object;
}

}  // namespace

TEST_CASE("What is said of any list is what is stored, and saying it again changes nothing") {
  const auto lists = allLists();
  REQUIRE(lists.size() > 200);
  for (const auto& list : lists) {
    INFO(list.kind->gvk.kind << list.path);
    const auto& field = *list.place.field;
    const json::array said{itemOf(field, 2), itemOf(field, 0), itemOf(field, 1)};
    const auto object = list.object(said);
    const auto once = applied(*list.kind, nullptr, object, "git");
    CHECK(stepsOf(list.place, listIn(once, list.path)) == stepsOf(list.place, said));
    CHECK(applied(*list.kind, &once, object, "git") == once);
    // Another order and one item less.
    const json::array next{itemOf(field, 1), itemOf(field, 2)};
    const auto fewer = applied(*list.kind, &once, list.object(next), "git");
    CHECK(stepsOf(list.place, listIn(fewer, list.path)) == stepsOf(list.place, next));
  }
}

TEST_CASE("An apply that names an item of any list twice is refused and says which") {
  for (const auto& list : allLists()) {
    INFO(list.kind->gvk.kind << list.path);
    const auto& field = *list.place.field;
    const auto refused = applyServerSide(
        *list.kind, nullptr, list.object({itemOf(field, 0), itemOf(field, 1), itemOf(field, 0)}), by("git"));
    REQUIRE_FALSE(refused.ok());
    REQUIRE(refused.error().causes.size() == 1);
    CHECK(refused.error().causes[0].message ==
          "duplicate entries for key " + pathTextOf(stepOf(list.place, itemOf(field, 0))));
  }
}

TEST_CASE("Items of one key that an update stored are kept, and no apply merges one into the other") {
  for (const auto& list : allLists()) {
    INFO(list.kind->gvk.kind << list.path);
    const auto& field = *list.place.field;
    const json::array twice{itemOf(field, 0), itemOf(field, 1), itemOf(field, 0)};
    auto live = applied(*list.kind, nullptr, list.object({}), "git");
    auto updated = list.object(twice);
    trackUpdate(*list.kind, &live, updated, {"kubectl", "", false, "2026-01-01T00:00:00Z"});
    // An apply that says nothing of the list leaves it as it is.
    const json::object other{{"apiVersion", list.kind->gvk.apiVersion()},
                             {"kind", list.kind->gvk.kind},
                             {"metadata", {{"name", "o"}, {"labels", {{"a", "b"}}}}}};
    const auto labelled = applied(*list.kind, &updated, other, "labeller");
    CHECK(stepsOf(list.place, listIn(labelled, list.path)) == stepsOf(list.place, twice));
    // One that names the key settles it: the item is what was said, once.
    const auto settled = applied(*list.kind, &labelled, list.object({itemOf(field, 0)}), "git");
    const json::array left{itemOf(field, 0), itemOf(field, 1)};
    const auto steps = stepsOf(list.place, listIn(settled, list.path));
    CHECK(std::set<std::string>(steps.begin(), steps.end()).size() == steps.size());
    CHECK(steps.size() == 2);
  }
}
