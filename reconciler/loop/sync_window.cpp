#include "reconciler/loop/sync_window.h"

#include <algorithm>

#include "core/cron.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

struct Window {
  CronSchedule schedule;
  TimeZone zone;
};

Result<Window> windowOf(const SyncWindowSpec& spec) {
  auto schedule = CronSchedule::parse(spec.schedule);
  if (!schedule.ok()) return makeError(schedule.error().code, "schedule: " + schedule.error().message);
  auto zone = TimeZone::load(spec.timeZone);
  if (!zone.ok()) return makeError(zone.error().code, "timeZone: " + zone.error().message);
  if (spec.duration <= Duration::zero()) return makeError(Errc::badRequest, "duration: must be longer than nothing");
  return Window{*schedule, std::move(*zone)};
}

void sooner(std::optional<Time>& into, std::optional<Time> at) {
  if (at && (!into || *at < *into)) into = at;
}

}  // namespace

std::string syncWindowProblem(const SyncWindowSpec& window) {
  const auto read = windowOf(window);
  return read.ok() ? "" : read.error().message;
}

SyncGate syncGate(const std::vector<SyncWindowSpec>& windows, Time now) {
  bool anyAllow = false;
  bool allowed = false;
  std::string denied;
  std::string unreadable;
  std::optional<Time> opens;
  SyncGate out;
  for (const auto& spec : windows) {
    anyAllow = anyAllow || !spec.deny;
    const auto window = windowOf(spec);
    if (!window.ok()) {
      unreadable = window.error().message;
      if (spec.deny) denied = "a deny window cannot be read (" + unreadable + ")";
      continue;
    }
    const auto began = window->schedule.latest(now, now - spec.duration, window->zone);
    sooner(out.changesAt, began ? std::optional(*began + spec.duration) : window->schedule.next(now, window->zone));
    if (!began) {
      if (!spec.deny) sooner(opens, window->schedule.next(now, window->zone));
    } else if (spec.deny) {
      denied = "a deny window (" + spec.schedule + ") is open until " + formatTime(*began + spec.duration);
    } else {
      allowed = true;
    }
  }
  if (!denied.empty()) {
    out.open = false;
    out.reason = denied;
  } else if (anyAllow && !allowed) {
    out.open = false;
    out.reason = opens ? "outside of every sync window; the next one opens at " + formatTime(*opens)
                       : "no sync window will open" + (unreadable.empty() ? "" : " (" + unreadable + ")");
  }
  return out;
}

}  // namespace steer
