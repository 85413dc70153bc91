#pragma once
// Drift: what others changed in an application's objects since it applied them, and who. It is read
// from metadata.managedFields: entries newer than our own. Pure.
#include <string>
#include <vector>

#include "reconciler/plan/plan.h"

namespace steer {

struct DriftedField {
  std::string path;
  /// lost: we held it and someone took it; added: someone put something where we hold nothing.
  enum class Kind { lost, added } kind = Kind::lost;
  std::optional<json::value> before{};  ///< what the source asks for; nothing for added
  std::optional<json::value> after{};   ///< what lives; nothing when it was removed
  std::string manager;                  ///< who; empty when nobody tells
  std::string time;                     ///< RFC 3339; may be empty
};

struct ObjectDrift {
  ObjectRef ref;
  Gvk gvk;
  SourcePos source{};
  bool missing = false;  ///< asked for and not there
  std::vector<DriftedField> fields{};

  std::string text() const { return gvk.kind + " " + (ref.ns.empty() ? ref.name : ref.ns + "/" + ref.name); }
};

/// The plan must have been made with every live object (PlanOptions::Live::all). What the cluster's
/// own controllers write is no drift.
std::vector<ObjectDrift> driftOf(const Plan& plan);

}  // namespace steer
