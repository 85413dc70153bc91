// Probes and lifecycle hooks of containers.
#include "schemas/rules/pod_rules.h"

namespace steer {
namespace {

/// A header's name as HTTP has it.
bool isHeaderName(std::string_view name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
  });
}

void checkHttpGet(const FieldPath& at, const json::object& action, RuleReport& report) {
  if (text(action, "path").empty()) report.required(at.field("path"));
  checkPort(at.field("port"), given(action, "port"), report);
  checkEnum(at.field("scheme"), text(action, "scheme"), {"HTTP", "HTTPS"}, report);
  eachObject(at, action, "httpHeaders", [&](const FieldPath&, const json::object& header) {
    if (const auto name = text(header, "name"); !isHeaderName(name))
      report.invalid(at.field("httpHeaders"), quoted(name),
                     "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name')");
  });
}

void checkSleep(const FieldPath& at, const json::object& action, const PodScope& scope, RuleReport& report) {
  const auto seconds = number(action, "seconds");
  if (seconds < 0 || seconds > scope.graceSeconds)
    report.invalid(at, seconds,
                   "must be non-negative and less than terminationGracePeriodSeconds (" +
                       std::to_string(scope.graceSeconds) + ")");
}

/// Exactly one of the actions.
void checkHandler(const FieldPath& at, const json::object& handler, const PodScope& scope, RuleReport& report) {
  std::size_t count = 0;
  for (const auto* name : {"exec", "httpGet", "tcpSocket", "grpc", "sleep"}) {
    const auto* action = part(handler, name);
    if (action == nullptr) continue;
    const auto here = at.field(name);
    if (++count > 1) {
      report.forbidden(here, "may not specify more than 1 handler type");
      continue;
    }
    const std::string_view kind = name;
    if (kind == "exec" && items(*action, "command").empty()) report.required(here.field("command"));
    if (kind == "httpGet") checkHttpGet(here, *action, report);
    if (kind == "tcpSocket" || kind == "grpc") checkPort(here.field("port"), given(*action, "port"), report);
    if (kind == "sleep") checkSleep(here, *action, scope, report);
  }
  if (count == 0) report.required(at, "must specify a handler type");
}

void checkProbe(const FieldPath& at, const json::object& probe, const PodScope& scope, RuleReport& report) {
  checkHandler(at, probe, scope, report);
  for (const auto* field :
       {"initialDelaySeconds", "timeoutSeconds", "periodSeconds", "successThreshold", "failureThreshold"})
    checkNotNegative(at, probe, field, report);
  if (given(probe, "terminationGracePeriodSeconds") != nullptr && number(probe, "terminationGracePeriodSeconds") <= 0)
    report.invalid(at.field("terminationGracePeriodSeconds"), number(probe, "terminationGracePeriodSeconds"),
                   "must be greater than 0");
}

}  // namespace

void checkPort(const FieldPath& at, const json::value* port, RuleReport& report) {
  if (port != nullptr && port->is_string()) return report.check(at, view(port->get_string()), checkPortName);
  const json::value none = 0;
  checkPortNumber(at, port == nullptr ? &none : port, report);
}

void checkProbes(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  for (const auto* name : {"livenessProbe", "readinessProbe", "startupProbe"}) {
    const auto* probe = part(container, name);
    if (probe == nullptr) continue;
    const auto here = at.field(name);
    checkProbe(here, *probe, scope, report);
    if (std::string_view(name) == "readinessProbe") {
      if (given(*probe, "terminationGracePeriodSeconds") != nullptr)
        report.invalid(here.field("terminationGracePeriodSeconds"), *given(*probe, "terminationGracePeriodSeconds"),
                       "must not be set for readinessProbes");
    } else if (const auto n = number(*probe, "successThreshold", 1); n != 1) {
      report.invalid(here.field("successThreshold"), n, "must be 1");
    }
  }
}

void checkLifecycle(const FieldPath& at, const json::object& container, const PodScope& scope, RuleReport& report) {
  const auto* lifecycle = part(container, "lifecycle");
  if (lifecycle == nullptr) return;
  const auto here = at.field("lifecycle");
  for (const auto* name : {"postStart", "preStop"})
    if (const auto* hook = part(*lifecycle, name)) checkHandler(here.field(name), *hook, scope, report);
}

}  // namespace steer
