#include "tests/property/plan/mutation.h"

#include <stdexcept>

#include "reconciler/git/directory_reader.h"
#include "render/desired_set.h"
#include "render/tree_renderer.h"
#include "tests/source_path.h"

namespace steer {
namespace {

struct Place {
  json::value* value;
  std::string path;
};

void collect(json::value& v, const std::string& path, std::vector<Place>& out) {
  out.push_back({&v, path});
  if (auto* o = v.if_object())
    for (auto& member : *o) collect(member.value(), path + "/" + std::string(member.key()), out);
  if (auto* a = v.if_array())
    for (std::size_t i = 0; i < a->size(); ++i) collect((*a)[i], path + "/" + std::to_string(i), out);
}

/// Everything but what makes it this object.
std::vector<Place> placesOf(json::object& body) {
  std::vector<Place> out;
  for (auto& member : body) {
    const std::string_view key(member.key().data(), member.key().size());
    if (key == "apiVersion" || key == "kind") continue;
    if (key != "metadata") {
      collect(member.value(), "/" + std::string(key), out);
      continue;
    }
    for (const auto* part : {"labels", "annotations"})
      if (auto* map = member.value().as_object().if_contains(part))
        collect(*map, std::string("/metadata/") + part, out);
  }
  return out;
}

std::string changeScalar(const Place& place, Random& random) {
  auto& v = *place.value;
  if (v.is_bool()) v = !v.get_bool();
  else if (v.is_int64()) v = random.below(4) == 0 ? 0 : v.get_int64() + static_cast<std::int64_t>(random.below(3)) - 1;
  else if (v == json::value("0.5")) v = "500m";  // the same quantity
  else if (v == json::value("250m")) v = "0.25";
  else if (v == json::value("64Mi")) v = "65536Ki";
  else if (v == json::value("TCP")) v = "UDP";
  else if (v.is_string() && v.get_string().ends_with("=")) v = "b3RoZXI=";
  else if (v.is_string()) v = std::string(view(v.get_string())) + std::to_string(random.below(3));
  else return "";
  return "changed " + place.path;
}

std::string removeMember(const Place& place, Random& random) {
  if (auto* o = place.value->if_object(); o != nullptr && !o->empty()) {
    const auto it = o->begin() + static_cast<std::ptrdiff_t>(random.below(o->size()));
    const std::string key(it->key());
    if (random.below(4) == 0) it->value() = nullptr;  // as people who want the default write
    else o->erase(it);
    return "removed " + place.path + "/" + key;
  }
  if (auto* a = place.value->if_array(); a != nullptr && !a->empty()) {
    const auto at = random.below(a->size());
    a->erase(a->begin() + static_cast<std::ptrdiff_t>(at));
    return "removed " + place.path + "/" + std::to_string(at);
  }
  return "";
}

std::string addMember(const Place& place, Random& random) {
  const std::string name = "extra-" + std::to_string(random.below(4));
  const auto ends = [&](std::string_view part) { return place.path.ends_with(part); };
  if (auto* o = place.value->if_object(); o != nullptr && (ends("labels") || ends("annotations") || ends("/data"))) {
    (*o)[name] = "eDE=";
    return "added " + place.path + "/" + name;
  }
  auto* a = place.value->if_array();
  if (a == nullptr) return "";
  if (ends("/env")) a->push_back(json::object{{"name", name}, {"value", std::to_string(random.below(9))}});
  else if (ends("/containers")) a->insert(a->begin(), json::object{{"name", name}, {"image", "added:1"}});
  else if (ends("/ports") && place.path.find("containers") != std::string::npos)
    a->push_back(json::object{{"containerPort", 7000 + static_cast<int>(random.below(4))}});
  else if (ends("/ports"))
    a->push_back(json::object{{"name", name}, {"port", 7000 + static_cast<int>(random.below(4))}});
  else if (a->size() > 1) std::swap(a->front(), a->back());
  else return "";
  return "added to or turned around " + place.path;
}

void shuffleMembers(json::value& v, Random& random) {
  if (auto* a = v.if_array())
    for (auto& item : *a) shuffleMembers(item, random);
  auto* o = v.if_object();
  if (o == nullptr) return;
  std::vector<std::pair<std::string, json::value>> members;
  for (auto& member : *o) {
    shuffleMembers(member.value(), random);
    members.emplace_back(member.key(), std::move(member.value()));
  }
  o->clear();
  while (!members.empty()) {
    const auto at = static_cast<std::ptrdiff_t>(random.below(members.size()));
    (*o)[members[static_cast<std::size_t>(at)].first] = std::move(members[static_cast<std::size_t>(at)].second);
    members.erase(members.begin() + at);
  }
}

}  // namespace

std::vector<WantedObject> readCorpus() {
  auto reader = DirectoryReader::open(sourcePath("tests/property/plan/corpus"));
  if (!reader.ok()) throw std::runtime_error(reader.error().message);
  TreeRenderer renderer(&SchemaRegistry::builtin());
  const auto tree = renderer.render(**reader, (*reader)->rootId());
  if (!tree.ok()) throw std::runtime_error(tree.error().message);
  const auto desired = makeDesiredSet(*tree);
  if (desired.findings.hasErrors()) throw std::runtime_error(desired.findings.text());
  std::vector<WantedObject> out;
  for (const auto& object : desired.objects) out.push_back({object.ref, object.object->json(), object.placeOf("")});
  return out;
}

std::string mutate(WantedObject& object, Random& random) {
  const auto places = placesOf(object.body);
  for (int attempt = 0; attempt < 50 && !places.empty(); ++attempt) {
    const auto& place = places[random.below(places.size())];
    const auto kind = random.below(4);
    const auto done = kind == 0   ? removeMember(place, random)
                      : kind == 1 ? addMember(place, random)
                                  : changeScalar(place, random);
    if (!done.empty()) return object.ref.text() + ": " + done;
  }
  return "";
}

std::vector<WantedObject> shuffled(std::vector<WantedObject> objects, Random& random) {
  for (std::size_t i = objects.size(); i > 1; --i) std::swap(objects[i - 1], objects[random.below(i)]);
  for (auto& object : objects) {
    json::value body(std::move(object.body));
    shuffleMembers(body, random);
    object.body = std::move(body.get_object());
  }
  return objects;
}

}  // namespace steer
