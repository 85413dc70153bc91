#include "cluster/apiserver/template_rules.h"

#include <set>

#include "cluster/apiserver/meta_rules.h"
#include "cluster/apiserver/row_text.h"
#include "cluster/apiserver/status_error.h"
#include "core/selector.h"

namespace steer {

void checkReplicas(const json::object& object, std::vector<Cause>& causes) {
  for (const char* field : {"replicas", "minReadySeconds", "revisionHistoryLimit", "progressDeadlineSeconds"})
    if (const auto n = intAt(object, {"spec", field}); n < 0)
      causes.push_back(
          invalidValue(std::string("spec.") + field, std::to_string(n) + ": must be greater than or equal to 0"));
}

void checkSelectorMatchesTemplate(const json::object& object, std::vector<Cause>& causes) {
  const auto* selector = find(object, {"spec", "selector"});
  if (selector == nullptr) {
    causes.push_back(requiredValue("spec.selector"));
    return;
  }
  const auto parsed = LabelSelector::fromObject(selector);
  if (!parsed.ok()) {
    causes.push_back(invalidValue("spec.selector", parsed.error().message));
  } else if (parsed->matchesEverything()) {
    causes.push_back(invalidValue("spec.selector", "empty selector is invalid for this kind"));
  } else if (!parsed->matches(objectAt(object, {"spec", "template", "metadata", "labels"}))) {
    causes.push_back(invalidValue("spec.template.metadata.labels", "`selector` does not match template `labels`"));
  }
}

void checkTemplate(const json::object& object, std::vector<Cause>& causes) {
  const auto& pod = objectAt(object, {"spec", "template", "spec"});
  validateLabels(objectAt(object, {"spec", "template", "metadata", "labels"}), "spec.template.metadata.labels", causes);
  const auto& containers = arrayAt(pod, {"containers"});
  if (containers.empty()) causes.push_back(requiredValue("spec.template.spec.containers"));
  std::set<std::string> names;
  for (std::size_t i = 0; i < containers.size(); ++i) {
    const std::string at = "spec.template.spec.containers[" + std::to_string(i) + "]";
    const std::string name(stringAt(containers[i], {"name"}));
    if (const auto why = nameProblem(name, NameRule::dnsLabel); !name.empty() && !why.empty())
      causes.push_back(invalidValue(at + ".name", "\"" + name + "\": " + std::string(why)));
    if (!names.insert(name).second)
      causes.push_back({"FieldValueDuplicate", at + ".name", "Duplicate value: \"" + name + "\""});
    if (stringAt(containers[i], {"image"}).empty()) causes.push_back(requiredValue(at + ".image"));
  }
  if (const auto policy = stringAt(pod, {"restartPolicy"}, "Always"); policy != "Always")
    causes.push_back({"FieldValueNotSupported", "spec.template.spec.restartPolicy",
                      "Unsupported value: \"" + std::string(policy) + "\": supported values: \"Always\""});
}

std::vector<TableColumn> replicaColumns() {
  return {{"Name", "string", "name"},
          {"Desired", "integer"},
          {"Current", "integer"},
          {"Ready", "integer"},
          {"Age"},
          {"Containers", "string", "", 1},
          {"Images", "string", "", 1},
          {"Selector", "string", "", 1}};
}

json::array replicaRow(const Object& object, Time now) {
  const auto& pod = objectAt(object.spec(), {"template", "spec"});
  return {object.name(),
          intAt(object.spec(), {"replicas"}, 1),
          intAt(object.status(), {"replicas"}),
          intAt(object.status(), {"readyReplicas"}),
          ageText(object, now),
          containerNames(pod),
          containerImages(pod)};
}

}  // namespace steer
