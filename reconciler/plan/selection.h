#pragma once
// Which objects of a plan are meant: `--target KIND/[NAMESPACE/]NAME` and `--exclude`. Pure.
#include <string>
#include <vector>

#include "core/gvk.h"
#include "core/result.h"

namespace steer {

class ObjectPattern {
 public:
  /// "deploy/web", "Deployment/shop/web", "*/shop/*". The kind is what a person types: kind, plural,
  /// singular or short name in any case, or a pattern; without a namespace any is meant.
  /// Errors: badRequest.
  static Result<ObjectPattern> parse(const std::string& text);
  bool matches(const Gvk& gvk, const ObjectRef& ref) const;
  const std::string& text() const { return text_; }

 private:
  std::string text_;
  std::string kind_;
  std::string resource_;  ///< when the kind is a word that we know; empty otherwise
  std::string ns_;        ///< empty = any
  std::string name_;
};

struct ObjectSelection {
  std::vector<ObjectPattern> targets{};   ///< empty = everything
  std::vector<ObjectPattern> excludes{};  ///< these not

  bool all() const { return targets.empty() && excludes.empty(); }
  bool contains(const Gvk& gvk, const ObjectRef& ref) const;
};

}  // namespace steer
