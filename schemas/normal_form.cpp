#include "schemas/normal_form.h"

#include "core/rfc3339.h"

namespace steer {

void toNormalForm(Scalar scalar, json::value& value) {
  const auto* text = value.if_string();
  if (text == nullptr || (scalar != Scalar::time && scalar != Scalar::microTime)) return;
  if (const auto time = parseTime(view(*text)))
    value = scalar == Scalar::time ? formatTime(*time) : formatMicroTime(*time);
}

}  // namespace steer
