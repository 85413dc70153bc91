#pragma once
// Manifest: one object as it stands in a file, with the place of each of its values. What a blob
// yields knows no path (ParsedManifest), so that equal blobs are parsed once wherever they lie.
// Thread rule: immutable values.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/diagnostics.h"
#include "core/object.h"
#include "core/yaml.h"
#include "schemas/schema.h"

namespace steer {

struct ParsedManifest {
  ObjectPtr object;
  const KindSchema* kind = nullptr;         ///< null: unknown, or no schemas were asked
  std::shared_ptr<const SourceMap> places;  ///< of the whole document
  std::string prefix;                       ///< where the object stands in it: "" or "/items/3"
  std::size_t errors = 0;                   ///< findings about this object
  bool named = true;                        ///< and none of them is about its kind, name or namespace

  /// The place of a value of the object, given its JSON pointer; the file is up to the caller.
  SourcePos placeOf(std::string_view pointer, std::string file) const {
    const auto [line, column] = places->at(prefix + std::string(pointer));
    return {std::move(file), line, column};
  }
};

/// Everything one blob says. Findings carry an empty file name.
struct ParsedBlob {
  std::vector<ParsedManifest> manifests;
  Diagnostics findings;
};
using ParsedBlobPtr = std::shared_ptr<const ParsedBlob>;

struct Manifest {
  std::string file;
  const ParsedManifest* parsed = nullptr;  ///< owned by the tree it comes from

  const ObjectPtr& object() const { return parsed->object; }
  SourcePos placeOf(std::string_view pointer) const { return parsed->placeOf(pointer, file); }
  SourcePos pos() const { return placeOf(""); }
};

}  // namespace steer
