#include "reconciler/plan/hooks.h"

#include <algorithm>
#include <sstream>
#include <tuple>

#include "reconciler/plan/fingerprint.h"

namespace steer {
namespace {

std::string digestOf(const json::object& body) { return Fingerprint().add(jsonCanonical(body)).hex().substr(0, 32); }

}  // namespace

std::string PlannedHook::text() const {
  return gvk().kind + " " + (ref.ns.empty() ? ref.name : ref.ns + "/" + ref.name);
}

bool PlannedHook::fresh() const {
  // Of a run that went well nothing may be left.
  if (!last && !gone) return !end.removedOnSuccess;
  if (!last)
    return std::none_of(gone->begin(), gone->end(),
                        [&](const auto& mark) { return mark.ends_with(":" + digestOf(wanted)); });
  return last->annotation(kHookDigest) != digestOf(wanted);
}

std::vector<PlannedHook> takeHooks(std::vector<WantedObject>& wanted) {
  std::vector<PlannedHook> hooks;
  for (auto& w : wanted) {
    const auto order = syncOrderOf(w.body);
    if (order.hook == Hook::none) continue;
    for (const auto phase : order.phases)
      hooks.push_back({phase, order.wave, w.ref, w.source, w.body, nullptr, order.end, order.phases.size() > 1});
    w.ref.name.clear();
  }
  std::erase_if(wanted, [](const WantedObject& w) { return w.ref.name.empty(); });
  std::sort(hooks.begin(), hooks.end(), [](const PlannedHook& a, const PlannedHook& b) {
    return std::tie(a.when, a.wave, a.ref) < std::tie(b.when, b.wave, b.ref);
  });
  return hooks;
}

json::object hookJob(const PlannedHook& hook, const std::string& run) {
  json::object body = hook.wanted;
  auto& annotations = ensureObject(ensureObject(body, "metadata"), "annotations");
  annotations[kHookRun] = run;
  annotations[kHookDigest] = digestOf(hook.wanted);
  if (stringAt(body, {"kind"}) == "Job") ensureObject(body, "spec").erase("ttlSecondsAfterFinished");
  return body;
}

std::string runMark(const PlannedHook& hook, const std::string& run) { return run + ":" + digestOf(hook.wanted); }

std::set<std::string> runMarksIn(const std::string& text) {
  std::set<std::string> out;
  std::istringstream in(text);
  for (std::string mark; in >> mark;) out.insert(mark);
  return out;
}

bool ranAs(const Object& job, const std::string& run) { return job.annotation(kHookRun) == run; }

}  // namespace steer
