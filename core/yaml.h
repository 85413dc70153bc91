#pragma once
// YAML 1.2 in, with Kubernetes' reading of scalars, and every value's place; YAML out.
// Thread rule: plain values.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/diagnostics.h"
#include "core/json.h"

namespace steer {

/// Where each value of a document stands, by JSON pointer ("/spec/containers/0/image"). A member
/// stands where its key stands, an item where it begins. Pointers are kept as 64-bit hashes: 16 bytes
/// for each value, because a repository holds millions of them.
class SourceMap {
 public:
  void set(std::string_view pointer, std::size_t line, std::size_t column);
  /// The place of the value, or of its nearest known ancestor; {0, 0} when nothing is known.
  std::pair<std::size_t, std::size_t> at(std::string_view pointer) const;

 private:
  friend class YamlBuilder;
  struct Place {
    std::uint64_t pointerHash = 0;
    std::uint32_t line = 0;
    std::uint32_t column = 0;
  };
  const Place* placeOf(std::uint64_t pointerHash) const;

  std::vector<Place> places_;  ///< sorted by hash
};

struct YamlDocument {
  json::value value;  ///< null for an empty document
  SourceMap places;
  std::size_t line = 1;  ///< where the document starts
};

struct YamlLimits {
  std::size_t maxBytes = 32 * 1024 * 1024;
  std::size_t maxDepth = 200;
  std::size_t maxNodes = 5'000'000;  ///< after alias expansion: alias bombs stop here
  /// Whether findings may quote what is written. A file that may hold secrets is never quoted, nor is anything that
  /// may come of it (a value that was meant as another, a key, the name of an alias).
  enum class Quotes : bool { never, whereHarmless } quotes = Quotes::whereHarmless;
};

/// All documents of a YAML (or JSON) stream. Findings (syntax, duplicate keys, unknown tags, limits)
/// go to `out` with file:line:column; documents before a syntax error are still returned.
std::vector<YamlDocument> parseYaml(std::string_view text, const std::string& file, Diagnostics& out,
                                    const YamlLimits& limits = {});

/// Block style, keys in the order of the value, strings quoted where YAML would read them otherwise.
std::string yamlText(const json::value& v);

}  // namespace steer
