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
  explicit RuleReport(Values values, Occasion occasion = Occasion::create) : values_(values), occasion_(occasion) {}

  /// Some rules hold for new objects only.
  bool creating() const { return occasion_ == Occasion::create; }

  void required(const FieldPath& at, std::string detail = {});
  void invalid(const FieldPath& at, const json::value& value, const std::string& detail, std::string hint = {});
  void unsupported(const FieldPath& at, const json::value& value, const std::vector<std::string>& supported);
  void duplicate(const FieldPath& at, const json::value& value);
  void tooLong(const FieldPath& at, const std::string& detail);
  void forbidden(const FieldPath& at, const std::string& detail);
  void notFound(const FieldPath& at, const json::value& value, std::string hint = {});
  void tooMany(const FieldPath& at, std::size_t most);
  void unknown(const FieldPath& at, std::string hint);
  void wrongType(const FieldPath& at, std::string detail, std::string hint = {});
  /// The right JSON type, but no value that the field's type has: "1.2.3.4x" for a quantity.
  void malformed(const FieldPath& at, const json::value& value, const std::string& detail);
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
  Occasion occasion_;
  std::vector<Finding> findings_;
};

/// Adds findings about one object.
using KindRule = void (*)(const json::object& object, RuleReport& report);

/// The rule of a kind; nullptr when it has none.
KindRule ruleOf(const Gvk& gvk);
/// How much the rule says: `whole` also what is required and which values a field may have, so that the schema's own
/// words about it are not asked; `beside` what the schema does not know.
enum class Coverage { beside, whole };
Coverage coverageOf(const Gvk& gvk);

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
void checkGitRepository(const json::object& object, RuleReport& report);
void checkNode(const json::object& object, RuleReport& report);
void checkNamespace(const json::object& object, RuleReport& report);
void checkServiceAccount(const json::object& object, RuleReport& report);
void checkLimitRange(const json::object& object, RuleReport& report);
void checkQuota(const json::object& object, RuleReport& report);
void checkEndpoints(const json::object& object, RuleReport& report);
void checkEndpointSlice(const json::object& object, RuleReport& report);
void checkLease(const json::object& object, RuleReport& report);
void checkIngressClass(const json::object& object, RuleReport& report);
void checkPriorityClass(const json::object& object, RuleReport& report);
void checkRuntimeClass(const json::object& object, RuleReport& report);
void checkStorageClass(const json::object& object, RuleReport& report);
void checkCsiDriver(const json::object& object, RuleReport& report);
void checkCsiNode(const json::object& object, RuleReport& report);
void checkStorageCapacity(const json::object& object, RuleReport& report);
void checkAttachment(const json::object& object, RuleReport& report);
void checkSigningRequest(const json::object& object, RuleReport& report);
void checkPodTemplateObject(const json::object& object, RuleReport& report);
void checkValidatingWebhooks(const json::object& object, RuleReport& report);
void checkMutatingWebhooks(const json::object& object, RuleReport& report);
void checkAdmissionPolicy(const json::object& object, RuleReport& report);
void checkAdmissionPolicyBinding(const json::object& object, RuleReport& report);
void checkFlowSchema(const json::object& object, RuleReport& report);
void checkPriorityLevel(const json::object& object, RuleReport& report);
void checkVolumeAttributesClass(const json::object& object, RuleReport& report);

struct PodContext {
  std::string_view name{};          ///< of the pod; empty in a template
  std::vector<std::string> claims;  ///< names of volumes that the controller of the pod adds
  bool podTemplate = false;         ///< pods get more defaults when they are made of it
};
void checkPodSpec(const FieldPath& at, const json::object& spec, RuleReport& report, const PodContext& context);
/// Labels and annotations of the template and its pod.
void checkPodTemplate(const FieldPath& at, const json::object& pod, RuleReport& report,
                      const std::vector<std::string>& claims = {});
void checkClaimSpec(const FieldPath& at, const json::object& spec, RuleReport& report);
void checkPortNumber(const FieldPath& at, const json::value* value, RuleReport& report);
void checkLabelSelector(const FieldPath& at, const json::value* selector, RuleReport& report);
void checkNodeSelector(const FieldPath& at, const json::value* selector, RuleReport& report);
void checkAffinity(const FieldPath& at, const json::value* affinity, RuleReport& report);
void checkMetadata(const KindSchema& kind, const json::object& object, RuleReport& report);
void checkLabels(const FieldPath& at, const json::object& labels, RuleReport& report);
/// Of a namespace's specification.
void checkFinalizerName(const FieldPath& at, std::string_view name, RuleReport& report);
void checkAnnotations(const FieldPath& at, const json::object& annotations, RuleReport& report);

}  // namespace steer
