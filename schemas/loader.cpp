#include "schemas/loader.h"

#include <algorithm>
#include <array>
#include <charconv>

extern "C" {
struct SteerSchemaDocument {
  const char* name;
  const char* text;
  std::uint64_t size;
};
extern const SteerSchemaDocument steerSchemaDocuments[];
extern const std::uint64_t steerSchemaDocumentCount;
}

namespace steer {
namespace {

constexpr std::array<std::pair<std::string_view, Scalar>, 14> kScalars{{{"string", Scalar::string},
                                                                        {"int32", Scalar::int32},
                                                                        {"int64", Scalar::int64},
                                                                        {"double", Scalar::number},
                                                                        {"bool", Scalar::boolean},
                                                                        {"bytes", Scalar::bytes},
                                                                        {"time", Scalar::time},
                                                                        {"microtime", Scalar::microTime},
                                                                        {"duration", Scalar::duration},
                                                                        {"quantity", Scalar::quantity},
                                                                        {"intOrString", Scalar::intOrString},
                                                                        {"any", Scalar::any},
                                                                        {"rawObject", Scalar::rawObject},
                                                                        {"object", Scalar::rawObject}}};

std::string_view nextWord(std::string_view& line) {
  const auto end = std::min(line.find(' '), line.size());
  const auto word = line.substr(0, end);
  line.remove_prefix(std::min(end + 1, line.size()));
  return word;
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> out;
  while (true) {
    const auto end = text.find(separator);
    out.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    text.remove_prefix(end + 1);
  }
}

std::vector<std::string> stringsOf(const json::object& o, std::string_view key) {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(o, {key}))
    if (const auto* s = item.if_string()) out.emplace_back(view(*s));
  return out;
}

json::value defaultOf(const FieldSchema& field, std::string_view text) {
  if (field.scalar == Scalar::boolean) return text == "true";
  if (field.scalar == Scalar::int32 || field.scalar == Scalar::int64) {
    std::int64_t n = 0;
    std::from_chars(text.data(), text.data() + text.size(), n);
    return n;
  }
  return json::value(jkey(text));
}

std::string lower(std::string_view text) {
  std::string out(text);
  std::transform(out.begin(), out.end(), out.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return out;
}

/// Reads the words after the type. Returns false at a word that is none of ours.
bool readFlag(FieldSchema& field, std::string_view word) {
  const auto valueOf = [&](std::string_view prefix) -> std::optional<std::string_view> {
    if (word.substr(0, prefix.size()) != prefix) return std::nullopt;
    return word.substr(prefix.size());
  };
  if (const auto number = valueOf("#")) {
    std::from_chars(number->data(), number->data() + number->size(), field.protobufNumber);
  } else if (const auto message = valueOf("in=")) {
    field.inlined = *message;
  } else if (const auto keys = valueOf("keys=")) {
    field.listType = ListType::map;
    field.listKeys = split(*keys, ',');
  } else if (const auto original = valueOf("copyOf=")) {
    field.copyOf = *original;
  } else if (const auto key = valueOf("merge=")) {
    field.mergeList = true;
    field.mergeKey = *key;
  } else if (const auto values = valueOf("enum=")) {
    field.enumValues = split(*values, '|');
    for (auto& value : field.enumValues) std::replace(value.begin(), value.end(), '~', ' ');
  } else if (const auto value = valueOf("default=")) {
    field.defaultValue = defaultOf(field, *value);
  } else if (word == "required") {
    field.required = true;
  } else if (word == "set") {
    field.listType = ListType::set;
  } else if (word == "merge") {
    field.mergeList = true;
  } else if (word == "replace") {
    field.mergeReplace = true;
  } else if (word == "retainKeys") {
    field.retainKeys = true;
  } else if (word == "atomic") {
    field.mapAtomic = true;
  } else if (word == "granular") {
    field.mapAtomic = false;
  } else if (word == "keep") {
    field.keepZero = true;
  } else if (word == "pointer") {
    field.pointer = true;
  } else {
    return false;
  }
  return true;
}

Error malformed(std::string_view where, std::string_view what) {
  return makeError(Errc::internal, "schema " + std::string(where) + ": " + std::string(what));
}

}  // namespace

std::vector<SchemaDocument> SchemaLoader::embedded() {
  std::vector<SchemaDocument> out;
  out.reserve(steerSchemaDocumentCount);
  for (std::uint64_t i = 0; i < steerSchemaDocumentCount; ++i) {
    const auto& document = steerSchemaDocuments[i];
    out.push_back({document.name, {document.text, document.size}});
  }
  return out;
}

Result<std::unique_ptr<SchemaRegistry>> SchemaLoader::load(const std::vector<SchemaDocument>& documents) {
  SchemaLoader loader;
  json::monotonic_resource memory;
  std::vector<json::value> parsed;
  parsed.reserve(documents.size());
  for (const auto& document : documents) {
    boost::system::error_code ec;
    parsed.push_back(json::parse(jkey(document.text), ec, &memory));
    if (ec) return malformed(document.name, ec.message());
  }
  // Types first, by name only, so that fields can point at types of any document.
  for (const auto& document : parsed) STEER_CHECK(loader.declareTypes(objectAt(document, {"types"})));
  for (const auto& document : parsed)
    for (const auto& [name, spec] : objectAt(document, {"types"}))
      if (const auto* o = spec.if_object())
        STEER_CHECK(
            loader.defineType(*loader.registry_->types_.find(std::string_view(name.data(), name.size()))->second, *o));
  for (const auto& document : parsed)
    if (const auto* kind = find(document, {"kind"}); kind != nullptr && kind->is_object())
      STEER_CHECK(loader.readKind(kind->get_object()));
  for (const auto& document : parsed)
    if (const auto* list = document.if_array()) STEER_CHECK(loader.markServed(*list));
  loader.index();
  return std::move(loader.registry_);
}

Result<void> SchemaLoader::declareTypes(const json::object& types) {
  for (const auto& [name, spec] : types) {
    auto type = std::make_unique<TypeSchema>();
    type->name = std::string(name.data(), name.size());
    type->mapAtomic = boolAt(spec, {"atomic"});
    const auto [at, added] = registry_->types_.emplace(type->name, std::move(type));
    if (!added) return malformed(at->first, "defined twice");
  }
  return {};
}

Result<void> SchemaLoader::defineType(TypeSchema& type, const json::object& spec) {
  const auto& fields = objectAt(spec, {"fields"});
  type.fields.reserve(fields.size() + 2);
  if (boolAt(spec, {"root"}))
    for (const auto* name : {"apiVersion", "kind"}) {
      FieldSchema field;
      field.name = name;
      field.scalar = Scalar::string;
      type.fields.push_back(std::move(field));
    }
  for (const auto& [name, line] : fields) {
    if (!line.is_string()) return malformed(type.name, "a field is not a text");
    auto field = readField({name.data(), name.size()}, view(line.get_string()));
    if (!field) return malformed(type.name, field.error().message);
    if (type.field(field.value().name) == nullptr) type.fields.push_back(std::move(field).value());
  }
  std::sort(type.fields.begin(), type.fields.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  for (const auto& [name, number] : objectAt(spec, {"inlined"}))
    type.inlinedNumbers.emplace(std::string(name.data(), name.size()), static_cast<int>(asInt(number).value_or(0)));
  return {};
}

Result<void> SchemaLoader::readTypeWord(FieldSchema& field, std::string_view word) const {
  const auto prefix = word.substr(0, 2);
  if (prefix == "[]") field.shape = Shape::list;
  if (prefix == "{}") field.shape = Shape::map;
  if (field.shape != Shape::scalar) word.remove_prefix(2);
  for (const auto& [name, scalar] : kScalars)
    if (name == word) {
      field.scalar = scalar;
      return {};
    }
  const auto type = registry_->types_.find(word);
  if (type == registry_->types_.end()) return malformed(field.name, "unknown type " + std::string(word));
  field.type = type->second.get();
  if (field.shape == Shape::scalar) {
    field.shape = Shape::object;
    field.mapAtomic = field.type->mapAtomic;
  }
  return {};
}

Result<FieldSchema> SchemaLoader::readField(std::string_view name, std::string_view line) const {
  FieldSchema field;
  field.name = name;
  STEER_CHECK(readTypeWord(field, nextWord(line)));
  while (!line.empty())
    if (const auto word = nextWord(line); !readFlag(field, word))
      return malformed(name, "unknown word " + std::string(word));
  return field;
}

Result<void> SchemaLoader::readKind(const json::object& spec) {
  auto kind = std::make_unique<KindSchema>();
  kind->gvk = {std::string(stringAt(spec, {"group"})), std::string(stringAt(spec, {"version"})),
               std::string(stringAt(spec, {"kind"}))};
  kind->plural = stringAt(spec, {"plural"});
  kind->singular = stringAt(spec, {"singular"});
  kind->namespaced = boolAt(spec, {"namespaced"});
  kind->request = boolAt(spec, {"request"});
  kind->verbs = stringsOf(spec, "verbs");
  kind->shortNames = stringsOf(spec, "short");
  kind->categories = stringsOf(spec, "categories");
  for (const auto& [name, sub] : objectAt(spec, {"subresources"})) {
    SubresourceSchema subresource;
    subresource.name = std::string(name.data(), name.size());
    subresource.gvk = Gvk::from(stringAt(sub, {"apiVersion"}), stringAt(sub, {"kind"}));
    if (const auto* o = sub.if_object()) {
      subresource.verbs = stringsOf(*o, "verbs");
      subresource.keeps = stringsOf(*o, "keeps");
    }
    kind->subresources.push_back(std::move(subresource));
  }
  kind->type = registry_->type(stringAt(spec, {"type"}));
  if (kind->type == nullptr) return malformed(kind->gvk.kind, "its type is not defined");
  if (!registry_->byGvk_.emplace(kind->gvk, kind.get()).second) return malformed(kind->gvk.kind, "defined twice");
  registry_->ownedKinds_.push_back(std::move(kind));
  return {};
}

Result<void> SchemaLoader::markServed(const json::array& list) {
  for (const auto& item : list) {
    const auto words = item.is_string() ? split(view(item.get_string()), ' ') : std::vector<std::string>{};
    if (words.size() != 2) return malformed("served.json", "an entry is not \"apiVersion Kind\"");
    const auto gvk = Gvk::from(words[0], words[1]);
    const auto known = std::find_if(registry_->ownedKinds_.begin(), registry_->ownedKinds_.end(),
                                    [&](const auto& kind) { return kind->gvk == gvk; });
    if (known == registry_->ownedKinds_.end())
      return malformed("served.json", words[0] + " " + words[1] + " has no schema");
    (*known)->served = true;
  }
  return {};
}

void SchemaLoader::index() {
  auto& r = *registry_;
  for (const auto& [gvk, kind] : r.byGvk_)
    if (!kind->request) r.kinds_.push_back(kind);
  // Served kinds first, then the core group and newer versions: the first to claim a word keeps it.
  auto preferred = r.kinds_;
  std::stable_sort(preferred.begin(), preferred.end(), [](const auto* a, const auto* b) {
    if (a->served != b->served) return a->served;
    if (a->gvk.group != b->gvk.group) return a->gvk.group < b->gvk.group;
    return a->gvk.version > b->gvk.version;
  });
  for (const auto* kind : preferred) {
    r.byResource_.emplace(kind->resource(), kind);
    for (const auto& word : {kind->plural, kind->singular, lower(kind->gvk.kind)}) {
      r.byWord_.emplace(word, kind);
      if (!kind->gvk.group.empty()) r.byWord_.emplace(word + "." + kind->gvk.group, kind);
      r.byWord_.emplace(word + "." + kind->gvk.version + "." + kind->gvk.group, kind);
    }
  }
  for (const auto* kind : preferred)
    for (const auto& word : kind->shortNames) r.byWord_.emplace(word, kind);
}

}  // namespace steer
