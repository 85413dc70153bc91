// Pods: what admission adds, how long they may take to go, and the row of `kubectl get pods`.
#include "cluster/apiserver/admission/limit_ranges.h"
#include "cluster/apiserver/admission/pod_classes.h"
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/status_error.h"
#include "core/rfc3339.h"
#include "schemas/pod_admission.h"

namespace steer {
namespace {

bool terminal(const json::object& pod) {
  const auto phase = stringAt(pod, {"status", "phase"});
  return phase == "Succeeded" || phase == "Failed";
}

/// What a pod leaves open its service account says: how its images are pulled, and whether it gets a token.
Result<void> takeFromAccount(const Snapshot& view, json::object& pod) {
  auto& spec = ensureObject(pod, "spec");
  const std::string ns(stringAt(pod, {"metadata", "namespace"})), name(stringAt(spec, {"serviceAccountName"}));
  const auto account = view.get("serviceaccounts", ns, name);
  if (account == nullptr)
    return makeError(Errc::forbidden, "pods \"" + std::string(stringAt(pod, {"metadata", "name"})) +
                                          "\" is forbidden: error looking up service account " + ns + "/" + name +
                                          ": serviceaccount \"" + name + "\" not found");
  const auto& secrets = arrayAt(account->json(), {"imagePullSecrets"});
  if (!secrets.empty() && arrayAt(spec, {"imagePullSecrets"}).empty()) spec["imagePullSecrets"] = secrets;
  const auto* own = spec.if_contains("automountServiceAccountToken");
  const bool mounts = own != nullptr && own->is_bool()
                          ? own->get_bool()
                          : boolAt(account->json(), {"automountServiceAccountToken"}, true);
  // Written down, so that a node can tell such a pod from one that was stored before admission mounted anything.
  if (!mounts) spec["automountServiceAccountToken"] = false;
  else if (lacksApiAccess(pod)) addApiAccess(pod, apiAccessVolume(apiAccessName(pod)));
  return {};
}

/// Without the admission of service accounts a pod has the account that it names, or none.
void leaveAccount(const std::string& name, json::object& spec) {
  if (!name.empty()) return;
  for (const auto* field : {"serviceAccountName", "serviceAccount"}) spec.erase(field);
}

class PodStrategy final : public KindStrategy {
 public:
  std::int64_t graceOnDelete(const Object& live, std::optional<std::int64_t> asked) const override {
    if (stringAt(live.spec(), {"nodeName"}).empty() || terminal(live.json())) return 0;
    return std::max<std::int64_t>(0, asked.value_or(intAt(live.spec(), {"terminationGracePeriodSeconds"}, 30)));
  }

  Result<void> prepareCreate(const AdmissionContext& context, json::object& pod) const override {
    pod.erase("status");
    STEER_CHECK(resolvePriority(context.view, pod));
    STEER_CHECK(resolveRuntimeClass(context.view, pod));
    const std::string ns(stringAt(pod, {"metadata", "namespace"}));
    const auto& disabled = context.options.disabledAdmission;
    const bool limits = !disabled.has(AdmissionPlugin::limitRanger);
    if (limits) applyLimitDefaults(context.view, ns, pod);
    const std::string account(stringAt(pod, {"spec", "serviceAccountName"}));
    applyPodAdmissionDefaults(pod);
    if (disabled.has(AdmissionPlugin::serviceAccount)) leaveAccount(account, ensureObject(pod, "spec"));
    else STEER_CHECK(takeFromAccount(context.view, pod));
    return limits ? checkPodLimits(context.view, ns, pod) : Result<void>();
  }
  Result<void> prepareUpdate(const AdmissionContext&, const json::object&, json::object& pod) const override {
    addDefaultTolerations(ensureObject(pod, "spec"));
    return {};
  }

  /// A token is somebody's. Templates may leave open whose.
  void validate(const AdmissionContext&, const json::object*, const json::object& pod,
                std::vector<Cause>& causes) const override {
    if (!stringAt(pod, {"spec", "serviceAccountName"}).empty()) return;
    std::size_t volume = 0;
    for (const auto& item : arrayAt(pod, {"spec", "volumes"})) {
      std::size_t index = 0;
      for (const auto& source : arrayAt(item, {"projected", "sources"})) {
        const auto at =
            "spec.volumes[" + std::to_string(volume) + "].projected.sources[" + std::to_string(index++) + "]";
        if (const auto* token = find(source, {"serviceAccountToken"}); token != nullptr && !token->is_null())
          causes.push_back({"FieldValueForbidden", at + ".serviceAccountToken",
                            "Forbidden: must not be specified when serviceAccountName is not set"});
      }
      ++volume;
    }
  }

  std::vector<std::string_view> selectableFields() const override {
    return {"spec.nodeName",    "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName",
            "spec.hostNetwork", "status.phase",       "status.podIP",       "status.nominatedNodeName"};
  }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},
            {"Ready"},
            {"Status"},
            {"Restarts"},
            {"Age"},
            {"IP", "string", "", 1},
            {"Node", "string", "", 1},
            {"Nominated Node", "string", "", 1},
            {"Readiness Gates", "string", "", 1}};
  }

  json::array row(const Object& pod, Time now) const override;
};

struct RowState {
  std::string reason;
  std::int64_t ready = 0;
  std::int64_t restarts = 0;
  std::optional<Time> lastRestart{};
};

void countRestarts(const json::value& status, RowState& out) {
  out.restarts += intAt(status, {"restartCount"});
  if (const auto at = parseTime(stringAt(status, {"lastState", "terminated", "finishedAt"})))
    if (!out.lastRestart || *out.lastRestart < *at) out.lastRestart = at;
}

std::string endReason(const json::value& terminated) {
  if (const auto reason = stringAt(terminated, {"reason"}); !reason.empty()) return std::string(reason);
  if (const auto signal = intAt(terminated, {"signal"}); signal != 0) return "Signal:" + std::to_string(signal);
  return "ExitCode:" + std::to_string(intAt(terminated, {"exitCode"}));
}

bool isSidecar(const Object& pod, std::string_view name) {
  for (const auto& container : arrayAt(pod.spec(), {"initContainers"}))
    if (stringAt(container, {"name"}) == name) return stringAt(container, {"restartPolicy"}) == "Always";
  return false;
}

/// True while init containers decide what the row says.
bool initState(const Object& pod, RowState& out) {
  const auto& statuses = arrayAt(pod.status(), {"initContainerStatuses"});
  std::size_t index = 0;
  for (const auto& status : statuses) {
    countRestarts(status, out);
    const std::size_t at = index++;
    const auto* ended = find(status, {"state", "terminated"});
    if (ended != nullptr && intAt(*ended, {"exitCode"}) == 0) continue;
    if (isSidecar(pod, stringAt(status, {"name"})) && boolAt(status, {"started"})) {
      if (boolAt(status, {"ready"})) ++out.ready;
      continue;
    }
    const auto waiting = stringAt(status, {"state", "waiting", "reason"});
    if (ended != nullptr) out.reason = "Init:" + endReason(*ended);
    else if (!waiting.empty() && waiting != "PodInitializing") out.reason = "Init:" + std::string(waiting);
    else
      out.reason = "Init:" + std::to_string(at) + "/" + std::to_string(arrayAt(pod.spec(), {"initContainers"}).size());
    return true;
  }
  return false;
}

void containerState(const Object& pod, RowState& out) {
  bool running = false;
  const auto& statuses = arrayAt(pod.status(), {"containerStatuses"});
  for (auto it = statuses.rbegin(); it != statuses.rend(); ++it) {
    countRestarts(*it, out);
    const auto waiting = stringAt(*it, {"state", "waiting", "reason"});
    if (!waiting.empty()) {
      out.reason = waiting;
    } else if (const auto* ended = find(*it, {"state", "terminated"})) {
      out.reason = endReason(*ended);
    } else if (boolAt(*it, {"ready"}) && find(*it, {"state", "running"}) != nullptr) {
      running = true;
      ++out.ready;
    }
  }
  if (out.reason != "Completed" || !running) return;
  bool ready = false;
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    ready = ready || (stringAt(condition, {"type"}) == "Ready" && stringAt(condition, {"status"}) == "True");
  out.reason = ready ? "Running" : "NotReady";
}

json::array PodStrategy::row(const Object& pod, Time now) const {
  RowState state;
  state.reason = stringAt(pod.status(), {"phase"}, "Unknown");
  if (const auto reason = stringAt(pod.status(), {"reason"}); !reason.empty()) state.reason = reason;
  for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == "PodScheduled" && stringAt(condition, {"reason"}) == "SchedulingGated")
      state.reason = "SchedulingGated";
  if (!initState(pod, state)) containerState(pod, state);
  if (pod.deleting())
    state.reason = stringAt(pod.status(), {"reason"}) == "NodeLost" ? "Unknown"
                   : terminal(pod.json())                           ? state.reason
                                                                    : "Terminating";
  std::size_t total = arrayAt(pod.spec(), {"containers"}).size();
  for (const auto& container : arrayAt(pod.spec(), {"initContainers"}))
    if (stringAt(container, {"restartPolicy"}) == "Always") ++total;
  std::string restarts = std::to_string(state.restarts);
  if (state.restarts > 0 && state.lastRestart) restarts += " (" + durationText(now - *state.lastRestart) + " ago)";
  const auto text = [&](const json::object& from, std::string_view field) {
    return orNone(std::string(stringAt(from, {field})));
  };
  const auto gates = arrayAt(pod.spec(), {"readinessGates"}).size();
  std::size_t open = 0;
  for (const auto& gate : arrayAt(pod.spec(), {"readinessGates"}))
    for (const auto& condition : arrayAt(pod.status(), {"conditions"}))
      if (stringAt(condition, {"type"}) == stringAt(gate, {"conditionType"}) &&
          stringAt(condition, {"status"}) == "True")
        ++open;
  return {pod.name(),
          std::to_string(state.ready) + "/" + std::to_string(total),
          state.reason,
          restarts,
          ageText(pod, now),
          text(pod.status(), "podIP"),
          text(pod.spec(), "nodeName"),
          text(pod.status(), "nominatedNodeName"),
          gates == 0 ? "<none>" : std::to_string(open) + "/" + std::to_string(gates)};
}

}  // namespace

void register_pod(StrategyRegistry& registry) { registry.add("pods", std::make_unique<PodStrategy>()); }

}  // namespace steer
