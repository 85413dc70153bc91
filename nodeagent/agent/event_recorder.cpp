#include "nodeagent/agent/event_recorder.h"

#include <cstdint>
#include <functional>

#include "core/rfc3339.h"
#include "core/utf8.h"
#include "nodeagent/pod/container_spec.h"

namespace steer {

namespace {

/// An event that did not recur for this long starts a new one when it does.
constexpr minutes kSameEvent{10};

std::string hex(std::uint64_t value) {
  std::string out;
  for (int shift = 60; shift >= 0; shift -= 4) out += "0123456789abcdef"[value >> shift & 0xFU];
  return out;
}

std::string fieldPath(const Object& about, const std::string& container) {
  if (container.empty()) return "";
  for (const auto& spec : containersOf(about))
    if (spec.name == container)
      return std::string(spec.role == ContainerRole::main ? "spec.containers{" : "spec.initContainers{") + container +
             "}";
  return "";
}

}  // namespace

void PodEventRecorder::note(const Object& about, const PodEventNote& event, Time now) {
  const std::string key =
      about.uid() + about.name() + "|" + event.container + "|" + event.type + "|" + event.reason + "|" + event.message;
  entries_.with([&](auto& entries) {
    auto& entry = entries[key];
    if (entry.count > 0 && now - entry.last > kSameEvent) entry = {};
    ++entry.count;
    entry.last = now;
    entry.dirty = true;
    if (entry.count > 1) return;
    const std::string ns = about.ns().empty() ? "default" : about.ns();
    const auto salt = static_cast<std::uint64_t>(now.time_since_epoch().count());
    entry.name = about.name() + "." + hex(std::hash<std::string>{}(key) ^ salt);
    json::object involved{{"kind", about.kind()}, {"name", about.name()}, {"uid", about.uid()}};
    involved["apiVersion"] = about.gvk().apiVersion();
    if (!about.ns().empty()) involved["namespace"] = about.ns();
    if (const auto path = fieldPath(about, event.container); !path.empty()) involved["fieldPath"] = path;
    entry.body = {{"apiVersion", "v1"},
                  {"kind", "Event"},
                  {"metadata", json::object{{"name", entry.name}, {"namespace", ns}}},
                  {"involvedObject", std::move(involved)},
                  {"type", event.type},
                  {"reason", event.reason},
                  {"message", toUtf8(event.message)},
                  {"source", json::object{{"component", "steer-agent"}, {"host", nodeName_}}},
                  {"reportingComponent", "steer-agent"},
                  {"reportingInstance", nodeName_},
                  {"firstTimestamp", formatTime(now)}};
  });
}

std::vector<Write> PodEventRecorder::writes(Time now) {
  std::vector<Write> out;
  entries_.with([&](auto& entries) {
    std::erase_if(entries, [&](const auto& e) { return !e.second.dirty && now - e.second.last > kSameEvent; });
    for (auto& [key, entry] : entries) {
      if (!entry.dirty) continue;
      entry.dirty = false;
      if (entry.written) {
        const std::string ns(stringAt(entry.body, {"metadata", "namespace"}));
        json::object change{{"count", entry.count}, {"lastTimestamp", formatTime(entry.last)}};
        out.push_back(Write::patch({"events", ns, entry.name}, PatchType::merge, std::move(change)));
        continue;
      }
      entry.written = true;
      auto body = entry.body;
      body["count"] = entry.count;
      body["lastTimestamp"] = formatTime(entry.last);
      out.push_back(Write::create("events", std::move(body)));
    }
  });
  return out;
}

}  // namespace steer
