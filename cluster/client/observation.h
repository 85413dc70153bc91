#pragma once
// Observation: how the objects that a source asks for live in the cluster, in one question. What is
// known to stay as it is under server-side apply is told without its body, so that asking about an
// unchanged repository costs neither side a copy of it. Thread rule: plain values.
//
// POST /apis/steersman.dev/v1/observation with
//   {"label": "key=value", "items": [[resource, namespace, name, digest], …], "actAs": user, "rightsOnly": bool}
// is answered by {"items": [true | null | object | {"observed": …}, …], "others": [[resource, object, hidden?], …]}:
// true = applying that body changes nothing, null = absent; "observed" spells out the fields of Item.
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "core/result.h"

namespace steer {

struct ObserveRequest {
  struct Item {
    ObjectRef ref;
    std::string digest{};  ///< applyDigest of what would be applied; empty = always tell the live object
  };
  std::vector<Item> items{};
  std::string label{};  ///< "key=value": other objects that carry it are told, too; empty = none
  /// The user as whom it is read, if the asker may impersonate them; empty = the asker. What that user may not read is
  /// told by its identity alone, to an asker who may read it.
  std::string actAs{};
  bool rightsOnly = false;  ///< of each item only Item::refused is asked for
};

struct Observation {
  struct Item {
    bool unchanged = false;
    ObjectPtr live{};       ///< null when absent or unchanged
    bool hidden = false;    ///< `live` is the identity alone
    std::string refused{};  ///< it exists, and the user of `actAs` may not apply it: why
    /// rightsOnly: it does not exist, and the user of `actAs` may not apply it: why.
    std::string unable{};
  };
  struct Other {
    ObjectRef ref;
    ObjectPtr object;
    bool hidden = false;  ///< `object` is the identity alone
  };
  std::vector<Item> items{};    ///< one per item asked for, in order
  std::vector<Other> others{};  ///< carry the label and were not asked for
};

/// Names what a manager would apply: 32 hex digits, from the body as it is written, order included.
std::string applyDigest(const json::value& body, std::string_view manager);

json::object encodeObserveRequest(const ObserveRequest& request);
/// Errors: badRequest.
Result<ObserveRequest> decodeObserveRequest(const json::value& body);
json::object encodeObservation(const Observation& observation);
/// Errors: internal when the answer has another shape than the question.
Result<Observation> decodeObservation(json::value body, const ObserveRequest& request);

}  // namespace steer
