#include "cluster/apiserver/data_rules.h"

#include <algorithm>
#include <cctype>

#include "cluster/apiserver/status_error.h"

namespace steer {
namespace {

bool goodKey(std::string_view key) {
  if (key.empty() || key.size() > 253 || key == "." || key == ".." || key.starts_with("..")) return false;
  return std::all_of(key.begin(), key.end(), [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '-' || c == '_' || c == '.';
  });
}

}  // namespace

void checkDataKeys(const json::object& object, std::initializer_list<std::string_view> fields,
                   std::vector<Cause>& causes) {
  std::size_t bytes = 0;
  for (const auto field : fields)
    for (const auto& [key, value] : objectAt(object, {field})) {
      const std::string_view name = key;
      if (!goodKey(name))
        causes.push_back(invalidValue(std::string(field) + "[" + std::string(name) + "]",
                                      "\"" + std::string(name) +
                                          "\": a valid config key must consist of alphanumeric "
                                          "characters, '-', '_' or '.'"));
      if (const auto* text = value.if_string()) bytes += text->size();
    }
  constexpr std::size_t kMost = 1024 * 1024 * 4 / 3;
  if (bytes > kMost)
    causes.push_back(
        {"FieldValueTooLong", std::string(*fields.begin()), "Too long: may not be more than 1048576 bytes"});
}

}  // namespace steer
