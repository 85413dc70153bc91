#pragma once
// Object: one Kubernetes object as an immutable value. It holds the whole JSON, so unknown fields
// survive, and its identity, parsed once. Change = copy the JSON, edit, make a new Object.
// Thread rule: immutable, share freely.
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/clock.h"
#include "core/gvk.h"
#include "core/json.h"

namespace steer {

class Object;
using ObjectPtr = std::shared_ptr<const Object>;

struct OwnerRef {
  std::string apiVersion;
  std::string kind;
  std::string name;
  std::string uid;
  bool controller = false;
  bool blockOwnerDeletion = false;
};

class Object {
 public:
  /// Identity is read once; missing or mistyped identity fields read as empty (validation is
  /// the schemas' work).
  static ObjectPtr make(json::object body);
  /// Its body, without a copy when nobody else has the object.
  static json::object bodyOf(std::shared_ptr<Object> object);

  const json::object& json() const { return body_; }
  const Gvk& gvk() const { return gvk_; }
  const std::string& kind() const { return gvk_.kind; }
  const std::string& ns() const { return ns_; }
  const std::string& name() const { return name_; }
  const std::string& uid() const { return uid_; }
  /// metadata.resourceVersion as a number; 0 when absent.
  std::uint64_t revision() const { return revision_; }

  const json::object& metadata() const { return *metadata_; }
  const json::object& spec() const { return *spec_; }
  const json::object& status() const { return *status_; }
  std::string_view label(std::string_view key) const;       ///< "" when absent
  std::string_view annotation(std::string_view key) const;  ///< "" when absent
  const json::object& labels() const { return *labels_; }
  const json::object& annotations() const { return *annotations_; }
  std::int64_t generation() const;
  std::vector<OwnerRef> owners() const;
  /// The owner with controller=true.
  std::optional<OwnerRef> controllerOwner() const;
  bool deleting() const;  ///< metadata.deletionTimestamp is set
  std::vector<std::string> finalizers() const;
  std::optional<Time> created() const;
  std::optional<Time> deletionTime() const;
  /// "Deployment shop/web".
  std::string text() const;

  explicit Object(json::object body);
  Object(const Object&) = delete;
  Object& operator=(const Object&) = delete;

 private:
  json::object body_;
  // What everyone asks for, found once: parts of the body, or empty ones.
  const json::object *metadata_, *spec_, *status_, *labels_, *annotations_;
  Gvk gvk_;
  std::string ns_;
  std::string name_;
  std::string uid_;
  std::uint64_t revision_ = 0;
};

}  // namespace steer
