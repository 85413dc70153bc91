#pragma once
// What the job controller reads of a job and of its pods. Pure.
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "core/object.h"
#include "core/selector.h"

namespace steer {

/// Completion indexes as status writes them: "0,2-4".
class IndexSet {
 public:
  /// Reads around what is malformed, and ignores indexes of `end` and above.
  static IndexSet parse(std::string_view text, std::int64_t end);
  void add(std::int64_t index) { indexes_.insert(index); }
  bool contains(std::int64_t index) const { return indexes_.contains(index); }
  bool empty() const { return indexes_.empty(); }
  /// How many indexes are in both.
  std::int64_t common(const IndexSet& other) const;
  std::int64_t size() const { return static_cast<std::int64_t>(indexes_.size()); }
  std::string text() const;

 private:
  std::set<std::int64_t> indexes_;
};

namespace jobfacts {

inline constexpr std::string_view kTracking = "batch.kubernetes.io/job-tracking";
inline constexpr std::string_view kIndexKey = "batch.kubernetes.io/job-completion-index";
inline constexpr std::string_view kIndexFailures = "batch.kubernetes.io/job-index-failure-count";

LabelSelector selectorOf(const Object& job);
bool indexed(const Object& job);
bool suspended(const Object& job);
/// Failures are limited index by index.
bool limitsPerIndex(const Object& job);
/// A pod is replaced only once it has ended, not when it begins to.
bool replacesOnlyFailed(const Object& job);
/// The Complete or the Failed condition, when it is True.
const json::object* finishedCondition(const json::object& status);
std::int64_t parallelism(const Object& job);
/// Nothing for a work queue, which any success completes.
std::optional<std::int64_t> completions(const Object& job);

/// It carries the tracking finalizer: it is not counted yet.
bool tracked(const Object& pod);
bool succeeded(const Object& pod);
/// Counts as a failure: phase Failed, or on its way out where that is enough for a replacement.
bool failed(const Object& job, const Object& pod);
/// Its completion index when that is one of 0 … completions-1.
std::optional<std::int64_t> indexOf(const Object& job, const Object& pod);
/// How often its index had failed before it.
std::int64_t indexFailures(const Object& pod);
/// When its last container ended, else when it was asked to go, else when it was made.
Time endOf(const Object& pod);
/// Restarts of all its containers together.
std::int64_t restartsOf(const Object& pod);

}  // namespace jobfacts
}  // namespace steer
