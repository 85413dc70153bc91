#include "render/blob_parser.h"

#include "schemas/validate.h"

namespace steer {
namespace {

class BlobReader {
 public:
  explicit BlobReader(const SchemaRegistry* registry) : registry_(registry) {}

  ParsedBlobPtr read(std::string_view text) {
    auto documents = parseYaml(text, "", out_.findings, YamlLimits{.maxBytes = kMaxManifestBytes});
    for (auto& document : documents) {
      if (document.value.is_null()) continue;
      places_ = std::make_shared<const SourceMap>(std::move(document.places));
      take(std::move(document.value), "");
    }
    return std::make_shared<const ParsedBlob>(std::move(out_));
  }

 private:
  void take(json::value value, const std::string& prefix) {
    auto* body = value.if_object();
    if (body == nullptr) return report(prefix, "", "", "a manifest is a mapping", "begin with apiVersion: and kind:");
    bool identified = true;
    for (const char* field : {"apiVersion", "kind"}) {
      if (!stringAt(*body, {field}).empty()) continue;
      identified = false;
      report(prefix, "", field, "required field is missing",
             field == std::string_view("kind") ? "write for example kind: Deployment"
                                               : "write for example apiVersion: v1");
    }
    if (!identified) return;
    if (stringAt(*body, {"kind"}).ends_with("List") && body->contains("items")) return takeList(*body, prefix);
    takeObject(std::move(*body), prefix);
  }

  void takeList(json::object& list, const std::string& prefix) {
    auto& items = list["items"];
    if (items.is_null()) return;
    auto* array = items.if_array();
    if (array == nullptr) return report(prefix + "/items", "", "items", "must be a list of manifests", "");
    for (std::size_t i = 0; i < array->size(); ++i)
      take(std::move((*array)[i]), prefix + "/items/" + std::to_string(i));
  }

  void takeObject(json::object body, const std::string& prefix) {
    const auto before = out_.findings.items().size();
    const auto object = Object::make(std::move(body));
    const KindSchema* kind = registry_ == nullptr ? nullptr : registry_->find(object->gvk());
    if (registry_ != nullptr && kind == nullptr) reportUnknownKind(*object, prefix);
    if (!object->metadata().contains("name")) reportMissingName(*object, prefix);
    if (kind != nullptr) {
      if (!kind->namespaced && !object->ns().empty())
        report(prefix + "/metadata/namespace", object->text(), "metadata.namespace",
               object->kind() + " objects belong to no namespace", "remove the field");
      for (auto& f : validateObject(*kind, object->json()))
        if (f.path != "metadata.name" || object->metadata().contains("name"))
          report(prefix + f.pointer, object->text(), f.path, std::move(f.message), std::move(f.hint));
    }
    ParsedManifest manifest{object, kind, places_, prefix};
    for (auto i = before; i < out_.findings.items().size(); ++i) {
      const auto& finding = out_.findings.items()[i];
      if (finding.severity != Severity::error) continue;
      ++manifest.errors;
      for (const std::string_view identity : {"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata"})
        if (finding.path == identity) manifest.named = false;
    }
    out_.manifests.push_back(std::move(manifest));
  }

  void reportMissingName(const Object& object, const std::string& prefix) {
    const bool generated = object.metadata().contains("generateName");
    report(prefix + "/metadata", object.kind(), "metadata.name", "required field is missing",
           generated ? "generateName would make another object at every apply; write a name" : "write a name");
  }

  void reportUnknownKind(const Object& object, const std::string& prefix) {
    std::string near;
    std::size_t named = 0;
    for (const auto& gvk : registry_->nearest(object.gvk())) {
      if (++named > 3) break;
      near += (near.empty() ? "did you mean " : " or ") + gvk.apiVersion() + " " + gvk.kind;
    }
    if (!near.empty()) near += "?";
    report(prefix + "/kind", object.text(), "kind",
           "there is no kind " + object.kind() + " in " + object.gvk().apiVersion(), std::move(near));
  }

  void report(const std::string& pointer, std::string object, std::string path, std::string message, std::string hint) {
    const auto [line, column] = places_->at(pointer);
    out_.findings.add(
        {Severity::error, {"", line, column}, std::move(object), std::move(path), std::move(message), std::move(hint)});
  }

  const SchemaRegistry* registry_;
  std::shared_ptr<const SourceMap> places_;
  ParsedBlob out_;
};

}  // namespace

ParsedBlobPtr parseBlob(std::string_view text, const SchemaRegistry* registry) {
  return BlobReader(registry).read(text);
}

}  // namespace steer
