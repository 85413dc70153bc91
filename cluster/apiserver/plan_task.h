#pragma once
// One write on its way through the planner: what was asked, of which kind, by whom, and what it
// is checked against. Internal to the planner's two files. Thread rule: one owner.
#include <string>
#include <vector>

#include "cluster/apiserver/decoding.h"
#include "cluster/apiserver/write_planner.h"
#include "schemas/merge.h"

namespace steer {

struct WritePlanner::Task {
  const Snapshot& view;
  const Write& write;
  const WriteSettings& settings;
  const Identity& identity;
  const KindSchema& kind;
  const KindStrategy& strategy;
  Time now;
  std::vector<std::string> warnings;

  ObjectPtr live() const {
    return view.get(kind.resource(), kind.namespaced ? write.target.ns : "", write.target.name);
  }
  ObjectRef targetOf(const Object& object) const { return {kind.resource(), object.ns(), object.name()}; }
  /// Who owns what an update or patch changes.
  ApplyRequest updater() const;
  bool onStatus() const { return write.subresource == "status"; }
  /// apiVersion, kind, namespace and name of a body agree with what the write addresses.
  Result<void> settleIdentity(json::object& body) const;
  /// 409 when the body carries another revision or uid than the live object.
  Result<void> checkRevision(const Object& live, const json::object& body) const;
  Result<bool> checkSentShape(json::object& body) { return checkShape(kind, body, settings.fieldValidation, warnings); }
};

}  // namespace steer
