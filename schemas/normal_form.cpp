#include "schemas/normal_form.h"

#include <array>
#include <charconv>

#include "core/base64.h"
#include "core/object_filter.h"
#include "core/quantity.h"
#include "core/rfc3339.h"
#include "schemas/formats.h"

namespace steer {
namespace {

enum class Spelling { keep, normal };

void normalizeObject(const TypeSchema& type, json::object& object, Spelling spelling);

/// An item of a list or a value of a map that is null is the zero value of its type: dropping it would drop its key.
void fillNull(const FieldSchema& field, json::value& value) {
  if (field.type != nullptr) value.emplace_object();
  else if (field.scalar == Scalar::string || field.scalar == Scalar::bytes || field.scalar == Scalar::intOrString)
    value = "";
  else if (field.scalar == Scalar::quantity) value = "0";
  else if (field.scalar == Scalar::boolean) value = false;
  else if (field.scalar == Scalar::int32 || field.scalar == Scalar::int64 || field.scalar == Scalar::number) value = 0;
}

void normalizeValue(const FieldSchema& field, json::value& value, Spelling spelling) {
  if (value.is_null()) fillNull(field, value);
  else if (auto* object = value.if_object(); object != nullptr && field.type != nullptr)
    normalizeObject(*field.type, *object, spelling);
  else if (field.type == nullptr && spelling == Spelling::normal) toNormalForm(field.scalar, value);
}

void normalizeObject(const TypeSchema& type, json::object& object, Spelling spelling) {
  dropMembers(object, [&](auto& member) {
    const auto* field = type.field({member.key().data(), member.key().size()});
    auto& value = member.value();
    if (field == nullptr) return false;  // unknown members may mean something by their null
    if (value.is_null()) return true;
    if (auto* list = value.if_array(); list != nullptr && field->shape == Shape::list) {
      for (auto& item : *list) normalizeValue(*field, item, spelling);
    } else if (auto* map = value.if_object(); map != nullptr && field->shape == Shape::map) {
      for (auto& [name, item] : *map) normalizeValue(*field, item, spelling);
    } else if (field->shape == Shape::scalar || field->shape == Shape::object) {
      normalizeValue(*field, value, spelling);
    }
    return false;
  });
}

bool isEmptyValue(const json::value& value) {
  if (const auto* list = value.if_array()) return list->empty();
  if (const auto* map = value.if_object()) return map->empty();
  if (const auto* text = value.if_string()) return text->empty();
  if (const auto* flag = value.if_bool()) return !*flag;
  return asInt(value) == 0;
}

/// Whether an empty value of this field says the same as its absence.
bool emptyIsAbsent(const FieldSchema& field) {
  if (field.required || field.keepZero || field.pointer || field.shape == Shape::object) return false;
  if (field.shape != Shape::scalar) return true;
  switch (field.scalar) {
    case Scalar::string:
    case Scalar::int32:
    case Scalar::int64:
    case Scalar::boolean:
      return true;
    default:
      return false;
  }
}

void dropEmpty(const TypeSchema& type, json::object& object) {
  dropMembers(object, [&](auto& member) {
    const auto* field = type.field({member.key().data(), member.key().size()});
    auto& value = member.value();
    if (field != nullptr && field->type != nullptr) {
      if (auto* items = value.if_array(); items != nullptr && field->shape == Shape::list) {
        for (auto& item : *items)
          if (auto* body = item.if_object()) dropEmpty(*field->type, *body);
      } else if (auto* body = value.if_object(); body != nullptr && field->shape == Shape::object) {
        dropEmpty(*field->type, *body);
      }
    }
    return field != nullptr && emptyIsAbsent(*field) && isEmptyValue(value);
  });
}

}  // namespace

void foldStringData(const KindSchema& kind, json::object& secret) {
  if (!kind.gvk.group.empty() || kind.gvk.kind != "Secret") return;
  const auto* text = secret.if_contains("stringData");
  if (text == nullptr || !text->is_object()) return;
  const json::object strings = text->get_object();
  auto& data = ensureObject(secret, "data");
  for (const auto& [key, value] : strings)
    if (const auto* s = value.if_string()) data[key] = toBase64(view(*s));
  secret.stable_erase("stringData");
}

void settleNulls(const KindSchema& kind, json::object& object) { normalizeObject(*kind.type, object, Spelling::keep); }

void toNormalForm(Scalar scalar, json::value& value) {
  if (scalar == Scalar::quantity) {
    if (!value.is_string() && !value.is_number()) return;
    if (const auto* number = value.if_double()) {
      // Written out: an exponent would be another format of quantity.
      std::array<char, 400> digits{};
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), *number, std::chars_format::fixed);
      value = json::string(digits.data(), static_cast<std::size_t>(end.ptr - digits.data()));
    }
    if (const auto quantity = Quantity::fromJson(value)) value = quantity.value().text();
    return;
  }
  const auto* text = value.if_string();
  if (text == nullptr || (scalar != Scalar::time && scalar != Scalar::microTime)) return;
  if (const auto time = parseTime(view(*text)))
    value = scalar == Scalar::time ? formatTime(*time) : formatMicroTime(*time);
}

void toNormalForm(const KindSchema& kind, json::object& object) {
  normalizeObject(*kind.type, object, Spelling::normal);
  foldStringData(kind, object);
}

void dropMeaningless(const KindSchema& kind, json::object& object) {
  if (kind.gvk.group == "steersman.dev") return;
  auto* status = object.if_contains("status");
  json::value kept = status == nullptr ? json::value() : std::move(*status);
  if (status != nullptr) *status = nullptr;
  dropEmpty(*kind.type, object);
  if (status != nullptr) object["status"] = std::move(kept);
}

}  // namespace steer
