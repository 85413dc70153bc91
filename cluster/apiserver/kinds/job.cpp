// Jobs: the selector and labels that tell its pods from those of any other job, and the row of
// `kubectl get jobs`. A DELETE without a propagation policy leaves the pods, as the API promises.
#include "cluster/apiserver/kind_strategy.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/status_error.h"
#include "core/rfc3339.h"
#include "core/selector.h"
#include "schemas/names.h"

namespace steer {
namespace {

constexpr const char* kUidLabel = "batch.kubernetes.io/controller-uid";
constexpr const char* kNameLabel = "batch.kubernetes.io/job-name";
constexpr const char* kOldUidLabel = "controller-uid";
constexpr const char* kOldNameLabel = "job-name";

bool hasCondition(const Object& job, std::string_view type) {
  for (const auto& condition : arrayAt(job.status(), {"conditions"}))
    if (stringAt(condition, {"type"}) == type && stringAt(condition, {"status"}) == "True") return true;
  return false;
}

const char* statusText(const Object& job) {
  if (hasCondition(job, "Complete")) return "Complete";
  if (hasCondition(job, "Failed")) return "Failed";
  if (job.deleting()) return "Terminating";
  if (hasCondition(job, "Suspended")) return "Suspended";
  if (hasCondition(job, "FailureTarget")) return "FailureTarget";
  if (hasCondition(job, "SuccessCriteriaMet")) return "SuccessCriteriaMet";
  return "Running";
}

std::string completionsText(const Object& job) {
  const std::string done = std::to_string(intAt(job.status(), {"succeeded"}));
  if (const auto* wanted = find(job.spec(), {"completions"}); wanted != nullptr && asInt(*wanted))
    return done + "/" + std::to_string(*asInt(*wanted));
  const auto parallelism = intAt(job.spec(), {"parallelism"});
  return done + "/1" + (parallelism > 1 ? " of " + std::to_string(parallelism) : "");
}

std::string runningTime(const Object& job, Time now) {
  const auto start = parseTime(stringAt(job.status(), {"startTime"}));
  if (!start) return "";
  return durationText(parseTime(stringAt(job.status(), {"completionTime"})).value_or(now) - *start);
}

class JobStrategy final : public KindStrategy {
 public:
  bool orphansByDefault() const override { return true; }

  Result<void> prepareCreate(const AdmissionContext&, json::object& job) const override {
    auto& spec = ensureObject(job, "spec");
    if (boolAt(spec, {"manualSelector"})) return {};
    const std::string uid(stringAt(job, {"metadata", "uid"})), name(stringAt(job, {"metadata", "name"}));
    auto& labels = ensureObject(ensureObject(ensureObject(spec, "template"), "metadata"), "labels");
    // A new job without labels has those of its pods.
    const bool shared = !labels.empty() && objectAt(job, {"metadata", "labels"}).empty();
    for (const char* key : {kUidLabel, kOldUidLabel})
      if (!labels.contains(key)) labels[key] = uid;
    for (const char* key : {kNameLabel, kOldNameLabel})
      if (!labels.contains(key)) labels[key] = name;
    if (shared) ensureObject(job, "metadata")["labels"] = labels;
    auto& matched = ensureObject(ensureObject(spec, "selector"), "matchLabels");
    if (!matched.contains(kUidLabel)) matched[kUidLabel] = uid;
    return {};
  }

  void validate(const AdmissionContext&, const json::object* before, const json::object& job,
                std::vector<Cause>& causes) const override {
    if (before != nullptr && objectAt(*before, {"spec"}) == objectAt(job, {"spec"})) return;
    if (before == nullptr && !boolAt(job, {"spec", "manualSelector"})) checkGenerated(job, causes);
    checkHostnames(job, causes);
  }

  std::vector<std::string_view> selectableFields() const override { return {"status.successful"}; }
  std::vector<TableColumn> columns() const override {
    return {{"Name", "string", "name"},
            {"Status"},
            {"Completions"},
            {"Duration"},
            {"Age"},
            {"Containers", "string", "", 1},
            {"Images", "string", "", 1},
            {"Selector", "string", "", 1}};
  }

  json::array row(const Object& job, Time now) const override {
    const auto& pod = objectAt(job.spec(), {"template", "spec"});
    return {
        job.name(),        statusText(job),     completionsText(job), runningTime(job, now),
        ageText(job, now), containerNames(pod), containerImages(pod), selectorText(job.spec().if_contains("selector"))};
  }

 private:
  /// What the server makes must not have been said otherwise.
  static void checkGenerated(const json::object& job, std::vector<Cause>& causes) {
    const auto uid = stringAt(job, {"metadata", "uid"});
    const auto name = stringAt(job, {"metadata", "name"});
    const auto& labels = objectAt(job, {"spec", "template", "metadata", "labels"});
    for (const char* key : {kUidLabel, kOldUidLabel})
      if (stringAt(labels, {key}) != uid)
        causes.push_back(invalidValue("spec.template.metadata.labels[" + std::string(key) + "]",
                                      "must be '" + std::string(uid) + "', or not said: the server sets it"));
    for (const char* key : {kNameLabel, kOldNameLabel})
      if (labels.contains(key) && stringAt(labels, {key}) != name)
        causes.push_back(invalidValue("spec.template.metadata.labels[" + std::string(key) + "]",
                                      "must be '" + std::string(name) + "', or not said: the server sets it"));
    const auto parsed = LabelSelector::fromObject(find(job, {"spec", "selector"}));
    const json::object expected{{kUidLabel, json::string(jkey(uid))},
                                {kOldUidLabel, json::string(jkey(uid))},
                                {kNameLabel, json::string(jkey(name))},
                                {kOldNameLabel, json::string(jkey(name))}};
    if (parsed.ok() && !parsed->matches(expected))
      causes.push_back(invalidValue("spec.selector", "`selector` not auto-generated"));
  }

  /// Pods of an indexed job are named after it and their index.
  static void checkHostnames(const json::object& job, std::vector<Cause>& causes) {
    if (stringAt(job, {"spec", "completionMode"}) != "Indexed") return;
    const auto last = std::max<std::int64_t>(0, intAt(job, {"spec", "completions"}, 1) - 1);
    const std::string hostname = std::string(stringAt(job, {"metadata", "name"})) + "-" + std::to_string(last);
    if (const auto why = checkDns1123Label(hostname))
      causes.push_back(
          invalidValue("metadata.name", "\"" + hostname + "\": its pods would have no valid hostname: " + *why));
  }
};

}  // namespace

void register_job(StrategyRegistry& registry) { registry.add("jobs.batch", std::make_unique<JobStrategy>()); }

}  // namespace steer
