#pragma once
// Literals for the pod machine's tests: a pod from JSON text, runtime states in one line.
#include <algorithm>
#include <memory>
#include <string>
#include <vector>

#include "nodeagent/pod/pod_machine.h"

namespace steer::podtest {

inline const Time kStart = Time{seconds{1'767'225'600}};

struct PodCase {
  ObjectPtr pod;
  json::object previous{};
  PodRuntimeState runtime{};
  VolumeFacts volumes{true, {}};
  std::optional<Setback> sandboxSetback{};
  std::map<std::string, ContainerFacts> facts{};
  bool released = false;
  Time now = kStart;

  explicit PodCase(const std::string& specJson, const std::string& metadataJson = "{}") {
    json::object body{{"apiVersion", "v1"}, {"kind", "Pod"}};
    body["metadata"] = json::parse(metadataJson);
    auto& metadata = body["metadata"].as_object();
    metadata["name"] = "web";
    metadata["namespace"] = "shop";
    metadata["uid"] = "u1";
    body["spec"] = json::parse(specJson);
    pod = Object::make(std::move(body));
  }

  PodDecision decide() {
    PodDecision d = decidePod({*pod,
                               previous,
                               runtime,
                               volumes,
                               sandboxSetback,
                               facts,
                               {"n1", "172.31.0.1", {}, "containerd"},
                               released,
                               now});
    previous = d.status;
    return d;
  }
  PodCase& sandbox(bool ready = true, std::uint32_t attempt = 0) {
    runtime.sandboxes.push_back({"s" + std::to_string(attempt), "web", "shop", "u1", attempt, ready, now,
                                 ready ? std::vector<std::string>{"10.1.0.5"} : std::vector<std::string>{}});
    return *this;
  }
  ContainerState& container(const std::string& name, ContainerPhase phase, std::uint32_t attempt = 0,
                            int exitCode = 0) {
    ContainerState c;
    c.id = name + "-" + std::to_string(attempt);
    c.sandboxId = runtime.sandboxes.back().id;
    c.podUid = "u1";
    c.name = name;
    c.attempt = attempt;
    c.phase = phase;
    c.startedAt = now;
    c.finishedAt = now;
    c.exitCode = exitCode;
    c.reason = exitCode == 0 ? "Completed" : "Error";
    c.image = "img";
    runtime.containers.push_back(c);
    return runtime.containers.back();
  }
};

inline const PodAction* actionOf(const PodDecision& d, PodAction::Kind kind, std::string_view container = "") {
  for (const auto& a : d.actions)
    if (a.kind == kind && (container.empty() || a.container == container)) return &a;
  return nullptr;
}

inline std::string conditionOf(const PodDecision& d, std::string_view type) {
  for (const auto& c : arrayAt(d.status, {"conditions"}))
    if (stringAt(c, {"type"}) == type) return std::string(stringAt(c, {"status"}));
  return "";
}

inline const json::object& statusOf(const PodDecision& d, std::string_view container,
                                    std::string_view list = "containerStatuses") {
  static const json::object kNone;
  for (const auto& c : arrayAt(d.status, {list}))
    if (stringAt(c, {"name"}) == container) return c.get_object();
  return kNone;
}

}  // namespace steer::podtest
