#include "nodeagent/pod/probes.h"

#include <algorithm>

namespace steer {

namespace {

/// A number, or the name of one of the container's ports.
Result<int> portOf(const json::object& container, const json::value* port) {
  if (!port) return makeError(Errc::invalid, "the probe names no port");
  if (const auto number = asInt(*port)) return static_cast<int>(*number);
  if (!port->is_string()) return makeError(Errc::invalid, "the probe's port is neither a number nor a name");
  const auto name = view(port->get_string());
  for (const auto& known : arrayAt(container, {"ports"}))
    if (stringAt(known, {"name"}) == name) return static_cast<int>(intAt(known, {"containerPort"}));
  if (!name.empty() && std::all_of(name.begin(), name.end(), [](char c) { return c >= '0' && c <= '9'; }) &&
      name.size() < 6)
    return std::stoi(std::string(name));
  return makeError(Errc::invalid, "the container has no port named " + std::string(name));
}

}  // namespace

const json::object* probeOf(const json::object& container, ProbeKind kind) {
  const std::string field = std::string(probeWord(kind)) + "Probe";
  const auto* found = container.if_contains(field);
  return found ? found->if_object() : nullptr;
}

std::string_view probeWord(ProbeKind kind) {
  switch (kind) {
    case ProbeKind::startup:
      return "startup";
    case ProbeKind::liveness:
      return "liveness";
    case ProbeKind::readiness:
      break;
  }
  return "readiness";
}

ProbeSpec probeSpecOf(const json::object& probe) {
  ProbeSpec out;
  out.initialDelay = seconds(std::max<std::int64_t>(0, intAt(probe, {"initialDelaySeconds"})));
  out.period = seconds(std::max<std::int64_t>(1, intAt(probe, {"periodSeconds"}, 10)));
  out.timeout = seconds(std::max<std::int64_t>(1, intAt(probe, {"timeoutSeconds"}, 1)));
  out.successThreshold = static_cast<int>(std::max<std::int64_t>(1, intAt(probe, {"successThreshold"}, 1)));
  out.failureThreshold = static_cast<int>(std::max<std::int64_t>(1, intAt(probe, {"failureThreshold"}, 3)));
  if (const auto* grace = probe.if_contains("terminationGracePeriodSeconds"))
    if (const auto number = asInt(*grace)) out.grace = seconds(*number);
  return out;
}

Result<CheckRequest> checkRequestOf(const json::object& action, const json::object& container,
                                    const std::string& containerId, const std::string& host) {
  CheckRequest out;
  out.containerId = containerId;
  out.host = host;
  if (const auto* exec = find(action, {"exec"})) {
    for (const auto& word : arrayAt(*exec, {"command"}))
      if (word.is_string()) out.command.emplace_back(view(word.get_string()));
    if (!out.command.empty()) return out;
    return makeError(Errc::invalid, "the check has an empty command");
  }
  if (const auto* http = find(action, {"httpGet"})) {
    out.kind = CheckKind::http;
    STEER_TRY(out.port, portOf(container, find(*http, {"port"})));
    out.scheme = stringAt(*http, {"scheme"}, "HTTP");
    out.path = stringAt(*http, {"path"}, "/");
    if (!out.path.starts_with('/')) out.path.insert(0, "/");
    if (const auto named = stringAt(*http, {"host"}); !named.empty()) out.host = named;
    for (const auto& header : arrayAt(*http, {"httpHeaders"}))
      out.headers.emplace_back(stringAt(header, {"name"}), stringAt(header, {"value"}));
    return out;
  }
  if (const auto* tcp = find(action, {"tcpSocket"})) {
    out.kind = CheckKind::tcp;
    STEER_TRY(out.port, portOf(container, find(*tcp, {"port"})));
    if (const auto named = stringAt(*tcp, {"host"}); !named.empty()) out.host = named;
    return out;
  }
  if (const auto* grpc = find(action, {"grpc"})) {
    out.kind = CheckKind::grpc;
    STEER_TRY(out.port, portOf(container, find(*grpc, {"port"})));
    out.service = stringAt(*grpc, {"service"});
    return out;
  }
  return makeError(Errc::invalid, "the check names no action");
}

bool ProbeRecord::record(bool success) {
  (success ? failures_ : successes_) = 0;
  const int count = success ? ++successes_ : ++failures_;
  if (count < (success ? spec_.successThreshold : spec_.failureThreshold)) return false;
  const bool changed = verdict_ != success || !success;
  verdict_ = success;
  return changed;
}

}  // namespace steer
