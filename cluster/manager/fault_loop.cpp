#include "cluster/manager/fault_loop.h"

#include "core/barrier.h"
#include "core/log.h"
#include "core/rfc3339.h"

namespace steer {
namespace {

constexpr Duration kLook = seconds(2);  ///< a storm of faults is a write every other second
constexpr const char* kNamespace = "kube-system";

}  // namespace

Result<std::optional<FaultLoop::Shown>> FaultLoop::read() {
  const auto live = client_.get({"namespaces", "", kNamespace});
  if (!live.ok()) return live.error();
  for (const auto& condition : arrayAt((*live)->status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == kFaultless)
      return std::optional(
          Shown{stringAt(condition, {"status"}) == "True", std::string(stringAt(condition, {"message"}))});
  return std::optional<Shown>();
}

Result<void> FaultLoop::write(const Shown& wanted, Time now) {
  STEER_TRY(const auto shown, read());
  if (shown == wanted || (!shown && wanted.faultless && wanted.message.empty())) return {};
  json::object condition{{"type", kFaultless},
                         {"status", wanted.faultless ? "True" : "False"},
                         {"reason", wanted.faultless ? "Recovered" : "Fault"},
                         {"message", wanted.message}};
  if (!shown || shown->faultless != wanted.faultless) condition["lastTransitionTime"] = formatTime(now);
  STEER_CHECK(client_.write(Write::patch(
      {"namespaces", "", kNamespace}, PatchType::strategic,
      json::object{{"status", json::object{{"conditions", json::array{std::move(condition)}}}}}, "status")));
  return {};
}

Loop::Next FaultLoop::step(Time now) {
  const auto count = barrier::count();
  if (settled_ && known_ == count) return at(now + kLook);
  auto summary = barrier::summary();
  Shown wanted{summary.empty(), std::move(summary)};
  // What a process before this one said is over with it.
  if (wanted.faultless && count > 0) wanted.message = "the last one: " + barrier::newest();
  else if (wanted.faultless) wanted.message = "";
  if (const auto written = write(wanted, now); !written.ok()) {
    log::debug("the faults cannot be told yet", {{"error", written.error().message}});
    return at(now + kLook);
  }
  known_ = count;
  settled_ = wanted.faultless;
  return at(now + kLook);
}

}  // namespace steer
