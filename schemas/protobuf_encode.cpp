#include "schemas/protobuf_encode.h"

#include <chrono>
#include <cstring>

#include "core/base64.h"
#include "core/duration.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr int kMaxDepth = 64;

/// Appends fields to a message.
class WireWriter {
 public:
  void varint(std::uint64_t n) {
    for (; n >= 0x80; n >>= 7) out_ += static_cast<char>(n | 0x80);
    out_ += static_cast<char>(n);
  }
  void number(int field, std::int64_t n) {
    tag(field, 0);
    varint(static_cast<std::uint64_t>(n));
  }
  void bytes(int field, std::string_view content) {
    tag(field, 2);
    varint(content.size());
    out_ += content;
  }
  void fixed(int field, double d) {
    tag(field, 1);
    std::uint64_t bits = 0;
    std::memcpy(&bits, &d, sizeof d);
    for (int i = 0; i < 8; ++i) out_ += static_cast<char>(bits >> (8 * i));
  }
  std::string take() { return std::move(out_); }

 private:
  void tag(int field, unsigned type) { varint(static_cast<std::uint64_t>(field) << 3 | type); }
  std::string out_;
};

std::string timestamp(Time time) {
  WireWriter out;
  const auto whole = std::chrono::floor<seconds>(time.time_since_epoch());
  const auto rest = std::chrono::nanoseconds(time.time_since_epoch() - whole);
  out.number(1, whole.count());
  if (rest.count() != 0) out.number(2, rest.count());
  return out.take();
}

/// Scalars that are messages on the wire. Nothing when the value does not fit.
std::optional<std::string> smallMessage(Scalar scalar, const json::value& value) {
  WireWriter out;
  const auto* text = value.if_string();
  switch (scalar) {
    case Scalar::quantity:
      // A number in JSON is its own text.
      out.bytes(1, text != nullptr ? std::string(view(*text)) : jsonText(value));
      return out.take();
    case Scalar::time:
    case Scalar::microTime: {
      const auto time = text == nullptr ? std::nullopt : parseTime(view(*text));
      return time ? std::optional(timestamp(*time)) : std::nullopt;
    }
    case Scalar::duration: {
      const auto duration = text == nullptr ? std::nullopt : parseDuration(view(*text));
      if (!duration) return std::nullopt;
      out.number(1, std::chrono::nanoseconds(*duration).count());
      return out.take();
    }
    case Scalar::intOrString:
      if (text != nullptr) {
        out.number(1, 1);
        out.bytes(3, view(*text));
        return out.take();
      }
      if (!asInt(value)) return std::nullopt;
      out.number(1, 0);
      out.number(2, *asInt(value));
      return out.take();
    case Scalar::any:
    case Scalar::rawObject:
      out.bytes(1, jsonText(value));
      return out.take();
    default:
      return std::nullopt;
  }
}

/// A value of another type than its schema (what a damaged disk left) has no form on the wire: it is left out, so that
/// it hides no other object of its list.
class MessageEncoder {
 public:
  Result<std::string> encode(const TypeSchema& type, const json::object& object, int depth = 0) {
    if (depth > kMaxDepth) return makeError(Errc::internal, "an object is nested too deeply for protobuf");
    WireWriter out;
    std::map<std::string, WireWriter> inlined;
    for (const auto& field : type.fields) {
      const auto* value = object.if_contains(jkey(field.name));
      if (value == nullptr || value->is_null() || field.protobufNumber == 0) continue;
      auto& into = field.inlined.empty() || isChoice(field) ? out : inlined[field.inlined];
      STEER_CHECK(add(type, field, *value, into, depth));
    }
    for (auto& [name, message] : inlined) {
      const auto number = type.inlinedNumbers.find(name);
      if (number != type.inlinedNumbers.end()) out.bytes(number->second, message.take());
    }
    return out.take();
  }

 private:
  static bool isChoice(const FieldSchema& field) { return field.scalar == Scalar::any && !field.inlined.empty(); }

  Result<void> add(const TypeSchema& self, const FieldSchema& field, const json::value& value, WireWriter& out,
                   int depth) {
    if (field.shape == Shape::list) {
      const auto* list = value.if_array();
      if (list == nullptr) return {};
      for (const auto& item : *list) STEER_CHECK(addOne(self, field, field.protobufNumber, item, out, depth));
      return {};
    }
    if (field.shape != Shape::map) return addOne(self, field, field.protobufNumber, value, out, depth);
    const auto* map = value.if_object();
    if (map == nullptr) return {};
    for (const auto& [key, item] : *map) {
      WireWriter entry;
      entry.bytes(1, key);
      if (field.scalar == Scalar::any && !isChoice(field)) entry.bytes(2, texts(item));
      else STEER_CHECK(addOne(self, field, 2, item, entry, depth));
      out.bytes(field.protobufNumber, entry.take());
    }
    return {};
  }

  /// The only maps of any values are lists of texts by name (the extra of a user).
  static std::string texts(const json::value& list) {
    WireWriter out;
    if (const auto* items = list.if_array())
      for (const auto& item : *items)
        if (const auto* text = item.if_string()) out.bytes(1, view(*text));
    return out.take();
  }

  Result<void> addOne(const TypeSchema& self, const FieldSchema& field, int number, const json::value& value,
                      WireWriter& out, int depth) {
    if (isChoice(field)) return addChoice(self, field, number, value, out, depth);
    if (field.type != nullptr) {
      const auto* object = value.if_object();
      if (object == nullptr) return {};
      STEER_TRY(const auto message, encode(*field.type, *object, depth + 1));
      out.bytes(number, message);
      return {};
    }
    return addScalar(field, number, value, out);
  }

  /// A schema or something else, as JSONSchemaPropsOrBool, …OrArray and …OrStringArray.
  Result<void> addChoice(const TypeSchema& self, const FieldSchema& field, int number, const json::value& value,
                         WireWriter& out, int depth) {
    WireWriter choice;
    const bool orBool = field.inlined.ends_with("OrBool");
    if (const auto* flag = value.if_bool(); flag != nullptr && orBool) {
      choice.number(1, *flag ? 1 : 0);
    } else if (const auto* schema = value.if_object()) {
      STEER_TRY(const auto message, encode(self, *schema, depth + 1));
      if (orBool) choice.number(1, 1);
      choice.bytes(orBool ? 2 : 1, message);
    } else if (const auto* list = value.if_array(); list != nullptr && !orBool) {
      for (const auto& item : *list) {
        if (const auto* text = item.if_string()) {
          choice.bytes(2, view(*text));
        } else if (const auto* one = item.if_object()) {
          STEER_TRY(const auto message, encode(self, *one, depth + 1));
          choice.bytes(2, message);
        } else {
          return {};
        }
      }
    } else {
      return {};
    }
    out.bytes(number, choice.take());
    return {};
  }

  static Result<void> addScalar(const FieldSchema& field, int number, const json::value& value, WireWriter& out) {
    const auto* text = value.if_string();
    switch (field.scalar) {
      case Scalar::string:
        if (text == nullptr) return {};
        out.bytes(number, view(*text));
        return {};
      case Scalar::bytes: {
        const auto bytes = text == nullptr ? std::nullopt : fromBase64(view(*text));
        if (!bytes) return {};
        out.bytes(number, *bytes);
        return {};
      }
      case Scalar::boolean:
        if (!value.is_bool()) return {};
        out.number(number, value.get_bool() ? 1 : 0);
        return {};
      case Scalar::int32:
      case Scalar::int64:
        if (!asInt(value)) return {};
        out.number(number, *asInt(value));
        return {};
      case Scalar::number:
        if (!value.is_number()) return {};
        out.fixed(number, value.to_number<double>());
        return {};
      default: {
        const auto message = smallMessage(field.scalar, value);
        if (!message) return {};
        out.bytes(number, *message);
        return {};
      }
    }
  }
};

Result<std::string> messageOf(const SchemaRegistry& registry, std::string_view type, const json::object& object) {
  const auto* schema = registry.type(type);
  if (schema == nullptr) return makeError(Errc::internal, "there is no type " + std::string(type));
  return MessageEncoder().encode(*schema, object);
}

}  // namespace

bool speaksProtobuf(const KindSchema& kind) {
  if (kind.type == nullptr) return false;
  for (const auto& field : kind.type->fields)
    if (field.protobufNumber != 0) return true;
  return false;
}

Result<std::string> protobufMessage(const KindSchema& kind, const json::object& object) {
  return MessageEncoder().encode(*kind.type, object);
}

Result<std::string> encodeProtobuf(const KindSchema& kind, const json::object& object) {
  STEER_TRY(const auto message, protobufMessage(kind, object));
  return protobufEnvelope(kind.gvk.apiVersion(), kind.gvk.kind, message);
}

Result<std::string> protobufList(const SchemaRegistry& registry, std::string_view apiVersion, std::string_view kind,
                                 const json::object& meta, const std::vector<std::string>& items) {
  STEER_TRY(const auto metadata, messageOf(registry, "meta/v1.ListMeta", meta));
  WireWriter out;
  out.bytes(1, metadata);
  for (const auto& item : items) out.bytes(2, item);
  return protobufEnvelope(apiVersion, kind, out.take());
}

Result<std::string> protobufMetadata(const SchemaRegistry& registry, const json::object& metadata) {
  STEER_TRY(const auto message, messageOf(registry, "meta/v1.ObjectMeta", metadata));
  WireWriter out;
  out.bytes(1, message);
  return out.take();
}

std::string protobufEnvelope(std::string_view apiVersion, std::string_view kind, std::string_view message) {
  WireWriter meta;
  meta.bytes(1, apiVersion);
  meta.bytes(2, kind);
  WireWriter unknown;
  unknown.bytes(1, meta.take());
  unknown.bytes(2, message);
  unknown.bytes(3, "");
  unknown.bytes(4, "");
  return std::string("k8s\0", 4) + unknown.take();
}

std::string protobufFrame(std::string_view type, std::string_view object) {
  WireWriter raw;
  raw.bytes(1, object);
  WireWriter event;
  event.bytes(1, type);
  event.bytes(2, raw.take());
  const std::string message = event.take();
  std::string out;
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(message.size() >> shift & 0xff);
  return out + message;
}

}  // namespace steer
