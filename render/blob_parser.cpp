#include "render/blob_parser.h"

#include <algorithm>
#include <functional>
#include <optional>

#include "schemas/names.h"
#include "schemas/normal_form.h"
#include "schemas/served.h"
#include "schemas/structure.h"
#include "schemas/sync_order.h"
#include "schemas/sync_policy.h"
#include "schemas/validate.h"

namespace steer {
namespace {

struct NoYaml {
  std::size_t line = 0;
  std::string what{};
  std::string hint{};
};

/// Other things than YAML that stand where manifests are expected, in words.
NoYaml noYaml(std::string_view text) {
  if (text.starts_with("version https://git-lfs.github.com/spec/"))
    return {1, "is a pointer of Git LFS; the content is not fetched",
            "commit the file itself (git lfs migrate export)"};
  std::size_t number = 1;
  for (std::size_t at = 0; at < text.size(); ++number) {
    const auto end = std::min(text.find('\n', at), text.size());
    const auto line = text.substr(at, end - at);
    if (line.starts_with("<<<<<<< ") || line.starts_with(">>>>>>> "))
      return {number, "a conflict of a merge is not resolved here",
              "choose a side, and remove the lines of <<<<<<< ======= >>>>>>>"};
    at = end + 1;
  }
  return {};
}

class BlobReader {
 public:
  explicit BlobReader(const SchemaRegistry* registry) : registry_(registry) {}

  ParsedBlobPtr read(std::string_view text) {
    if (const auto [line, what, hint] = noYaml(text); !what.empty()) {
      out_.findings.add({Severity::error, {"", line, 1}, "", "", what, hint});
      return std::make_shared<const ParsedBlob>(std::move(out_));
    }
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
    if (body == nullptr && !value.is_array())
      return report(prefix, "", "", "a manifest is a mapping", "begin with apiVersion: and kind:");
    if (body == nullptr ? !mayHoldManifests(value.get_array()) : !mayBeManifest(*body))
      return report(prefix, "", "", "is no manifest: it has neither apiVersion nor kind, and is passed over",
                    "name it in a .steerignore", Severity::warning);
    if (body == nullptr)
      return report(prefix, "", "", "a manifest is a mapping",
                    "write its items as documents of their own, between lines of ---");
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

  /// Items of a ConfigMapList that say neither what they are are ConfigMaps, as kubectl reads them.
  static void inheritKind(const json::object& list, json::value& item) {
    auto* body = item.if_object();
    const auto kind = stringAt(list, {"kind"});
    if (body == nullptr || kind == "List" || !stringAt(*body, {"kind"}).empty() ||
        !stringAt(*body, {"apiVersion"}).empty())
      return;
    (*body)["apiVersion"] = stringAt(list, {"apiVersion"});
    (*body)["kind"] = kind.substr(0, kind.size() - std::string_view("List").size());
  }

  void takeList(json::object& list, const std::string& prefix) {
    auto& items = list["items"];
    if (items.is_null()) return;
    auto* array = items.if_array();
    if (array == nullptr) return report(prefix + "/items", "", "items", "must be a list of manifests", "");
    for (std::size_t i = 0; i < array->size(); ++i) {
      inheritKind(list, (*array)[i]);
      take(std::move((*array)[i]), prefix + "/items/" + std::to_string(i));
    }
  }

  /// What belongs to no namespace loses one that somebody wrote, as in the server.
  static void dropNamespace(json::object& body) {
    auto* metadata = body.if_contains("metadata");
    if (metadata != nullptr && metadata->is_object()) metadata->get_object().stable_erase("namespace");
  }

  void takeObject(json::object body, const std::string& prefix) {
    const auto before = out_.findings.items().size();
    nameHook(body);
    const KindSchema* kind = registry_ == nullptr ? nullptr : registry_->find(gvkOf(body));
    if (kind != nullptr) settleNulls(*kind, body);
    if (kind != nullptr && !kind->namespaced) dropNamespace(body);
    std::optional<json::object> folded;  // what is asked for, where that is not what stands in the file
    if (kind != nullptr && body.contains("stringData")) foldStringData(*kind, folded.emplace(body));
    const auto object = Object::make(std::move(body));
    if (registry_ != nullptr && kind == nullptr) reportUnknownKind(*object, prefix);
    if (!object->metadata().contains("name")) reportMissingName(*object, prefix);
    if (kind != nullptr) {
      if (auto unserved = unservedText(*kind); !unserved.empty())
        report(prefix + "/kind", object->text(), "", std::move(unserved), "until it is, name it in a .steerignore");
      for (auto& remark : remarksOnSync(object->json()))
        report(prefix + "/metadata/annotations/" + escaped(remark.key), object->text(),
               "metadata.annotations[" + remark.key + "]", std::move(remark.message), "", Severity::warning);
      auto findings = validateObject(*kind, object->json());
      reportServerFields(*object, prefix);
      reportRepeated(*kind, *object, findings, prefix);
      if (object->kind() == "Secret") hideKeys(findings);
      for (auto& f : findings)
        if (f.path != "metadata.name" || object->metadata().contains("name"))
          report(prefix + f.pointer, object->text(), f.path, std::move(f.message), std::move(f.hint));
    }
    ParsedManifest manifest{folded ? Object::make(std::move(*folded)) : object, kind, places_, prefix};
    for (auto i = before; i < out_.findings.items().size(); ++i) {
      const auto& finding = out_.findings.items()[i];
      if (finding.severity != Severity::error) continue;
      ++manifest.errors;
      for (const std::string_view identity : {"apiVersion", "kind", "metadata.name", "metadata.namespace", "metadata"})
        if (finding.path == identity) manifest.named = false;
    }
    out_.manifests.push_back(std::move(manifest));
  }

  /// Values for charts, packages and the like have neither member; what has others of a manifest has lost these.
  static bool mayBeManifest(const json::object& body) {
    for (const char* member : {"apiVersion", "kind", "metadata", "spec"})
      if (body.contains(member)) return true;
    return body.empty();
  }
  static bool mayHoldManifests(const json::array& items) {
    return std::any_of(items.begin(), items.end(), [](const json::value& item) {
      return item.is_object() && !item.get_object().empty() && mayBeManifest(item.get_object());
    });
  }

  /// A hook that leaves its name to the server gets one that changes with what it says, so that it can be found again.
  static void nameHook(json::object& body) {
    const std::string prefix(stringAt(body, {"metadata", "generateName"}));
    if (prefix.empty() || !stringAt(body, {"metadata", "name"}).empty() || !isHook(body)) return;
    const auto digest = std::to_string(std::hash<std::string>{}(jsonCanonical(body)) % 100'000'000);
    auto& metadata = ensureObject(body, "metadata");
    metadata["name"] = prefix + digest;
    metadata.erase("generateName");
  }

  static Gvk gvkOf(const json::object& body) {
    return Gvk::from(stringAt(body, {"apiVersion"}), stringAt(body, {"kind"}));
  }

  /// A dump of a living object asks for that very object in that very state, which will never be again.
  void reportServerFields(const Object& object, const std::string& prefix) {
    for (const char* field : {"resourceVersion", "uid"})
      if (!stringAt(object.metadata(), {field}).empty())
        report(prefix + "/metadata/" + field, object.text(), std::string("metadata.") + field,
               "is set by the server and cannot be asked for", "remove the field");
    if (!arrayAt(object.metadata(), {"managedFields"}).empty())
      report(prefix + "/metadata/managedFields", object.text(), "metadata.managedFields",
             "is kept by the server and cannot be asked for", "remove the field");
  }

  /// "/spec/containers/0" as "spec.containers[0]".
  static std::string pathOf(std::string_view pointer) {
    std::string out;
    while (!pointer.empty()) {
      pointer.remove_prefix(1);
      const auto step = pointer.substr(0, std::min(pointer.find('/'), pointer.size()));
      pointer.remove_prefix(step.size());
      const bool index = !step.empty() && step.find_first_not_of("0123456789") == std::string_view::npos;
      out += index ? "[" + std::string(step) + "]" : (out.empty() ? "" : ".") + std::string(step);
    }
    return out;
  }

  /// What is no key may be a value that stands in its place; the line says where.
  static void hideKeys(std::vector<Finding>& findings) {
    for (auto& f : findings)
      for (const std::string_view map : {"data", "stringData"})
        if (const auto key = f.path.size() > map.size() + 2 && f.path.starts_with(std::string(map) + "[")
                                 ? f.path.substr(map.size() + 1, f.path.size() - map.size() - 2)
                                 : "";
            !key.empty() && checkConfigKey(key))
          f.path = std::string(map) + "[\u2026]";
  }

  /// An apply cannot say which of two items of one key is meant, and is refused.
  void reportRepeated(const KindSchema& kind, const Object& object, const std::vector<Finding>& known,
                      const std::string& prefix) {
    for (const auto& item : repeatedItems(Place::ofObject(*kind.type), object.json())) {
      const bool said = std::any_of(known.begin(), known.end(), [&](const Finding& f) {
        const auto& keys = item.list->listKeys;
        return f.pointer == item.pointer || std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
                 return f.pointer == item.pointer + "/" + key;
               });
      });
      if (!said)
        report(prefix + item.pointer, object.text(), pathOf(item.pointer), "duplicate entries for key " + item.key,
               "name each once; of two, only one can take effect");
    }
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

  /// As a step of a JSON pointer.
  static std::string escaped(const std::string& key) {
    std::string out;
    for (const char c : key) out += c == '~' ? "~0" : c == '/' ? "~1" : std::string(1, c);
    return out;
  }

  void report(const std::string& pointer, std::string object, std::string path, std::string message, std::string hint,
              Severity severity = Severity::error) {
    const auto [line, column] = places_->at(pointer);
    out_.findings.add(
        {severity, {"", line, column}, std::move(object), std::move(path), std::move(message), std::move(hint)});
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
