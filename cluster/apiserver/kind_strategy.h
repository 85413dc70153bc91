#pragma once
// What is particular to a kind, behind one interface: how a write is prepared, what makes it
// invalid beyond its schema, how a row of `kubectl get` looks. One file per kind in kinds/, named
// in CMakeLists.txt; kinds without a file get the base class.
// Thread rule: strategies are stateless.
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cluster/apiserver/api_server.h"
#include "core/object.h"
#include "core/random.h"
#include "core/snapshot.h"
#include "schemas/schema.h"

namespace steer {

/// What admission may look at.
struct AdmissionContext {
  const Snapshot& view;  ///< the cluster, with earlier writes of the same batch
  Time now;
  Random& random;
  const ApiServerOptions& options;
  const Identity& who;  ///< whose write this is
};

struct TableColumn {
  std::string_view name;
  std::string_view type = "string";
  std::string_view format = "";
  int priority = 0;  ///< above 0: only with -o wide
};

class KindStrategy {
 public:
  virtual ~KindStrategy() = default;

  /// spec changes raise metadata.generation.
  virtual bool countsGenerations() const { return true; }
  /// A new object without a name gets one.
  virtual bool namesItself() const { return false; }
  /// A replacement must name the revision it read.
  virtual bool updateNeedsRevision() const { return false; }
  /// Deleting without a propagation policy leaves the dependents.
  virtual bool orphansByDefault() const { return false; }
  /// Seconds a deletion without options waits; 0 = goes at once.
  virtual std::int64_t graceOnDelete(const Object& live, std::optional<std::int64_t> asked) const;
  /// Something beside metadata.finalizers holds a deleted object.
  virtual bool heldBySpec(const json::object& object) const;
  virtual void markDeleting(json::object& object) const;
  /// Errors: forbidden for what is never deleted.
  virtual Result<void> checkDelete(const Object&) const { return {}; }

  /// After defaulting, before validation.
  virtual Result<void> prepareCreate(const AdmissionContext& context, json::object& object) const;
  virtual Result<void> prepareUpdate(const AdmissionContext& context, const json::object& before,
                                     json::object& object) const;
  /// What comes into being with a new object, in the same transaction, unless it is there.
  virtual std::vector<std::pair<std::string, json::object>> companions(const json::object& object) const;
  /// What only the cluster can tell to be wrong; the rest is in schemas/rules. `before` null on create.
  virtual void validate(const AdmissionContext& context, const json::object* before, const json::object& object,
                        std::vector<Cause>& causes) const;
  /// The same for a write of the status subresource.
  virtual void validateStatus(const json::object& object, std::vector<Cause>& causes) const;
  /// Writers of this kind take turns, because they share an allocation.
  virtual std::string_view turn() const { return ""; }

  /// Fields that a selector may name, beside metadata.name and metadata.namespace.
  virtual std::vector<std::string_view> selectableFields() const { return {}; }

  virtual std::vector<TableColumn> columns() const;
  virtual json::array row(const Object& object, Time now) const;
};

class StrategyRegistry {
 public:
  static const StrategyRegistry& builtin();
  const KindStrategy& of(std::string_view resource) const;
  void add(std::string resource, std::unique_ptr<KindStrategy> strategy);

 private:
  std::map<std::string, std::unique_ptr<KindStrategy>, std::less<>> byResource_;
  KindStrategy fallback_;
};

}  // namespace steer
