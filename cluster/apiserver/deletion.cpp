#include "cluster/apiserver/deletion.h"

#include <algorithm>
#include "cluster/apiserver/status_error.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr std::string_view kForeground = "foregroundDeletion";
constexpr std::string_view kOrphan = "orphan";

Result<void> checkPreconditions(const KindSchema& kind, const Object& live, const DeleteOptions& options) {
  if (!options.uid.empty() && options.uid != live.uid())
    return conflictError(
        kind, live.name(),
        "Precondition failed: UID in precondition: " + options.uid + ", UID in object meta: " + live.uid());
  if (options.revision != 0 && options.revision != live.revision())
    return conflictError(kind, live.name(),
                         "Precondition failed: ResourceVersion in precondition: " + std::to_string(options.revision) +
                             ", ResourceVersion in object meta: " + std::to_string(live.revision()));
  return {};
}

/// The finalizers after the propagation policy had its say; nothing = as they are.
std::vector<std::string> finalizersFor(const KindStrategy& strategy, const Object& live, const DeleteOptions& options) {
  std::vector<std::string> out = live.finalizers();
  auto policy = options.propagation;
  if (!policy) {
    const bool said =
        std::any_of(out.begin(), out.end(), [](const std::string& f) { return f == kForeground || f == kOrphan; });
    if (said) return out;
    policy = strategy.orphansByDefault() ? Propagation::orphan : Propagation::background;
  }
  std::erase_if(out, [](const std::string& f) { return f == kForeground || f == kOrphan; });
  if (*policy == Propagation::foreground) out.emplace_back(kForeground);
  if (*policy == Propagation::orphan) out.emplace_back(kOrphan);
  return out;
}

void mark(const KindStrategy& strategy, const Object& live, json::object& body, std::int64_t grace, Time now) {
  auto& meta = ensureObject(body, "metadata");
  meta["deletionTimestamp"] = formatTime(now + seconds(grace));
  meta["deletionGracePeriodSeconds"] = grace;
  if (live.generation() > 0 && !live.deleting()) meta["generation"] = live.generation() + 1;
  strategy.markDeleting(body);
}

}  // namespace

bool readyToGo(const KindStrategy& strategy, const json::object& object) {
  const auto& meta = objectAt(object, {"metadata"});
  return !stringAt(meta, {"deletionTimestamp"}).empty() && arrayAt(meta, {"finalizers"}).empty() &&
         intAt(meta, {"deletionGracePeriodSeconds"}) == 0 && !strategy.heldBySpec(object);
}

Result<Deletion> decideDeletion(const KindSchema& kind, const KindStrategy& strategy, const Object& live,
                                const DeleteOptions& options, Time now) {
  STEER_CHECK(checkPreconditions(kind, live, options));
  STEER_CHECK(strategy.checkDelete(live));
  Deletion out{Fate::unchanged, live.json()};
  auto& meta = ensureObject(out.body, "metadata");
  const auto finalizers = finalizersFor(strategy, live, options);
  if (finalizers != live.finalizers()) {
    meta["finalizers"] = json::array(finalizers.begin(), finalizers.end());
    out.fate = Fate::marked;
  }
  const std::int64_t grace = strategy.graceOnDelete(live, options.gracePeriodSeconds);
  const std::int64_t before = intAt(live.metadata(), {"deletionGracePeriodSeconds"});
  // A second deletion may only shorten the wait.
  if (!live.deleting() || (options.gracePeriodSeconds && grace < before)) {
    // The clock of the wait started with the first deletion.
    const auto first = live.deletionTime();
    mark(strategy, live, out.body, grace, first ? *first - seconds(before) : now);
    out.fate = Fate::marked;
  }
  if (readyToGo(strategy, out.body)) out.fate = Fate::gone;
  return out;
}

}  // namespace steer
