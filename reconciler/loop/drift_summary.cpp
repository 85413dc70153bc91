#include "reconciler/loop/drift_summary.h"

#include <algorithm>
#include <utility>

namespace steer {
namespace {

constexpr Duration kPause = seconds(60);
constexpr int kMostDoublings = 6;  ///< about an hour
constexpr std::size_t kMostRows = 500;

bool sameKeys(const std::map<std::string, std::uint64_t>& a, const std::map<std::string, std::uint64_t>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](const auto& x, const auto& y) { return x.first == y.first; });
}

void mergeRows(ApplyRecord& into, std::vector<ApplyRecord::ObjectRow> rows) {
  for (auto& row : rows) {
    const auto known = std::find_if(into.objects.begin(), into.objects.end(),
                                    [&](const auto& other) { return other.object == row.object; });
    if (known != into.objects.end()) *known = std::move(row);
    else if (into.objects.size() < kMostRows) into.objects.push_back(std::move(row));
  }
}

}  // namespace

void DriftSummary::add(ApplyRecord record) {
  for (const auto& line : record.drift) ++counts_[line];
  if (!held_) {
    held_ = std::move(record);
  } else {
    held_->created += record.created;
    held_->updated += record.updated;
    held_->replaced += record.replaced;
    held_->deleted += record.deleted;
    held_->commit = record.commit;
    held_->finished = record.finished;
    held_->result = record.result;
    held_->message = std::move(record.message);
    held_->findings = std::move(record.findings);
    mergeRows(*held_, std::move(record.objects));
  }
  held_->drift.clear();
  for (const auto& [line, times] : counts_)
    held_->drift.push_back(line + (times == 1 ? "" : " (" + std::to_string(times) + " times)"));
}

std::optional<Time> DriftSummary::due() const {
  if (!held_) return std::nullopt;
  if (!notBefore_) return held_->finished;
  // What is new waits for the minute, what is known for longer.
  return sameKeys(counts_, told_) ? *notBefore_ + kPause * ((1 << std::min(same_, kMostDoublings)) - 1) : *notBefore_;
}

std::optional<ApplyRecord> DriftSummary::take(Time now, Take what) {
  const auto when = due();
  if (!when || (what == Take::due && now < *when)) return std::nullopt;
  same_ = sameKeys(counts_, told_) ? same_ + 1 : 0;
  told_ = std::exchange(counts_, {});
  notBefore_ = now + kPause;
  return std::exchange(held_, std::nullopt);
}

}  // namespace steer
