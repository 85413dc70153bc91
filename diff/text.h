#pragma once
// How changes look: for a terminal, as JSON. Pure.
#include <functional>
#include <string>
#include <vector>

#include "diff/object_diff.h"

namespace steer {

enum class Mark { add, remove, change, plain };

struct TextOptions {
  std::string indent = "    ";
  /// Colours a piece of text by its mark; null = plain.
  std::function<std::string(Mark, const std::string&)> paint{};
  std::size_t maxValue = 120;  ///< longer scalars are cut with "…"
};

/// One line per change ("~ spec.replicas: 2 → 3"), structured values as indented YAML below.
std::string changesText(const std::vector<FieldChange>& changes, const TextOptions& options = {});
/// [{"op":"change","path":…,"before":…,"after":…,"sensitive":true}]
json::array changesJson(const std::vector<FieldChange>& changes);

}  // namespace steer
