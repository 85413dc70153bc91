#pragma once
// The shape of every kind, made from one file per kind in schemas/kinds/. Used alike by `steer
// validate`, the API server, the plan, strategic merge, apply and the protobuf decoder.
// Thread rule: immutable after start.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/gvk.h"
#include "core/json.h"

namespace steer {

struct TypeSchema;

/// rawObject is an object without a schema; any is any JSON value.
enum class Scalar {
  none,
  string,
  int32,
  int64,
  number,
  boolean,
  bytes,
  time,
  microTime,
  duration,
  quantity,
  intOrString,
  any,
  rawObject
};
enum class Shape { scalar, object, list, map };
enum class ListType { atomic, set, map };

struct FieldSchema {
  std::string name;
  Shape shape = Shape::scalar;
  Scalar scalar = Scalar::none;      ///< of the value, the list item or the map value
  const TypeSchema* type = nullptr;  ///< likewise, when it is an object
  bool required = false;
  ListType listType = ListType::atomic;  ///< for apply (structured merge)
  std::vector<std::string> listKeys;     ///< for listType map
  bool mapAtomic = false;
  std::string mergeKey;                 ///< for strategic merge; empty = none
  bool mergeList = false;               ///< patchStrategy contains merge
  bool retainKeys = false;              ///< patchStrategy contains retainKeys
  bool mergeReplace = false;            ///< patchStrategy replace: a strategic patch says the whole of it
  std::vector<std::string> enumValues;  ///< strict
  std::optional<json::value> defaultValue;
  bool keepZero = false;  ///< serialised even when empty
  bool pointer = false;   ///< a Go pointer: an explicit zero differs from absence
  int protobufNumber = 0;
  std::string copyOf;   ///< a deprecated copy of another member: it goes when that is dropped
  std::string inlined;  ///< protobuf: nested message that JSON shows inline
};

struct TypeSchema {
  std::string name;                 ///< "apps/v1.DeploymentSpec"
  std::vector<FieldSchema> fields;  ///< sorted by name
  bool mapAtomic = false;
  std::map<std::string, int> inlinedNumbers;  ///< protobuf number of each inlined message
  const FieldSchema* field(std::string_view name) const;
};

struct SubresourceSchema {
  std::string name;  ///< "status", "scale"
  Gvk gvk;           ///< what it carries: Scale of autoscaling/v1
  std::vector<std::string> verbs;
  std::vector<std::string> keeps;  ///< members of metadata that a write through it leaves as they live
};

struct KindSchema {
  Gvk gvk;
  std::string plural;
  std::string singular;
  bool namespaced = true;
  std::vector<std::string> verbs;
  std::vector<std::string> shortNames;
  std::vector<std::string> categories;
  std::vector<SubresourceSchema> subresources;
  const TypeSchema* type = nullptr;
  bool served = false;   ///< the API server stores or answers it; other kinds are only validated
  bool request = false;  ///< exists in request bodies only (Scale, Eviction, DeleteOptions): no plural

  std::string resource() const { return resourceKey(gvk.group, plural); }
  const SubresourceSchema* subresource(std::string_view name) const;
};

class SchemaRegistry {
 public:
  /// The built-in kinds. Made once, on first use.
  static const SchemaRegistry& builtin();

  /// Also the request-only kinds; Status and DeleteOptions are found under any known group.
  const KindSchema* find(const Gvk& gvk) const;
  /// By group, version and plural, as in a URL.
  const KindSchema* findByPlural(std::string_view group, std::string_view version, std::string_view plural) const;
  /// By resource key ("deployments.apps"); the preferred version.
  const KindSchema* findByResource(std::string_view resource) const;
  /// By what a person types: plural, singular, short name, kind, or plural.group; any case.
  const KindSchema* findByWord(std::string_view word) const;
  const TypeSchema* type(std::string_view name) const;
  /// All kinds that have a resource name, sorted by group, version, kind.
  const std::vector<const KindSchema*>& kinds() const { return kinds_; }
  /// Known kinds nearest to a misspelt one, best first.
  std::vector<Gvk> nearest(const Gvk& gvk) const;

 private:
  friend class SchemaLoader;
  std::vector<std::unique_ptr<KindSchema>> ownedKinds_;
  std::map<std::string, std::unique_ptr<TypeSchema>, std::less<>> types_;
  std::vector<const KindSchema*> kinds_;
  std::map<Gvk, const KindSchema*> byGvk_;
  std::map<std::string, const KindSchema*, std::less<>> byResource_;
  std::map<std::string, const KindSchema*, std::less<>> byWord_;
};

}  // namespace steer
