#pragma once
// The rules of each kind beyond its structure: what Kubernetes' own validation refuses. One file per
// family of kinds in rules/. Pure.
#include <string>
#include <string_view>
#include <vector>

#include "core/json.h"
#include "schemas/field_path.h"
#include "schemas/names.h"
#include "schemas/validate.h"

namespace steer {

/// Collects findings in the words that kubectl's users know.
class RuleReport {
 public:
  enum class Values { quoted, hidden };  ///< hidden: the object is a Secret
  explicit RuleReport(Values values) : values_(values) {}

  void required(const FieldPath& at, std::string detail = {});
  void invalid(const FieldPath& at, const json::value& value, const std::string& detail, std::string hint = {});
  void unsupported(const FieldPath& at, const json::value& value, const std::vector<std::string>& supported);
  void duplicate(const FieldPath& at, const json::value& value);
  void tooLong(const FieldPath& at, const std::string& detail);
  void forbidden(const FieldPath& at, const std::string& detail);
  void unknown(const FieldPath& at, std::string hint);
  void wrongType(const FieldPath& at, std::string detail, std::string hint = {});
  /// invalid() when there is a problem.
  void check(const FieldPath& at, std::string_view value, const NameProblem& problem);
  /// Likewise, with the nearest name that would do.
  void check(const FieldPath& at, std::string_view value, NameCheck rule);

  std::size_t count() const { return findings_.size(); }
  std::vector<Finding> take() { return std::move(findings_); }

 private:
  void add(Finding::Kind kind, const FieldPath& at, std::string message, std::string hint = {});
  std::string quote(const json::value& value) const;

  Values values_;
  std::vector<Finding> findings_;
};

/// Adds findings about one object.
using KindRule = void (*)(const json::object& object, RuleReport& report);

/// The rule of a kind; nullptr when it has none.
KindRule ruleOf(const Gvk& gvk);

// Rules, by family. A rule reads around what has a wrong type: the structure's findings speak of it.
void checkConfigMap(const json::object& object, RuleReport& report);
void checkSecret(const json::object& object, RuleReport& report);
void checkService(const json::object& object, RuleReport& report);
void checkPod(const json::object& object, RuleReport& report);
void checkDeployment(const json::object& object, RuleReport& report);
void checkReplicaSet(const json::object& object, RuleReport& report);
void checkReplicationController(const json::object& object, RuleReport& report);
void checkStatefulSet(const json::object& object, RuleReport& report);
void checkDaemonSet(const json::object& object, RuleReport& report);
void checkJob(const json::object& object, RuleReport& report);
void checkCronJob(const json::object& object, RuleReport& report);
void checkIngress(const json::object& object, RuleReport& report);
void checkNetworkPolicy(const json::object& object, RuleReport& report);
void checkAutoscaler(const json::object& object, RuleReport& report);
void checkAutoscalerV1(const json::object& object, RuleReport& report);
void checkDisruptionBudget(const json::object& object, RuleReport& report);
void checkRole(const json::object& object, RuleReport& report);
void checkClusterRole(const json::object& object, RuleReport& report);
void checkRoleBinding(const json::object& object, RuleReport& report);
void checkClusterRoleBinding(const json::object& object, RuleReport& report);
void checkClaim(const json::object& object, RuleReport& report);
void checkVolume(const json::object& object, RuleReport& report);
void checkDefinition(const json::object& object, RuleReport& report);
void checkApplication(const json::object& object, RuleReport& report);

/// `claims`: names of volumes that the controller of the pod adds.
void checkPodSpec(const FieldPath& at, const json::object& spec, RuleReport& report,
                  const std::vector<std::string>& claims = {});
void checkPortNumber(const FieldPath& at, const json::value* value, RuleReport& report);
void checkLabelSelector(const FieldPath& at, const json::value* selector, RuleReport& report);
void checkNodeSelector(const FieldPath& at, const json::value* selector, RuleReport& report);
void checkAffinity(const FieldPath& at, const json::value* affinity, RuleReport& report);
void checkMetadata(const KindSchema& kind, const json::object& object, RuleReport& report);
void checkLabels(const FieldPath& at, const json::object& labels, RuleReport& report);
void checkAnnotations(const FieldPath& at, const json::object& annotations, RuleReport& report);

}  // namespace steer
