#pragma once
// Merges that need a schema. Pure.
#include <optional>
#include <string>
#include <vector>

#include "core/json.h"
#include "core/result.h"
#include "schemas/field_set.h"
#include "schemas/schema.h"

namespace steer {

/// Strategic merge patch with its directives ($patch, $retainKeys, $setElementOrder/x,
/// $deleteFromPrimitiveList/x). type null = no schema: behaves as a merge patch.
Result<json::value> applyStrategicMerge(const TypeSchema* type, json::value document, const json::value& patch);

/// Server-side apply, structured merge. `live` null = create. The result carries
/// metadata.managedFields with this manager's entry replaced (operation Apply, fieldsV1).
/// Fields this manager owned and no longer sends are removed unless another manager owns them.
/// Applying the same again answers the live object itself, times included. Quantities and times are compared in
/// their normal form. Run applyDefaults() on the answer, as on any write.
/// Errors: conflict with causes FieldManagerConflict unless force.
struct ApplyRequest {
  std::string manager;
  std::string subresource{};
  bool force = false;
  std::string time;    ///< RFC 3339, for the entry
  FieldSet excused{};  ///< what it may take from others although it does not force
};
Result<json::object> applyServerSide(const KindSchema& kind, const json::object* live, const json::object& applied,
                                     const ApplyRequest& request);

/// Updates managedFields after an update or patch by a manager (operation Update): fields that
/// changed between before and after now belong to it, and leave the others that had them. The entries of
/// `before` are the truth; those in `after` are ignored, but for [{}], which forgets all. before null = create.
void trackUpdate(const KindSchema& kind, const json::object* before, json::object& after, const ApplyRequest& request);

}  // namespace steer
