#include "cluster/controllers/job_facts.h"

#include <algorithm>
#include <charconv>

#include "cluster/controllers/conditions.h"
#include "cluster/controllers/pod_facts.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

std::optional<std::int64_t> number(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size() || value < 0) return std::nullopt;
  return value;
}

}  // namespace

IndexSet IndexSet::parse(std::string_view text, std::int64_t end) {
  IndexSet out;
  while (!text.empty()) {
    const auto comma = text.find(',');
    const auto piece = text.substr(0, comma);
    text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
    const auto dash = piece.find('-');
    const auto first = number(piece.substr(0, dash));
    const auto last = dash == std::string_view::npos ? first : number(piece.substr(dash + 1));
    if (!first || !last) continue;
    for (auto index = *first; index <= *last && index < end; ++index) out.add(index);
  }
  return out;
}

std::int64_t IndexSet::common(const IndexSet& other) const {
  return std::count_if(indexes_.begin(), indexes_.end(), [&](std::int64_t index) { return other.contains(index); });
}

std::string IndexSet::text() const {
  std::string out;
  for (auto it = indexes_.begin(); it != indexes_.end();) {
    const auto first = *it;
    auto last = first;
    while (++it != indexes_.end() && *it == last + 1) last = *it;
    if (!out.empty()) out += ',';
    out += std::to_string(first);
    if (last > first) out += (last == first + 1 ? "," : "-") + std::to_string(last);
  }
  return out;
}

namespace jobfacts {

LabelSelector selectorOf(const Object& job) {
  auto selector = LabelSelector::fromObject(find(job.spec(), {"selector"}));
  return selector ? std::move(selector).value() : LabelSelector::nothing();
}

bool indexed(const Object& job) { return stringAt(job.spec(), {"completionMode"}) == "Indexed"; }
bool suspended(const Object& job) { return boolAt(job.spec(), {"suspend"}); }

bool limitsPerIndex(const Object& job) {
  const auto* limit = find(job.spec(), {"backoffLimitPerIndex"});
  return indexed(job) && limit != nullptr && asInt(*limit);
}

bool replacesOnlyFailed(const Object& job) { return stringAt(job.spec(), {"podReplacementPolicy"}) == "Failed"; }

const json::object* finishedCondition(const json::object& status) {
  for (const char* type : {"Complete", "Failed"})
    if (conditionIs(status, type, "True")) return findCondition(status, type);
  return nullptr;
}

std::int64_t parallelism(const Object& job) { return intAt(job.spec(), {"parallelism"}, 1); }

std::optional<std::int64_t> completions(const Object& job) {
  const auto* said = find(job.spec(), {"completions"});
  return said == nullptr ? std::nullopt : asInt(*said);
}

bool tracked(const Object& pod) {
  for (const auto& item : arrayAt(pod.metadata(), {"finalizers"}))
    if (const auto* text = item.if_string(); text != nullptr && view(*text) == kTracking) return true;
  return false;
}

bool succeeded(const Object& pod) { return stringAt(pod.status(), {"phase"}) == "Succeeded"; }

bool failed(const Object& job, const Object& pod) {
  if (stringAt(pod.status(), {"phase"}) == "Failed") return true;
  return pod.deleting() && !succeeded(pod) && !replacesOnlyFailed(job);
}

std::optional<std::int64_t> indexOf(const Object& job, const Object& pod) {
  const auto index = number(pod.annotation(kIndexKey));
  return index && *index < completions(job).value_or(0) ? index : std::nullopt;
}

std::int64_t indexFailures(const Object& pod) { return number(pod.annotation(kIndexFailures)).value_or(0); }

Time endOf(const Object& pod) {
  std::optional<Time> last;
  for (const char* list : {"containerStatuses", "initContainerStatuses"})
    for (const auto& container : arrayAt(pod.status(), {list}))
      if (const auto at = parseTime(stringAt(container, {"state", "terminated", "finishedAt"})))
        if (!last || *last < *at) last = at;
  if (last) return *last;
  if (const auto asked = pod.deletionTime())
    return *asked - seconds(intAt(pod.metadata(), {"deletionGracePeriodSeconds"}));
  return pod.created().value_or(Time{});
}

std::int64_t restartsOf(const Object& pod) {
  std::int64_t sum = 0;
  for (const char* list : {"containerStatuses", "initContainerStatuses"})
    for (const auto& container : arrayAt(pod.status(), {list})) sum += intAt(container, {"restartCount"});
  return sum;
}

}  // namespace jobfacts
}  // namespace steer
