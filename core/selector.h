#pragma once
// Label and field selectors. Thread rule: plain values.
// Source of the rules: the Kubernetes documentation, "Labels and Selectors" and "Field Selectors".
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "core/object.h"
#include "core/result.h"

namespace steer {

class LabelSelector {
 public:
  enum class Op { in, notIn, exists, doesNotExist, greater, less };
  struct Requirement {
    std::string key;
    Op op = Op::exists;
    std::vector<std::string> values;
  };

  /// Matches everything.
  LabelSelector() = default;
  /// "app=web,tier!=db,env in (a,b),!canary"; an empty text matches everything.
  static Result<LabelSelector> parse(std::string_view text);
  /// A metav1.LabelSelector (matchLabels, matchExpressions). Absent (null) matches nothing, an
  /// empty object matches everything.
  static Result<LabelSelector> fromObject(const json::value* selector);
  /// A plain map (Service, ReplicationController). An empty map matches nothing there.
  static LabelSelector fromMap(const json::object& labels);
  static LabelSelector nothing();

  bool matches(const json::object& labels) const;
  bool matchesEverything() const { return !nothing_ && requirements_.empty(); }
  const std::vector<Requirement>& requirements() const { return requirements_; }
  /// The text form that parse() reads.
  std::string text() const;

 private:
  bool nothing_ = false;
  std::vector<Requirement> requirements_;
};

class FieldSelector {
 public:
  FieldSelector() = default;
  /// "metadata.name=a,spec.nodeName!=b"; '==' is '='. Backslash escapes ',', '=' and '\'.
  static Result<FieldSelector> parse(std::string_view text);

  struct Term {
    std::string path;
    bool equal = true;
    std::string value;
  };
  const std::vector<Term>& terms() const { return terms_; }
  bool empty() const { return terms_.empty(); }
  /// Compares the text of the scalar at each path; a missing field reads as "".
  bool matches(const Object& object) const;

 private:
  std::vector<Term> terms_;
};

}  // namespace steer
