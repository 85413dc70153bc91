#pragma once
// Annotations as lists of words: "Prune=false, Delete=false". Pure.
#include <string_view>
#include <vector>

#include "core/json.h"

namespace steer {

/// Empty where there is none.
inline std::string_view annotationOf(const json::object& object, std::string_view key) {
  return stringAt(object, {"metadata", "annotations", key});
}

/// Between commas, without spaces around; views into the text.
inline std::vector<std::string_view> wordsOf(std::string_view text) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    auto word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    while (!word.empty() && (word.front() == ' ' || word.front() == '\t' || word.front() == '\n'))
      word.remove_prefix(1);
    while (!word.empty() && (word.back() == ' ' || word.back() == '\t' || word.back() == '\n')) word.remove_suffix(1);
    if (!word.empty()) out.push_back(word);
  }
  return out;
}

}  // namespace steer
