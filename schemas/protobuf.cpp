#include "schemas/protobuf.h"

#include <array>
#include <chrono>
#include <cstring>

#include "core/base64.h"
#include "core/rfc3339.h"
#include "core/utf8.h"
#include "schemas/formats.h"

namespace steer {
namespace {

constexpr int kMaxDepth = 64;
/// The years 1 to 9999, as seconds since 1970.
constexpr std::int64_t kFirstSecond = -62135596800, kLastSecond = 253402300799;

Error malformed(const char* what) { return makeError(Errc::badRequest, std::string("protobuf body: ") + what); }

/// One field as it stands on the wire.
struct WireField {
  int number = 0;
  int type = 0;  ///< 0 varint, 1 64 bits, 2 bytes, 5 32 bits
  std::uint64_t value = 0;
  std::string_view bytes{};
};

class WireReader {
 public:
  explicit WireReader(std::string_view bytes) : rest_(bytes) {}
  bool done() const { return rest_.empty(); }

  Result<WireField> next() {
    STEER_TRY(const auto tag, varint());
    WireField field;
    field.type = static_cast<int>(tag & 7);
    if (tag >> 3 == 0 || tag >> 3 > 0x1fffffff) return malformed("a field has no number");
    field.number = static_cast<int>(tag >> 3);
    if (field.type == 0) {
      STEER_TRY(field.value, varint());
    } else if (field.type == 1 || field.type == 5) {
      const std::size_t size = field.type == 1 ? 8 : 4;
      if (rest_.size() < size) return malformed("ends early");
      for (std::size_t i = size; i-- > 0;) field.value = field.value << 8 | static_cast<unsigned char>(rest_[i]);
      rest_.remove_prefix(size);
    } else if (field.type == 2) {
      STEER_TRY(const auto size, varint());
      if (size > rest_.size()) return malformed("ends early");
      field.bytes = rest_.substr(0, static_cast<std::size_t>(size));
      rest_.remove_prefix(static_cast<std::size_t>(size));
    } else {
      return malformed("unknown wire type");
    }
    return field;
  }

  Result<std::uint64_t> varint() {
    std::uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      if (rest_.empty()) return malformed("ends early");
      const auto byte = static_cast<unsigned char>(rest_.front());
      rest_.remove_prefix(1);
      n |= static_cast<std::uint64_t>(byte & 0x7f) << shift;
      if ((byte & 0x80) == 0) return n;
    }
    return malformed("a number is too long");
  }

 private:
  std::string_view rest_;
};

/// The first fields of a small message: numbers and texts by field number.
struct SmallMessage {
  std::array<std::int64_t, 4> numbers{};
  std::array<std::string_view, 4> texts{};
};

Result<SmallMessage> readSmall(std::string_view bytes) {
  SmallMessage out;
  for (WireReader reader(bytes); !reader.done();) {
    STEER_TRY(const auto field, reader.next());
    if (field.number >= 4) continue;
    const auto at = static_cast<std::size_t>(field.number);
    out.numbers[at] = static_cast<std::int64_t>(field.value);
    out.texts[at] = field.bytes;
  }
  return out;
}

json::value textValue(std::string_view text) { return json::value(jkey(text)); }

/// A Go duration's text, in whole seconds where that is exact.
std::string durationText(std::int64_t nanos) {
  if (nanos % 1000000000 == 0) return std::to_string(nanos / 1000000000) + "s";
  if (nanos % 1000000 == 0) return std::to_string(nanos / 1000000) + "ms";
  return std::to_string(nanos) + "ns";
}

Result<json::value> decodeSmall(Scalar scalar, std::string_view bytes) {
  STEER_TRY(const auto message, readSmall(bytes));
  const auto& text = message.texts;
  for (const auto part : text)
    if (!isUtf8(part)) return malformed("a text is not UTF-8");
  switch (scalar) {
    case Scalar::quantity:
      return text[1].empty() ? textValue("0") : textValue(text[1]);
    case Scalar::time:
    case Scalar::microTime: {
      if (bytes.empty()) return json::value();  // Go's zero time
      // In two parts: a sum in nanoseconds holds the years 1678 to 2262 only.
      const auto nanos = std::chrono::nanoseconds(static_cast<std::int32_t>(message.numbers[2]));
      const auto carry = std::chrono::floor<std::chrono::seconds>(nanos);
      if (message.numbers[1] < kFirstSecond - carry.count() || message.numbers[1] > kLastSecond - carry.count())
        return malformed("a time is out of range");
      const Time time{std::chrono::seconds(message.numbers[1]) + carry +
                      std::chrono::duration_cast<Time::duration>(nanos - carry)};
      return textValue(scalar == Scalar::time ? formatTime(time) : formatMicroTime(time));
    }
    case Scalar::duration:
      return textValue(durationText(message.numbers[1]));
    case Scalar::intOrString:
      if (message.numbers[1] == 1) return textValue(text[3]);
      return json::value(static_cast<std::int32_t>(message.numbers[2]));
    case Scalar::rawObject:
    case Scalar::any:
      if (text[1].empty()) return json::value();
      return parseJson(text[1]);
    default:
      return malformed("a field has another type than its schema");
  }
}

Result<json::value> decodeScalar(Scalar scalar, const WireField& field) {
  const auto number = static_cast<std::int64_t>(field.value);
  const bool isBytes = field.type == 2;
  switch (scalar) {
    case Scalar::boolean:
      if (!isBytes) return json::value(number != 0);
      break;
    case Scalar::int32:
      if (!isBytes) return json::value(static_cast<std::int32_t>(number));
      break;
    case Scalar::int64:
      if (!isBytes) return json::value(number);
      break;
    case Scalar::number:
      if (field.type == 1) {
        double d = 0;
        std::memcpy(&d, &field.value, sizeof d);
        return json::value(d);
      }
      break;
    case Scalar::string:
      if (isBytes && !isUtf8(field.bytes)) return malformed("a text is not UTF-8");
      if (isBytes) return textValue(field.bytes);
      break;
    case Scalar::bytes:
      if (isBytes) return textValue(toBase64(field.bytes));
      break;
    default:
      if (isBytes) return decodeSmall(scalar, field.bytes);
  }
  return malformed("a field has another type than its schema");
}

bool isZeroValue(const json::value& v) {
  if (const auto* s = v.if_string()) return s->empty();
  if (const auto* b = v.if_bool()) return !*b;
  if (v.is_double()) return v.get_double() == 0;
  return v.is_null() || asInt(v) == 0;
}

class MessageDecoder {
 public:
  Result<void> decode(const TypeSchema& type, std::string_view scope, std::string_view bytes, json::object& out,
                      int depth) {
    if (depth > kMaxDepth) return malformed("is nested too deeply");
    for (WireReader reader(bytes); !reader.done();) {
      STEER_TRY(const auto wire, reader.next());
      if (const auto* inlined = inlinedAt(type, scope, wire)) {
        STEER_CHECK(decode(type, *inlined, wire.bytes, out, depth + 1));
        continue;
      }
      const auto* field = fieldAt(type, scope, wire.number);
      if (field == nullptr) continue;
      STEER_CHECK(add(type, *field, wire, out, depth));
    }
    return {};
  }

 private:
  static const std::string* inlinedAt(const TypeSchema& type, std::string_view scope, const WireField& wire) {
    if (!scope.empty() || wire.type != 2) return nullptr;
    for (const auto& [name, number] : type.inlinedNumbers)
      if (number == wire.number) return &name;
    return nullptr;
  }

  static const FieldSchema* fieldAt(const TypeSchema& type, std::string_view scope, int number) {
    for (const auto& field : type.fields)
      if (field.protobufNumber == number && (isChoice(field) ? scope.empty() : field.inlined == scope)) return &field;
    return nullptr;
  }

  /// A value of two forms: a schema or something else. JSON shows whichever is there.
  static bool isChoice(const FieldSchema& field) { return field.scalar == Scalar::any && !field.inlined.empty(); }

  /// JSONSchemaPropsOrBool {1 allows, 2 schema}, …OrArray {1 schema, 2 schemas}, …OrStringArray {1 schema, 2 texts};
  /// the schema is of the type that has the field.
  Result<json::value> choice(const TypeSchema& self, const FieldSchema& field, const WireField& wire, int depth) {
    if (wire.type != 2) return malformed("a field has another type than its schema");
    const bool orBool = field.inlined.ends_with("OrBool");
    json::value schema;
    json::array list;
    bool allows = false;
    for (WireReader reader(wire.bytes); !reader.done();) {
      STEER_TRY(const auto part, reader.next());
      if (orBool && part.number == 1) {
        allows = part.value != 0;
      } else if (part.type != 2 || part.number > 2) {
        continue;
      } else if (part.number == 2 && field.inlined.ends_with("OrStringArray")) {
        if (!isUtf8(part.bytes)) return malformed("a text is not UTF-8");
        list.push_back(textValue(part.bytes));
      } else {
        json::object object;
        STEER_CHECK(decode(self, "", part.bytes, object, depth + 1));
        if (part.number == 2 && !orBool) list.push_back(std::move(object));
        else schema = std::move(object);
      }
    }
    if (!list.empty()) return json::value(std::move(list));
    if (orBool && schema.is_null()) return json::value(allows);
    return schema;
  }

  Result<void> add(const TypeSchema& self, const FieldSchema& field, const WireField& wire, json::object& out,
                   int depth) {
    if (isChoice(field) && field.shape == Shape::scalar) {
      STEER_TRY(auto chosen, choice(self, field, wire, depth));
      if (!chosen.is_null()) out[field.name] = std::move(chosen);
      return {};
    }
    if (field.shape == Shape::list) {
      auto& list = ensureArray(out, field.name);
      if (isPacked(field, wire)) return addPacked(field, wire.bytes, list);
      STEER_TRY(auto item, value(field, wire, depth));
      list.push_back(std::move(item));
      return {};
    }
    if (field.shape == Shape::map) return addEntry(self, field, wire, ensureObject(out, field.name), depth);
    STEER_TRY(auto decoded, value(field, wire, depth));
    // Go writes every field that is no pointer; what it writes for "not set" is no statement.
    const auto* object = decoded.if_object();
    const bool unset = field.type != nullptr ? object != nullptr && object->empty() : isZeroValue(decoded);
    const bool plain = field.scalar == Scalar::string || field.scalar == Scalar::int32 ||
                       field.scalar == Scalar::int64 || field.scalar == Scalar::boolean;
    const bool stated = field.pointer || (field.keepZero && plain);
    if (unset && (!stated || decoded.is_null())) return {};
    out[field.name] = std::move(decoded);
    return {};
  }

  static bool isPacked(const FieldSchema& field, const WireField& wire) {
    return wire.type == 2 && (field.scalar == Scalar::int32 || field.scalar == Scalar::int64);
  }

  static Result<void> addPacked(const FieldSchema& field, std::string_view bytes, json::array& list) {
    for (WireReader reader(bytes); !reader.done();) {
      WireField item;
      STEER_TRY(item.value, reader.varint());
      STEER_TRY(auto decoded, decodeScalar(field.scalar, item));
      list.push_back(std::move(decoded));
    }
    return {};
  }

  Result<void> addEntry(const TypeSchema& self, const FieldSchema& field, const WireField& wire, json::object& map,
                        int depth) {
    if (wire.type != 2) return malformed("a map entry is no message");
    std::string key;
    WireField content;
    content.type = 2;
    for (WireReader reader(wire.bytes); !reader.done();) {
      STEER_TRY(const auto part, reader.next());
      if (part.number == 1) key = part.bytes;
      if (part.number == 2) content = part;
    }
    if (!isUtf8(key)) return malformed("a text is not UTF-8");
    if (isChoice(field)) {
      STEER_TRY(map[key], choice(self, field, content, depth));
      return {};
    }
    if (field.scalar == Scalar::any) {
      // The only maps of this kind are lists of texts by name (the extra of a user).
      json::array texts;
      for (WireReader reader(content.bytes); !reader.done();) {
        STEER_TRY(const auto part, reader.next());
        if (part.number != 1) continue;
        if (!isUtf8(part.bytes)) return malformed("a text is not UTF-8");
        texts.push_back(textValue(part.bytes));
      }
      map[key] = std::move(texts);
      return {};
    }
    STEER_TRY(auto decoded, value(field, content, depth));
    map[key] = std::move(decoded);
    return {};
  }

  Result<json::value> value(const FieldSchema& field, const WireField& wire, int depth) {
    if (field.type == nullptr) return decodeScalar(field.scalar, wire);
    if (wire.type != 2) return malformed("a field has another type than its schema");
    json::object object;
    STEER_CHECK(decode(*field.type, "", wire.bytes, object, depth + 1));
    return json::value(std::move(object));
  }
};

}  // namespace

Result<json::object> decodeProtobuf(const SchemaRegistry& registry, std::string_view body) {
  constexpr std::string_view kMagic{"k8s\0", 4};
  if (!body.starts_with(kMagic)) return malformed("does not begin with the Kubernetes envelope");
  STEER_TRY(const auto envelope, readSmall(body.substr(kMagic.size())));
  STEER_TRY(const auto typeMeta, readSmall(envelope.texts[1]));
  const auto apiVersion = typeMeta.texts[1];
  const auto kindName = typeMeta.texts[2];
  const auto* kind = registry.find(Gvk::from(apiVersion, kindName));
  if (kind == nullptr)
    return makeError(Errc::badRequest, "no kind \"" + std::string(kindName) + "\" is registered for version \"" +
                                           std::string(apiVersion) + "\"");
  if (!envelope.texts[3].empty()) return malformed("has an unknown content encoding");
  json::object out;
  out["apiVersion"] = jkey(apiVersion);
  out["kind"] = jkey(kindName);
  STEER_CHECK(MessageDecoder().decode(*kind->type, "", envelope.texts[2], out, 0));
  return out;
}

}  // namespace steer
