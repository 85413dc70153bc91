#pragma once
// One file's text → the objects in it, validated. Pure. Findings never quote values.
#include <string_view>

#include "render/manifest.h"
#include "schemas/schema.h"

namespace steer {

/// Larger files are refused, not read.
inline constexpr std::size_t kMaxManifestBytes = 32 * 1024 * 1024;

/// Multi-document text; List kinds are flattened, empty documents skipped. With a registry every
/// object is also validated against its schema and an unknown kind is a finding.
ParsedBlobPtr parseBlob(std::string_view text, const SchemaRegistry* registry);

}  // namespace steer
