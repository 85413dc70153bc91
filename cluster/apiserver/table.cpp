#include "cluster/apiserver/table.h"

namespace steer {
namespace {

json::array columnDefinitions(const KindStrategy& strategy) {
  json::array out;
  for (const auto& column : strategy.columns())
    out.push_back(json::object{{"name", jkey(column.name)},
                               {"type", jkey(column.type)},
                               {"format", jkey(column.format)},
                               {"description", ""},
                               {"priority", column.priority}});
  return out;
}

}  // namespace

IncludeObject includeObjectOf(std::string_view text) {
  if (text == "None") return IncludeObject::none;
  return text == "Object" ? IncludeObject::object : IncludeObject::metadata;
}

json::object partialOf(const Object& object) {
  return {{"kind", "PartialObjectMetadata"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", object.metadata()}};
}

json::object tableOf(const KindSchema& kind, const std::vector<ObjectPtr>& objects, json::object listMeta,
                     IncludeObject include, Time now, WithColumns columns) {
  const auto& strategy = StrategyRegistry::builtin().of(kind.resource());
  json::array rows;
  rows.reserve(objects.size());
  for (const auto& object : objects) {
    json::object row{{"cells", strategy.row(*object, now)}};
    if (include == IncludeObject::metadata) row["object"] = partialOf(*object);
    if (include == IncludeObject::object) row["object"] = object->json();
    rows.push_back(std::move(row));
  }
  json::object out{{"kind", "Table"}, {"apiVersion", "meta.k8s.io/v1"}, {"metadata", std::move(listMeta)}};
  out["columnDefinitions"] = columns == WithColumns::yes ? json::value(columnDefinitions(strategy)) : json::value();
  out["rows"] = std::move(rows);
  return out;
}

}  // namespace steer
