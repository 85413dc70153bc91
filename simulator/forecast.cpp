#include "simulator/forecast.h"

#include <algorithm>
#include <array>

namespace steer {
namespace {

constexpr std::array<const char*, 8> kNames{"created", "placed", "running",  "ready",
                                            "unready", "failed", "stopping", "gone"};

double secondsOf(Duration time) { return std::chrono::duration<double>(time).count(); }

json::object amountJson(const NodeForecast::Amount& amount) {
  return {{"before", amount.before}, {"after", amount.after}, {"allocatable", amount.allocatable}};
}

json::object countsJson(const std::map<std::string, int>& counts) {
  json::object out;
  for (const auto& [key, value] : counts) out[key] = value;
  return out;
}

json::object workloadJson(const WorkloadForecast& w) {
  json::object out{{"workload", w.workload},
                   {"desired", w.desired},
                   {"readyBefore", w.readyBefore},
                   {"readyAfter", w.readyAfter},
                   {"restarts", w.restarts},
                   {"added", w.added},
                   {"lowestReady", w.lowest},
                   {"belowDesiredSeconds", secondsOf(w.below)},
                   {"doneAfterSeconds", secondsOf(w.done)},
                   {"landed", countsJson(w.landed)}};
  if (!w.unplaced.empty()) out["unplaced"] = countsJson(w.unplaced);
  if (!w.blocked.empty()) out["blocked"] = w.blocked;
  return out;
}

json::array texts(const std::vector<std::string>& from) {
  json::array out;
  for (const auto& text : from) out.emplace_back(text);
  return out;
}

}  // namespace

const char* eventName(ForecastEvent::Kind kind) { return kNames[static_cast<std::size_t>(kind)]; }

bool Forecast::blocked() const {
  return !refused.empty() || std::any_of(workloads.begin(), workloads.end(), [](const WorkloadForecast& w) {
    return !w.blocked.empty() || !w.unplaced.empty();
  });
}

json::object forecastJson(const Forecast& forecast) {
  json::array workloads, services, nodes, events;
  for (const auto& w : forecast.workloads) workloads.emplace_back(workloadJson(w));
  for (const auto& s : forecast.services)
    services.emplace_back(json::object{{"service", s.service},
                                       {"readyBefore", s.before},
                                       {"lowestReady", s.lowest},
                                       {"readyAfter", s.after},
                                       {"withoutEndpointsSeconds", secondsOf(s.without)}});
  for (const auto& n : forecast.nodes)
    nodes.emplace_back(json::object{{"node", n.node},
                                    {"milliCpu", amountJson(n.cpu)},
                                    {"memory", amountJson(n.memory)},
                                    {"pods", amountJson(n.pods)}});
  for (const auto& e : forecast.events)
    events.emplace_back(json::object{{"atSeconds", secondsOf(e.at)},
                                     {"event", eventName(e.kind)},
                                     {"workload", e.workload},
                                     {"pod", e.pod},
                                     {"node", e.node},
                                     {"existed", e.existed}});
  json::object out{{"seed", forecast.seed},           {"tookSeconds", secondsOf(forecast.took)},
                   {"blocked", forecast.blocked()},   {"workloads", std::move(workloads)},
                   {"services", std::move(services)}, {"nodes", std::move(nodes)},
                   {"events", std::move(events)},     {"assumptions", texts(forecast.assumptions)}};
  if (!forecast.cutShort.empty()) out["cutShort"] = forecast.cutShort;
  if (!forecast.refused.empty()) out["refused"] = texts(forecast.refused);
  return out;
}

}  // namespace steer
