#include "diff/object_diff.h"

#include <algorithm>
#include <array>
#include <map>

#include "core/address_credentials.h"
#include "core/quantity.h"

namespace steer {
namespace {

constexpr std::array<std::string_view, 6> kServerMetadata{"managedFields", "resourceVersion",   "uid",
                                                          "generation",    "creationTimestamp", "selfLink"};

constexpr const char* kLastApplied = "kubectl.kubernetes.io/last-applied-configuration";

bool contains(const auto& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

/// "a.b" or "a['x.y/z']" for keys that would read as several steps.
std::string join(const std::string& path, std::string_view key) {
  if (key.find_first_of("./[]") != std::string_view::npos) return path + "['" + std::string(key) + "']";
  return path.empty() ? std::string(key) : path + "." + std::string(key);
}

bool sameScalar(Scalar scalar, const json::value& a, const json::value& b) {
  if (a == b) return true;
  if (scalar != Scalar::quantity) return false;
  const auto left = Quantity::fromJson(a);
  const auto right = Quantity::fromJson(b);
  return left.ok() && right.ok() && *left == *right;
}

class Differ {
 public:
  /// secret: the object is a Secret. shown: what is found goes to people, and holds no password.
  Differ(bool secret, DiffOptions::Secrets shown)
      : secret_(secret && shown == DiffOptions::Secrets::masked), shown_(shown) {}

  void object(const TypeSchema* type, const json::object& before, const json::object& after, const std::string& path) {
    for (const auto& member : before)
      if (!after.contains(member.key()) && !skipped(path, member.key()))
        record(FieldChange::Kind::remove, join(path, view(member.key())), &member.value(), nullptr);
    for (const auto& member : after) {
      if (skipped(path, member.key())) continue;
      const std::string at = join(path, view(member.key()));
      const auto* old = before.if_contains(member.key());
      if (old == nullptr) record(FieldChange::Kind::add, at, nullptr, &member.value());
      else field(type == nullptr ? nullptr : type->field(view(member.key())), *old, member.value(), at);
    }
  }

  std::vector<FieldChange> take() { return std::move(changes_); }
  void skipTop(std::string_view key) { skippedTop_.emplace_back(key); }

 private:
  static std::string_view view(json::string_view s) { return {s.data(), s.size()}; }

  bool skipped(const std::string& path, json::string_view key) const {
    if (path.empty()) return contains(skippedTop_, view(key));
    return path == "metadata" && contains(kServerMetadata, view(key));
  }

  bool sensitive(const std::string& path) const {
    return secret_ && (path == "data" || path == "stringData" || path.starts_with("data.") ||
                       path.starts_with("data[") || path.starts_with("stringData.") ||
                       path.starts_with("stringData[") || path.find(kLastApplied) != std::string::npos);
  }

  json::value shown(const FieldChange& change, const json::value& value) const {
    if (change.sensitive) return json::value(kMasked);
    if (shown_ == DiffOptions::Secrets::revealed) return value;
    auto out = withoutCredentials(value);
    if (auto* members = out.if_object(); secret_ && members != nullptr && change.path == "metadata.annotations")
      if (auto* copy = members->if_contains(kLastApplied)) *copy = kMasked;
    return out;
  }

  void record(FieldChange::Kind kind, const std::string& path, const json::value* before, const json::value* after) {
    FieldChange change;
    change.kind = kind;
    change.path = path;
    change.sensitive = sensitive(path);
    if (before != nullptr) change.before = shown(change, *before);
    if (after != nullptr) change.after = shown(change, *after);
    changes_.push_back(std::move(change));
  }

  void field(const FieldSchema* schema, const json::value& before, const json::value& after, const std::string& path) {
    if (before == after) return;
    if (before.is_object() && after.is_object()) {
      const TypeSchema* type = schema != nullptr && schema->shape == Shape::object ? schema->type : nullptr;
      if (schema != nullptr && schema->shape == Shape::map) map(*schema, before.get_object(), after.get_object(), path);
      else object(type, before.get_object(), after.get_object(), path);
      return;
    }
    if (before.is_array() && after.is_array()) return list(schema, before.get_array(), after.get_array(), path);
    if (schema != nullptr && sameScalar(schema->scalar, before, after)) return;
    record(FieldChange::Kind::change, path, &before, &after);
  }

  void map(const FieldSchema& schema, const json::object& before, const json::object& after, const std::string& path) {
    FieldSchema item;
    item.shape = schema.type != nullptr ? Shape::object : Shape::scalar;
    item.scalar = schema.scalar;
    item.type = schema.type;
    for (const auto& member : before)
      if (!after.contains(member.key()))
        record(FieldChange::Kind::remove, join(path, view(member.key())), &member.value(), nullptr);
    for (const auto& member : after) {
      const std::string at = join(path, view(member.key()));
      const auto* old = before.if_contains(member.key());
      if (old == nullptr) record(FieldChange::Kind::add, at, nullptr, &member.value());
      else field(&item, *old, member.value(), at);
    }
  }

  /// "[name=web]" or "[containerPort=80,protocol=TCP]"; empty when a key is missing.
  static std::string keyOf(const FieldSchema& schema, const json::value& item) {
    const auto* o = item.if_object();
    if (o == nullptr) return "";
    std::string out;
    for (const auto& key : schema.listKeys) {
      const auto* value = o->if_contains(jkey(key));
      if (value == nullptr) {
        const auto* f = schema.type == nullptr ? nullptr : schema.type->field(key);
        if (f == nullptr || !f->defaultValue) continue;
        value = &*f->defaultValue;
      }
      out += (out.empty() ? "[" : ",") + key + "=" +
             (value->is_string() ? std::string(steer::view(value->get_string())) : jsonText(*value));
    }
    return out.empty() ? "" : out + "]";
  }

  void list(const FieldSchema* schema, const json::array& before, const json::array& after, const std::string& path) {
    if (schema != nullptr && schema->listType == ListType::map && !schema->listKeys.empty() &&
        keyed(*schema, before, after, path))
      return;
    if (schema != nullptr && schema->listType == ListType::set) return set(before, after, path);
    FieldSchema item;
    if (schema != nullptr) {
      item.shape = schema->type != nullptr ? Shape::object : Shape::scalar;
      item.scalar = schema->scalar;
      item.type = schema->type;
    }
    const bool scalars =
        std::none_of(after.begin(), after.end(), [](const json::value& v) { return v.is_structured(); });
    if (scalars && before.size() != after.size()) {
      const json::value whole(before), other(after);
      return record(FieldChange::Kind::change, path, &whole, &other);
    }
    for (std::size_t i = 0; i < std::max(before.size(), after.size()); ++i) {
      const std::string at = path + "[" + std::to_string(i) + "]";
      if (i >= before.size()) record(FieldChange::Kind::add, at, nullptr, &after[i]);
      else if (i >= after.size()) record(FieldChange::Kind::remove, at, &before[i], nullptr);
      else field(schema == nullptr ? nullptr : &item, before[i], after[i], at);
    }
  }

  bool keyed(const FieldSchema& schema, const json::array& before, const json::array& after, const std::string& path) {
    std::map<std::string, const json::value*> old, fresh;
    for (const auto& item : before)
      if (!old.emplace(keyOf(schema, item), &item).second) return false;
    for (const auto& item : after)
      if (!fresh.emplace(keyOf(schema, item), &item).second) return false;
    if (old.contains("") || fresh.contains("")) return false;
    FieldSchema item;
    item.shape = Shape::object;
    item.type = schema.type;
    const auto seen = changes_.size();
    for (const auto& value : before)
      if (const auto key = keyOf(schema, value); !fresh.contains(key))
        record(FieldChange::Kind::remove, path + key, &value, nullptr);
    for (const auto& value : after) {
      const auto key = keyOf(schema, value);
      const auto match = old.find(key);
      if (match == old.end()) record(FieldChange::Kind::add, path + key, nullptr, &value);
      else field(&item, *match->second, value, path + key);
    }
    const auto sameOrder =
        std::equal(before.begin(), before.end(), after.begin(), after.end(),
                   [&](const auto& a, const auto& b) { return keyOf(schema, a) == keyOf(schema, b); });
    if (changes_.size() == seen && !sameOrder) {
      const json::value whole(before), other(after);
      record(FieldChange::Kind::change, path + " (order)", &whole, &other);
    }
    return true;
  }

  void set(const json::array& before, const json::array& after, const std::string& path) {
    const auto has = [](const json::array& a, const json::value& v) {
      return std::find(a.begin(), a.end(), v) != a.end();
    };
    const auto seen = changes_.size();
    for (const auto& item : before)
      if (!has(after, item)) record(FieldChange::Kind::remove, path + "[]", &item, nullptr);
    for (const auto& item : after)
      if (!has(before, item)) record(FieldChange::Kind::add, path + "[]", nullptr, &item);
    if (changes_.size() == seen) {
      const json::value whole(before), other(after);
      record(FieldChange::Kind::change, path + " (order)", &whole, &other);
    }
  }

  bool secret_;
  DiffOptions::Secrets shown_;
  std::vector<std::string> skippedTop_;
  std::vector<FieldChange> changes_;
};

}  // namespace

std::vector<FieldChange> diffObjects(const KindSchema* kind, const json::object& before, const json::object& after,
                                     const DiffOptions& options) {
  const bool secret = stringAt(after, {"kind"}, stringAt(before, {"kind"})) == "Secret";
  Differ differ(secret, options.secrets);
  if (!options.includeStatus) differ.skipTop("status");
  differ.object(kind == nullptr ? nullptr : kind->type, before, after, "");
  return differ.take();
}

}  // namespace steer
