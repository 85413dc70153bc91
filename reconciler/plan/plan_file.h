#pragma once
// A saved plan: what `steer plan --out` writes and `steer apply` takes. It binds the source (every
// object it read), the version of steer, the cluster, and of each object that changes its uid and the
// fields that change with their values. It holds no manifest: applying reads the source again and
// compares. Values of Secrets are in it only as slow, salted hashes.
// Thread rule: a plain value. Pure.
#include <map>
#include <string>
#include <vector>

#include "reconciler/plan/plan_set.h"

namespace steer {

struct SavedField {
  FieldChange::Kind kind = FieldChange::Kind::change;
  std::string path;
  std::optional<json::value> before{};  ///< masked when sensitive
  std::optional<json::value> after{};
};

struct SavedChange {
  std::string application;
  PlanAction action = PlanAction::none;
  Gvk gvk;
  ObjectRef ref;
  std::string uid;  ///< of the live object; empty for a creation
  std::vector<SavedField> fields;
  std::string hidden;  ///< slow hash of the values that `fields` masks; empty when none
  std::vector<std::string> taken;
  std::string forcedBy;
  bool adopts = false;

  std::string text() const { return gvk.kind + " " + (ref.ns.empty() ? ref.name : ref.ns + "/" + ref.name); }
};

struct SavedPlan {
  std::string tool;      ///< version of steer that planned
  std::string cluster;   ///< uid of the cluster
  std::string created;   ///< RFC 3339, for people
  json::object request;  ///< how the plan was asked for: the command line's own words
  std::string salt;
  std::map<std::string, std::string> source;  ///< object → hash of its manifest, values of Secrets left out
  std::string sourceSecrets;                  ///< slow hash of all manifests of Secrets; empty when none
  std::vector<SavedChange> changes;           ///< only those that do something
  std::string planDigest;
};

struct PlanBinding {
  std::string tool;
  std::string cluster;
  std::string created;
  json::object request;
  std::string salt;  ///< 16 random bytes in hex
};

/// `source` is what was read, before anything was added to it.
SavedPlan savePlan(const PlanSet& plans, const std::vector<WantedObject>& source, PlanBinding binding);

/// The content of a file, with a digest over all of it.
std::string planFileText(const SavedPlan& plan);
/// Whether a document is meant to be a saved plan, whole or damaged.
bool looksLikePlanFile(const json::value& document);
/// Errors: invalid, when it was damaged or edited, or is of another version.
Result<SavedPlan> readPlanFile(const json::value& document);

/// The parts of `savePlan` that are compared again when applying.
std::map<std::string, std::string> sourcePrints(const std::vector<WantedObject>& source);
std::string secretsPrint(const std::vector<WantedObject>& source, const std::string& salt);
std::string hiddenPrint(const PlannedChange& change, const std::string& salt);

}  // namespace steer
