#pragma once
// The service account that every namespace has. Pure.
#include <string>

#include "core/json.h"

namespace steer {

inline json::object defaultAccountOf(const std::string& ns) {
  return {{"apiVersion", "v1"},
          {"kind", "ServiceAccount"},
          {"metadata", json::object{{"namespace", ns}, {"name", "default"}}}};
}

}  // namespace steer
