#pragma once
// Patches that need no schema: JSON patch (RFC 6902) and merge patch (RFC 7386).
// Pure; the input is never changed. Strategic merge and apply need a schema: schemas/.
#include "core/json.h"
#include "core/result.h"

namespace steer {

/// Errors: badRequest for a malformed patch, invalid for a failed test or a missing path.
Result<json::value> applyJsonPatch(json::value document, const json::value& patch);
json::value applyMergePatch(json::value document, const json::value& patch);
/// The JSON patch that turns `from` into `to`.
json::array makeJsonPatch(const json::value& from, const json::value& to);

}  // namespace steer
