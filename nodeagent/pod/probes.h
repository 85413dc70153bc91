#pragma once
// When to probe a container and what the answers add up to. Pure.
// Source: Kubernetes documentation, "Configure Liveness, Readiness and Startup Probes".
#include <optional>
#include <string>

#include "core/object.h"
#include "core/result.h"
#include "nodeagent/pod/probe_values.h"

namespace steer {

enum class ProbeKind { startup, liveness, readiness };

struct ProbeSpec {
  seconds initialDelay{0};
  seconds period{10};
  seconds timeout{1};
  int successThreshold = 1;
  int failureThreshold = 3;
  std::optional<seconds> grace;  ///< terminationGracePeriodSeconds of the probe
};

const json::object* probeOf(const json::object& container, ProbeKind kind);
ProbeSpec probeSpecOf(const json::object& probe);
std::string_view probeWord(ProbeKind kind);  ///< "startup", "liveness", "readiness"

/// What a probe, or a lifecycle hook (the same shape), asks. host: the pod's address.
/// Errors: invalid when it names no action or an unknown port.
Result<CheckRequest> checkRequestOf(const json::object& action, const json::object& container,
                                    const std::string& containerId, const std::string& host);

/// The answers of one probe of one container.
class ProbeRecord {
 public:
  ProbeRecord() = default;
  ProbeRecord(const ProbeSpec& spec, Time containerStarted) : spec_(spec), due_(containerStarted + spec.initialDelay) {}

  Time due() const { return due_; }
  void begin(Time now) { due_ = now + spec_.period; }
  /// True when the verdict changed, or a failure threshold was reached again.
  bool record(bool success);
  /// Nothing until a threshold was reached for the first time.
  std::optional<bool> verdict() const { return verdict_; }
  const ProbeSpec& spec() const { return spec_; }

 private:
  ProbeSpec spec_{};
  Time due_{};
  int successes_ = 0;
  int failures_ = 0;
  std::optional<bool> verdict_;
};

}  // namespace steer
