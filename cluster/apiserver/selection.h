#pragma once
// Selection: which objects of a collection a list or a watch is about. Pure.
#include <string>
#include <vector>

#include "cluster/apiserver/authorizer.h"
#include "cluster/client/client.h"
#include "cluster/store/store.h"
#include "core/result.h"
#include "core/selector.h"
#include "core/snapshot.h"

namespace steer {

class Selection {
 public:
  /// Errors: badRequest for a selector that cannot be read.
  static Result<Selection> make(std::string resource, std::string ns, std::string_view labels, std::string_view fields);

  bool matches(const Object& object) const;
  const std::string& resource() const { return resource_; }
  const std::string& ns() const { return ns_; }
  bool everything() const { return labels_.matchesEverything() && fields_.empty(); }
  /// The name, when the selection is one object by metadata.name; else empty.
  const std::string& onlyName() const { return filter_.name; }
  const WatchFilter& filter() const { return filter_; }
  /// What must be allowed to whoever lists or watches it.
  AccessQuestion question(std::string verb) const {
    return {std::move(verb), resource_, "", ns_, filter_.name, "", filter_.nodeName.value_or("")};
  }
  /// Visits what matches in (namespace, name) order from after `after`, while visit is true.
  void each(const Snapshot& view, std::string_view after, const std::function<bool(const ObjectPtr&)>& visit) const;

 private:
  std::string resource_;
  std::string ns_;
  LabelSelector labels_;
  FieldSelector fields_;
  /// A term on a field whose absence is a value (false, 0).
  struct ZeroTerm {
    FieldSelector alone;
    bool whenAbsent = false;
  };
  FieldSelector plainFields_;  ///< the terms on other fields
  std::vector<ZeroTerm> zeroTerms_;
  WatchFilter filter_;
};

}  // namespace steer
