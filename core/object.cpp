#include "core/object.h"

#include <charconv>

#include "core/rfc3339.h"

namespace steer {
namespace {

std::uint64_t numberOf(std::string_view text) {
  std::uint64_t n = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), n);
  return ec == std::errc{} && end == text.data() + text.size() ? n : 0;
}

std::optional<Time> timeAt(const json::object& meta, std::string_view key) {
  const auto text = stringAt(meta, {key});
  if (text.empty()) return std::nullopt;
  return parseTime(text);
}

}  // namespace

ObjectPtr Object::make(json::object body) { return std::make_shared<const Object>(std::move(body)); }

json::object Object::bodyOf(std::shared_ptr<Object> object) {
  if (object.use_count() == 1) return std::move(object->body_);
  return object->body_;
}

Object::Object(json::object body)
    : body_(std::move(body)),
      metadata_(&objectAt(body_, {"metadata"})),
      spec_(&objectAt(body_, {"spec"})),
      status_(&objectAt(body_, {"status"})),
      labels_(&objectAt(*metadata_, {"labels"})),
      annotations_(&objectAt(*metadata_, {"annotations"})) {
  gvk_ = Gvk::from(stringAt(body_, {"apiVersion"}), stringAt(body_, {"kind"}));
  const auto& meta = metadata();
  ns_ = stringAt(meta, {"namespace"});
  name_ = stringAt(meta, {"name"});
  uid_ = stringAt(meta, {"uid"});
  revision_ = numberOf(stringAt(meta, {"resourceVersion"}));
}

std::string_view Object::label(std::string_view key) const { return stringAt(labels(), {key}); }
std::string_view Object::annotation(std::string_view key) const { return stringAt(annotations(), {key}); }
std::int64_t Object::generation() const { return intAt(body_, {"metadata", "generation"}); }

std::vector<OwnerRef> Object::owners() const {
  std::vector<OwnerRef> out;
  for (const auto& item : arrayAt(metadata(), {"ownerReferences"}))
    out.push_back({std::string(stringAt(item, {"apiVersion"})), std::string(stringAt(item, {"kind"})),
                   std::string(stringAt(item, {"name"})), std::string(stringAt(item, {"uid"})),
                   boolAt(item, {"controller"}), boolAt(item, {"blockOwnerDeletion"})});
  return out;
}

std::optional<OwnerRef> Object::controllerOwner() const {
  for (auto& owner : owners())
    if (owner.controller) return owner;
  return std::nullopt;
}

bool Object::deleting() const { return !stringAt(metadata(), {"deletionTimestamp"}).empty(); }

std::vector<std::string> Object::finalizers() const {
  std::vector<std::string> out;
  for (const auto& item : arrayAt(metadata(), {"finalizers"}))
    if (const auto* s = item.if_string()) out.emplace_back(view(*s));
  return out;
}

std::optional<Time> Object::created() const { return timeAt(metadata(), "creationTimestamp"); }
std::optional<Time> Object::deletionTime() const { return timeAt(metadata(), "deletionTimestamp"); }

std::string Object::text() const { return gvk_.kind + " " + (ns_.empty() ? name_ : ns_ + "/" + name_); }

}  // namespace steer
