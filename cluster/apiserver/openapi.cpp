#include "cluster/apiserver/openapi.h"

#include <algorithm>
#include <set>

#include "cluster/apiserver/answers.h"
#include "core/version.h"

namespace steer {
namespace {

std::string typeName(const TypeSchema& type) {
  std::string out = type.name;
  std::replace(out.begin(), out.end(), '/', '.');
  return out;
}

json::object referenceTo(const TypeSchema& type) { return {{"$ref", "#/components/schemas/" + typeName(type)}}; }

constexpr const char* kIntOrString = "io.k8s.apimachinery.pkg.util.intstr.IntOrString";
constexpr const char* kQuantity = "io.k8s.apimachinery.pkg.api.resource.Quantity";

json::object sharedReference(std::string_view name) { return {{"$ref", "#/components/schemas/" + std::string(name)}}; }

json::object scalarSchema(Scalar scalar) {
  switch (scalar) {
    case Scalar::int32:
      return {{"type", "integer"}, {"format", "int32"}};
    case Scalar::int64:
      return {{"type", "integer"}, {"format", "int64"}};
    case Scalar::number:
      return {{"type", "number"}, {"format", "double"}};
    case Scalar::boolean:
      return {{"type", "boolean"}};
    case Scalar::bytes:
      return {{"type", "string"}, {"format", "byte"}};
    case Scalar::time:
    case Scalar::microTime:
      return {{"type", "string"}, {"format", "date-time"}};
    case Scalar::intOrString:
      return {{"allOf", json::array{sharedReference(kIntOrString)}}};
    case Scalar::quantity:
      return {{"allOf", json::array{sharedReference(kQuantity)}}};
    case Scalar::rawObject:
      return {{"type", "object"}};
    case Scalar::any:
      return {};
    default:
      return {{"type", "string"}};
  }
}

/// In lists and maps a bare reference will do, and explain shows its name.
json::object valueSchema(const FieldSchema& field) {
  if (field.type == nullptr && field.scalar == Scalar::intOrString) return sharedReference(kIntOrString);
  if (field.type == nullptr && field.scalar == Scalar::quantity) return sharedReference(kQuantity);
  return field.type != nullptr ? referenceTo(*field.type) : scalarSchema(field.scalar);
}

void addListRules(const FieldSchema& field, json::object& out) {
  if (field.shape == Shape::list && field.listType != ListType::atomic)
    out["x-kubernetes-list-type"] = field.listType == ListType::map ? "map" : "set";
  if (!field.listKeys.empty()) {
    json::array keys;
    for (const auto& key : field.listKeys) keys.push_back(json::string(key));
    out["x-kubernetes-list-map-keys"] = std::move(keys);
  }
  if (!field.mergeKey.empty()) out["x-kubernetes-patch-merge-key"] = field.mergeKey;
  std::string strategy = field.mergeList ? "merge" : "";
  if (field.retainKeys) strategy += strategy.empty() ? "retainKeys" : ",retainKeys";
  if (!strategy.empty()) out["x-kubernetes-patch-strategy"] = strategy;
}

json::object fieldSchema(const FieldSchema& field) {
  json::object out;
  if (field.shape == Shape::list) {
    out = {{"type", "array"}, {"items", valueSchema(field)}};
  } else if (field.shape == Shape::map) {
    out = {{"type", "object"}, {"additionalProperties", valueSchema(field)}};
  } else if (field.type != nullptr) {
    // Siblings of $ref are not allowed.
    out = {{"allOf", json::array{referenceTo(*field.type)}}};
  } else {
    out = scalarSchema(field.scalar);
  }
  if (!field.enumValues.empty() && field.shape == Shape::scalar) {
    json::array values;
    for (const auto& value : field.enumValues) values.push_back(json::string(value));
    out["enum"] = std::move(values);
  }
  addListRules(field, out);
  return out;
}

/// The type and all it refers to.
void addType(const TypeSchema& type, json::object& schemas) {
  const std::string name = typeName(type);
  if (schemas.contains(name)) return;
  json::object properties;
  json::array required;
  schemas[name] = json::object{};
  for (const auto& field : type.fields) {
    properties[field.name] = fieldSchema(field);
    if (field.required) required.push_back(json::string(field.name));
    if (field.type != nullptr) addType(*field.type, schemas);
  }
  json::object out{{"type", "object"}, {"properties", std::move(properties)}};
  if (!required.empty()) out["required"] = std::move(required);
  schemas[name] = std::move(out);
}

json::object gvkOf(const KindSchema& kind) {
  return {{"group", kind.gvk.group}, {"version", kind.gvk.version}, {"kind", kind.gvk.kind}};
}

json::object patchOperation(const KindSchema& kind) {
  json::object content;
  for (const char* type : {"application/json-patch+json", "application/merge-patch+json",
                           "application/strategic-merge-patch+json", "application/apply-patch+yaml"})
    content[type] = json::object{{"schema", {{"type", "object"}}}};
  const auto parameter = [](const char* name) {
    return json::object{{"name", name}, {"in", "query"}, {"schema", {{"type", "string"}}}};
  };
  return {{"x-kubernetes-action", "patch"},
          {"x-kubernetes-group-version-kind", gvkOf(kind)},
          {"parameters", json::array{parameter("dryRun"), parameter("fieldManager"), parameter("fieldValidation")}},
          {"requestBody", {{"content", std::move(content)}}},
          {"responses", {{"200", {{"description", "OK"}}}}}};
}

std::string pathOf(const KindSchema& kind, std::string_view scope) {
  const std::string start = kind.gvk.group.empty() ? "/api/" : "/apis/";
  return start + kind.gvk.apiVersion() + std::string(scope) + kind.plural;
}

/// Which verb the path answers, and with what kind. kubectl before 1.28 finds a resource's kind here.
json::object plainOperation(const KindSchema& kind, const char* action) {
  return {{"x-kubernetes-action", action},
          {"x-kubernetes-group-version-kind", gvkOf(kind)},
          {"responses", {{"200", {{"description", "OK"}}}}}};
}

void addPaths(const KindSchema& kind, json::object& paths) {
  const auto has = [&](const char* verb) {
    return std::find(kind.verbs.begin(), kind.verbs.end(), verb) != kind.verbs.end();
  };
  json::object all, one;
  if (has("list")) all["get"] = plainOperation(kind, "list");
  if (has("create")) all["post"] = plainOperation(kind, "post");
  if (has("get")) one["get"] = plainOperation(kind, "get");
  if (has("patch")) one["patch"] = patchOperation(kind);
  const std::string path = pathOf(kind, kind.namespaced ? "/namespaces/{namespace}/" : "/");
  if (kind.namespaced && has("list")) paths[pathOf(kind, "/")] = json::object{{"get", plainOperation(kind, "list")}};
  if (!all.empty()) paths[path] = std::move(all);
  if (!one.empty()) paths[path + "/{name}"] = std::move(one);
}

json::object sharedSchemas() {
  json::object out;
  out[kIntOrString] =
      json::object{{"format", "int-or-string"},
                   {"oneOf", json::array{json::object{{"type", "integer"}}, json::object{{"type", "string"}}}}};
  out[kQuantity] =
      json::object{{"oneOf", json::array{json::object{{"type", "string"}}, json::object{{"type", "number"}}}}};
  return out;
}

json::object makeDocument(const std::vector<const KindSchema*>& kinds) {
  json::object paths;
  json::object schemas = sharedSchemas();
  for (const auto* kind : kinds) {
    if (kind->type != nullptr) {
      addType(*kind->type, schemas);
      schemas[typeName(*kind->type)].get_object()["x-kubernetes-group-version-kind"] = json::array{gvkOf(*kind)};
    }
    addPaths(*kind, paths);
  }
  return {{"openapi", "3.0.0"},
          {"info", {{"title", "Steersman"}, {"version", kKubernetesVersion}}},
          {"paths", std::move(paths)},
          {"components", {{"schemas", std::move(schemas)}}}};
}

std::string protobufText(int field, std::string_view text) {
  std::string out;
  out += static_cast<char>(field << 3 | 2);
  out += static_cast<char>(text.size());
  return out.append(text);
}

}  // namespace

OpenApi::OpenApi(const SchemaRegistry& registry) {
  std::map<std::string, std::vector<const KindSchema*>> byVersion;
  for (const auto* kind : registry.kinds())
    if (!kind->verbs.empty() && !kind->plural.empty())
      byVersion[(kind->gvk.group.empty() ? "api/" : "apis/") + kind->gvk.apiVersion()].push_back(kind);
  json::object paths;
  for (const auto& [name, kinds] : byVersion) {
    std::string text = jsonText(makeDocument(kinds));
    paths[name] = json::object{{"serverRelativeURL", "/openapi/v3/" + name + "?hash=" + contentHash(text)}};
    documents_[name] = std::move(text);
  }
  index_ = jsonText(json::object{{"paths", std::move(paths)}});
}

const std::string* OpenApi::document(std::string_view groupVersion) const {
  const auto it = documents_.find(groupVersion);
  return it == documents_.end() ? nullptr : &it->second;
}

std::string OpenApi::version2Protobuf() {
  // openapi.v2.Document: swagger = 1, info = 2; Info: title = 1, version = 2.
  const std::string info = protobufText(1, "Steersman") + protobufText(2, kKubernetesVersion);
  return protobufText(1, "2.0") + protobufText(2, info);
}

}  // namespace steer
