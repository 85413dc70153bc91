#include "schemas/normal_form.h"

#include "core/quantity.h"
#include "core/rfc3339.h"

namespace steer {

void toNormalForm(Scalar scalar, json::value& value) {
  if (scalar == Scalar::quantity) {
    if (!value.is_string() && !value.is_number()) return;
    if (const auto quantity = Quantity::fromJson(value)) value = quantity.value().text();
    return;
  }
  const auto* text = value.if_string();
  if (text == nullptr || (scalar != Scalar::time && scalar != Scalar::microTime)) return;
  if (const auto time = parseTime(view(*text)))
    value = scalar == Scalar::time ? formatTime(*time) : formatMicroTime(*time);
}

}  // namespace steer
